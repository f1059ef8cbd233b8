//! Reads the arguments of the attribute: `key = value, ..`.
//!
//! Reading goes on after a fault, at the next comma, so that one build shows all of them.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};
use tina4_service_core::Key;

use crate::errors;
use crate::faults::Faults;
use crate::tokens::skip_to_comma;
use crate::value::Value;

/// The arguments, each key at most once.
#[derive(Default)]
pub(crate) struct Args {
    /// The keys whose value could be read.
    pub(crate) arguments: Vec<Argument>,
    /// The keys that were written, or meant, with a value that could not be read.
    pub(crate) unreadable: Vec<Key>,
}

/// A key with its value.
pub(crate) struct Argument {
    pub(crate) key: Key,
    pub(crate) key_span: Span,
    pub(crate) value: Value,
}

impl Args {
    /// Reads the arguments as far as they can be read.
    pub(crate) fn read(args: TokenStream, faults: &mut Faults) -> Self {
        let mut read = Self::default();
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = read.argument(input, faults) {
                    faults.push(error);
                    skip_to_comma(input);
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = parse.parse2(args) {
            faults.push(error);
        }
        read
    }

    /// Reads one argument, but not the comma behind it.
    fn argument(&mut self, input: ParseStream<'_>, faults: &mut Faults) -> syn::Result<()> {
        if !input.peek(Ident::peek_any) {
            return Err(errors::not_a_key(&input.parse::<TokenTree>()?));
        }
        let word = input.call(Ident::parse_any)?;
        let written = word.unraw().to_string();
        let Some(key) = Key::from_name(&written) else {
            self.unreadable.extend(errors::nearest_key(&written));
            return Err(errors::unknown_key(word.span(), &written));
        };
        let key_span = word.span();
        let again = self.unreadable.contains(&key) || self.value(key).is_some();
        let value = value_of(key, key_span, input, faults);
        if again {
            return Err(errors::key_twice(key_span, key));
        }
        match value {
            Ok(value) => self.arguments.push(Argument { key, key_span, value }),
            Err(error) => {
                self.unreadable.push(key);
                return Err(error);
            }
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        let next_argument = input.peek(Ident::peek_any) && input.peek2(Token![=]);
        let fault = errors::after_value(key, &input.fork().parse()?);
        if next_argument {
            // Only the comma is missing.
            faults.push(fault);
            return Ok(());
        }
        Err(fault)
    }

    /// The argument with this key, if it could be read.
    pub(crate) fn value(&self, key: Key) -> Option<&Argument> {
        self.arguments.iter().find(|argument| argument.key == key)
    }
}

fn value_of(
    key: Key,
    key_span: Span,
    input: ParseStream<'_>,
    faults: &mut Faults,
) -> syn::Result<Value> {
    if input.is_empty() || input.peek(Token![,]) {
        return Err(errors::missing_value(key_span, key));
    }
    if !input.peek(Token![=]) {
        return Err(errors::missing_equals(&input.parse::<TokenTree>()?, key));
    }
    let equals = input.parse::<Token![=]>()?;
    if input.is_empty() || input.peek(Token![,]) {
        return Err(errors::missing_value(equals.span, key));
    }
    Value::read(key, key_span, input, faults)
}
