//! Reads the value of one key, as the kind of value this key takes.

use std::time::Duration;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{LitBool, LitInt, LitStr, Path, Token, bracketed, token};
use tina4_service_core::{Cron, Key, Restart, Timezone, duration, name};

use crate::dependency::Dependency;
use crate::errors;
use crate::faults::Faults;
use crate::keywords;
use crate::kind::Kind;
use crate::tokens::{between, path_text, skip_to_comma};

/// The value of a key, with the place where it is written.
pub(crate) struct Value {
    pub(crate) content: Content,
    /// The first and the last token.
    pub(crate) tokens: TokenStream,
}

/// What a value says.
pub(crate) enum Content {
    /// A text that is a name.
    Name(String),
    /// A text that is a duration.
    Duration(Duration),
    /// A text that is a cron expression.
    Cron(Cron),
    /// A text that may be the name of a time zone.
    Timezone(Timezone),
    /// A whole number.
    Count(u32),
    /// `true` or `false`.
    Switch(bool),
    /// One of the words of `restart`.
    Restart(Restart),
    /// A path.
    Path(Path),
    /// What a service comes after.
    List(Vec<Dependency>),
}

impl Value {
    /// Reads the value of `key`. What is wrong with an entry of a list goes to `faults`, so that the
    /// other entries are checked all the same.
    pub(crate) fn read(
        key: Key,
        key_span: Span,
        input: ParseStream<'_>,
        faults: &mut Faults,
    ) -> syn::Result<Self> {
        let start = input.fork();
        let content = match Kind::of(key) {
            Kind::Name => read_name(input)?,
            Kind::Duration => read_duration(key, input)?,
            Kind::Restart => read_restart(input)?,
            Kind::Count => read_count(key, input)?,
            Kind::Switch => read_switch(key, input)?,
            Kind::List => read_list(input, faults)?,
            Kind::Function | Kind::Module => Content::Path(read_path(key, input)?),
            Kind::Cron | Kind::Timezone if !cfg!(feature = "cron") => {
                return Err(errors::needs_feature(key_span, key));
            }
            Kind::Cron => read_cron(input)?,
            Kind::Timezone => read_timezone(input)?,
        };
        Ok(Self { content, tokens: between(&start, input) })
    }
}

fn read_name(input: ParseStream<'_>) -> syn::Result<Content> {
    let literal = read_literal::<LitStr>(Key::Name, input)?;
    let text = literal.value();
    name::check(&text).map_err(|error| errors::spanned(&literal, error))?;
    Ok(Content::Name(text))
}

fn read_duration(key: Key, input: ParseStream<'_>) -> syn::Result<Content> {
    let literal = read_literal::<LitStr>(key, input)?;
    let found =
        duration::parse(&literal.value()).map_err(|error| errors::spanned(&literal, error))?;
    Ok(Content::Duration(found))
}

fn read_cron(input: ParseStream<'_>) -> syn::Result<Content> {
    let literal = read_literal::<LitStr>(Key::Cron, input)?;
    let found = Cron::parse(&literal.value()).map_err(|error| errors::cron(&literal, &error))?;
    Ok(Content::Cron(found))
}

fn read_timezone(input: ParseStream<'_>) -> syn::Result<Content> {
    let literal = read_literal::<LitStr>(Key::Timezone, input)?;
    let found =
        Timezone::parse(&literal.value()).map_err(|error| errors::spanned(&literal, error))?;
    Ok(Content::Timezone(found))
}

fn read_restart(input: ParseStream<'_>) -> syn::Result<Content> {
    let literal = read_literal::<LitStr>(Key::Restart, input)?;
    let word = literal.value();
    let found =
        Restart::from_word(&word).ok_or_else(|| errors::unknown_restart(&literal, &word))?;
    Ok(Content::Restart(found))
}

/// A literal of the right kind.
fn read_literal<T: Parse>(key: Key, input: ParseStream<'_>) -> syn::Result<T> {
    // A literal of another kind is consumed before it is refused.
    let start = input.fork();
    match input.parse() {
        Ok(literal) => Ok(literal),
        Err(_) => Err(errors::wrong_kind(key, &start.parse()?)),
    }
}

fn read_count(key: Key, input: ParseStream<'_>) -> syn::Result<Content> {
    if input.peek(Token![-]) && input.peek2(LitInt) {
        return Err(errors::negative_count(key, &input.parse()?, &input.parse()?));
    }
    let literal: LitInt = read_literal(key, input)?;
    if !matches!(literal.suffix(), "" | "u32") {
        return Err(errors::suffix(key, &literal));
    }
    // Only the size can be wrong with a literal that is a whole number.
    literal.base10_parse().map(Content::Count).map_err(|_| errors::count_too_large(key, &literal))
}

fn read_switch(key: Key, input: ParseStream<'_>) -> syn::Result<Content> {
    let literal: LitBool = read_literal(key, input)?;
    Ok(Content::Switch(literal.value))
}

fn read_path(key: Key, input: ParseStream<'_>) -> syn::Result<Path> {
    let start = input.fork();
    // A hook may be generic, as long as it says for what.
    let Ok(path) = keywords::parse_path(input, key == Key::OnStop) else {
        // The word that is no name, rather than the names before it.
        let rest = if input.is_empty() || input.peek(Token![,]) { start } else { input.fork() };
        return Err(errors::wrong_kind(key, &rest.parse()?));
    };
    if input.peek(token::Paren) {
        return Err(errors::call_instead_of_path(&path, &input.parse()?));
    }
    Ok(path)
}

fn read_list(input: ParseStream<'_>, faults: &mut Faults) -> syn::Result<Content> {
    if !input.peek(token::Bracket) {
        return Err(bare_entry(input)?);
    }
    let content;
    bracketed!(content in input);
    let mut entries = Vec::new();
    while !content.is_empty() {
        let entry = if content.peek(LitStr) {
            content.parse().map(Dependency::Name)
        } else {
            read_path(Key::After, &content).map(Dependency::Function)
        };
        let faulty = entry.is_err();
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => faults.push(error),
        }
        if content.is_empty() || content.parse::<Token![,]>().is_ok() {
            continue;
        }
        // After a fault the rest of the entry is not worth a second one.
        if !faulty {
            faults.push(errors::after_entry(&content.fork().parse()?));
        }
        skip_to_comma(&content);
        content.parse::<Option<Token![,]>>()?;
    }
    Ok(Content::List(entries))
}

/// What to say about `after` when it is not a list: what was written may be its only entry.
fn bare_entry(input: ParseStream<'_>) -> syn::Result<syn::Error> {
    let start = input.fork();
    if let Ok(path) = keywords::parse_path(input, false) {
        return Ok(errors::not_a_list(&path, &path_text(&path)));
    }
    let found: TokenTree = start.parse()?;
    let text = found.to_string();
    Ok(errors::not_a_list(&found, if text.starts_with('"') { &text } else { "migrations" }))
}
