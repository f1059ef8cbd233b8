//! Reads the arguments of the attribute: `key = value, ..`.
//!
//! After a fault, reading resumes at the next comma, so that one build shows all faults.

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser};
use syn::{Ident, Token};
use tina4_service_core::Key;

use crate::diagnostics::Diagnostics;
use crate::errors;
use crate::tokens::{between, skip_to_comma};
use crate::value::Value;

/// The arguments, each key at most once.
#[derive(Default)]
pub(crate) struct Args {
    /// The values that could be read.
    pub(crate) values: Vec<Value>,
    /// Where each of them is written.
    pub(crate) locations: Locations,
    /// The keys whose value could not be read, and the likely meaning of unknown keys.
    pub(crate) unreadable: Vec<Key>,
}

/// Where the arguments are written, for the carets of the faults that are found later.
#[derive(Default)]
pub(crate) struct Locations(Vec<Location>);

/// Where one argument is written.
pub(crate) struct Location {
    key: Key,
    pub(crate) key_span: Span,
    pub(crate) value: TokenStream,
}

impl Locations {
    /// The location of this key, if its value could be read.
    pub(crate) fn get(&self, key: Key) -> Option<&Location> {
        self.0.iter().find(|location| location.key == key)
    }
}

impl Location {
    /// The span of the first token of the value.
    pub(crate) fn first_span(&self) -> Option<Span> {
        self.value.clone().into_iter().next().map(|token| token.span())
    }
}

impl Args {
    /// Reads all arguments that can be read.
    pub(crate) fn read(args: TokenStream, diagnostics: &mut Diagnostics) -> Self {
        let mut read = Self::default();
        let parse = |input: ParseStream<'_>| {
            while !input.is_empty() {
                if let Err(error) = read.argument(input, diagnostics) {
                    diagnostics.push(error);
                    skip_to_comma(input);
                }
                input.parse::<Option<Token![,]>>()?;
            }
            Ok(())
        };
        if let Err(error) = parse.parse2(args) {
            diagnostics.push(error);
        }
        read
    }

    /// Reads one argument, up to its comma.
    fn argument(
        &mut self,
        input: ParseStream<'_>,
        diagnostics: &mut Diagnostics,
    ) -> syn::Result<()> {
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
        let is_duplicate = self.unreadable.contains(&key) || self.locations.get(key).is_some();
        let value = equals_and_value(key, key_span, input, diagnostics);
        if is_duplicate {
            return Err(errors::duplicate_key(key_span, key));
        }
        match value {
            Ok((value, tokens)) => {
                self.values.push(value);
                self.locations.0.push(Location { key, key_span, value: tokens });
            }
            Err(error) => {
                self.unreadable.push(key);
                return Err(error);
            }
        }
        if input.is_empty() || input.peek(Token![,]) {
            return Ok(());
        }
        let next_argument = input.peek(Ident::peek_any) && input.peek2(Token![=]);
        let error = errors::missing_comma(key, &input.fork().parse()?);
        if next_argument {
            // Only the comma is missing: read on from here.
            diagnostics.push(error);
            return Ok(());
        }
        Err(error)
    }
}

/// The value of `key`, and its tokens.
fn equals_and_value(
    key: Key,
    key_span: Span,
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
) -> syn::Result<(Value, TokenStream)> {
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
    let start = input.fork();
    let value = Value::read(key, key_span, input, diagnostics)?;
    Ok((value, between(&start, input)))
}
