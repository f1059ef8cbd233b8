//! Reads the value of one key, as the kind of value that the key takes.

use std::time::Duration;

use proc_macro2::{Span, TokenStream, TokenTree};
use syn::parse::{Parse, ParseStream};
use syn::{LitBool, LitInt, LitStr, Path, Token, bracketed, token};
use tina4_service_core::{
    Anchor, Cron, Key, OnTimeout, Ready, Restart, Setting, Timezone, count_too_large, duration,
    name, negative_count, unknown_word,
};

use crate::dependency::Dependency;
use crate::diagnostics::Diagnostics;
use crate::errors;
use crate::keywords;
use crate::tokens::{path_text, skip_to_comma};
use crate::value_kind::ValueKind;

/// The value of a key.
pub(crate) enum Value {
    /// The value of a key that the core crate checks.
    Setting(Setting),
    /// The value of `name`.
    Name(String),
    /// The value of `after`.
    After(Vec<Dependency>),
    /// The value of `requires`.
    Requires(Vec<Dependency>),
    /// The value of `on_stop`.
    OnStop(Path),
    /// The value of `tags`.
    Tags(Vec<LitStr>),
    /// The value of `queue`.
    Queue(Path),
    /// The value of `on_dead`.
    OnDead(Path),
    /// The value of `crate`.
    Crate(Path),
}

impl Value {
    /// Reads the value of `key`. Faults in list entries go to `diagnostics`, so that the remaining
    /// entries are checked too.
    pub(crate) fn read(
        key: Key,
        key_span: Span,
        input: ParseStream<'_>,
        diagnostics: &mut Diagnostics,
    ) -> syn::Result<Self> {
        if let Some((feature, false)) = ValueKind::feature_of(key) {
            return Err(errors::needs_feature(key_span, key, feature));
        }
        let setting = match ValueKind::of(key) {
            ValueKind::Name => return read_name(input).map(Self::Name),
            ValueKind::Tags => {
                let tag = |input: ParseStream<'_>| read_literal::<LitStr>(Key::Tags, input);
                return read_list(key, input, diagnostics, tag).map(Self::Tags);
            }
            ValueKind::Services => {
                let services = read_list(key, input, diagnostics, |input| {
                    if input.peek(LitStr) {
                        input.parse().map(Dependency::Name)
                    } else {
                        read_path(key, input).map(Dependency::Function)
                    }
                })?;
                let is_required = key == Key::Requires;
                return Ok(if is_required {
                    Self::Requires(services)
                } else {
                    Self::After(services)
                });
            }
            ValueKind::OnStop => return read_path(key, input).map(Self::OnStop),
            ValueKind::Queue => return read_path(key, input).map(Self::Queue),
            ValueKind::OnDead => return read_path(key, input).map(Self::OnDead),
            ValueKind::Crate => return read_path(key, input).map(Self::Crate),
            ValueKind::Cron => Setting::Cron(read_cron(input)?),
            ValueKind::Timezone => Setting::Timezone(read_timezone(input)?),
            ValueKind::Anchor => Setting::Anchor(read_anchor(input)?),
            ValueKind::Restart => Setting::Restart(read_restart(input)?),
            ValueKind::Ready => Setting::Ready(read_ready(input)?),
            ValueKind::OnTimeout => Setting::OnTimeout(read_on_timeout(input)?),
            ValueKind::Duration(setting) => setting(read_duration(key, input)?),
            ValueKind::Count(setting) => setting(read_count(key, input)?),
            ValueKind::Bool(setting) => setting(read_bool(key, input)?),
        };
        Ok(Self::Setting(setting))
    }
}

fn read_name(input: ParseStream<'_>) -> syn::Result<String> {
    let literal = read_literal::<LitStr>(Key::Name, input)?;
    let text = literal.value();
    name::check(&text).map_err(|error| errors::spanned(&literal, error))?;
    Ok(text)
}

fn read_duration(key: Key, input: ParseStream<'_>) -> syn::Result<Duration> {
    let literal = read_literal::<LitStr>(key, input)?;
    duration::parse(&literal.value()).map_err(|error| errors::spanned(&literal, error))
}

fn read_cron(input: ParseStream<'_>) -> syn::Result<Cron> {
    let literal = read_literal::<LitStr>(Key::Cron, input)?;
    Cron::parse(&literal.value()).map_err(|error| errors::cron(&literal, &error))
}

fn read_timezone(input: ParseStream<'_>) -> syn::Result<Timezone> {
    let literal = read_literal::<LitStr>(Key::Timezone, input)?;
    Timezone::parse(&literal.value()).map_err(|error| errors::spanned(&literal, error))
}

fn read_anchor(input: ParseStream<'_>) -> syn::Result<Anchor> {
    let literal = read_literal::<LitStr>(Key::Anchor, input)?;
    Anchor::parse(&literal.value()).map_err(|error| errors::spanned(&literal, error))
}

fn read_restart(input: ParseStream<'_>) -> syn::Result<Restart> {
    let literal = read_literal::<LitStr>(Key::Restart, input)?;
    let word = literal.value();
    Restart::from_word(&word).ok_or_else(|| {
        let problem = unknown_word(Key::Restart, &word, Restart::ALL, Restart::as_str);
        errors::spanned(&literal, problem)
    })
}

fn read_ready(input: ParseStream<'_>) -> syn::Result<Ready> {
    let literal = read_literal::<LitStr>(Key::Ready, input)?;
    let word = literal.value();
    Ready::from_word(&word).ok_or_else(|| {
        let problem = unknown_word(Key::Ready, &word, Ready::ALL, Ready::as_str);
        errors::spanned(&literal, problem)
    })
}

fn read_on_timeout(input: ParseStream<'_>) -> syn::Result<OnTimeout> {
    let literal = read_literal::<LitStr>(Key::OnTimeout, input)?;
    let word = literal.value();
    OnTimeout::from_word(&word).ok_or_else(|| {
        let problem = unknown_word(Key::OnTimeout, &word, OnTimeout::ALL, OnTimeout::as_str);
        errors::spanned(&literal, problem)
    })
}

/// Reads a literal of type `T`.
fn read_literal<T: Parse>(key: Key, input: ParseStream<'_>) -> syn::Result<T> {
    // syn consumes a literal of another type before it refuses it.
    let start = input.fork();
    match input.parse() {
        Ok(literal) => Ok(literal),
        Err(_) => Err(errors::wrong_kind(key, &start.parse()?)),
    }
}

fn read_count(key: Key, input: ParseStream<'_>) -> syn::Result<u32> {
    if input.peek(Token![-]) && input.peek2(LitInt) {
        let (minus, number) = (input.parse::<TokenTree>()?, input.parse::<TokenTree>()?);
        let tokens = TokenStream::from_iter([minus, number]);
        return Err(errors::spanned(tokens, negative_count(key)));
    }
    let literal: LitInt = read_literal(key, input)?;
    if !matches!(literal.suffix(), "" | "u32") {
        return Err(errors::suffix(key, &literal));
    }
    // The literal is a whole number, so it can only be too large.
    literal.base10_parse().map_err(|_| errors::spanned(&literal, count_too_large(key, &literal)))
}

fn read_bool(key: Key, input: ParseStream<'_>) -> syn::Result<bool> {
    read_literal::<LitBool>(key, input).map(|literal| literal.value)
}

fn read_path(key: Key, input: ParseStream<'_>) -> syn::Result<Path> {
    let start = input.fork();
    // A hook may be a generic function, if its type arguments are given.
    let Ok(path) = keywords::parse_path(input, matches!(key, Key::OnStop | Key::OnDead)) else {
        // Report the token that cannot be part of a path, not the segments before it.
        let rest = if input.is_empty() || input.peek(Token![,]) { start } else { input.fork() };
        return Err(errors::wrong_kind(key, &rest.parse()?));
    };
    if input.peek(token::Paren) {
        return Err(errors::call_instead_of_path(key, &path, &input.parse()?));
    }
    Ok(path)
}

/// Reads a list in brackets.
fn read_list<T>(
    key: Key,
    input: ParseStream<'_>,
    diagnostics: &mut Diagnostics,
    read_entry: impl Fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<Vec<T>> {
    if !input.peek(token::Bracket) {
        return Err(missing_brackets(key, input)?);
    }
    let content;
    bracketed!(content in input);
    let mut entries = Vec::new();
    while !content.is_empty() {
        let entry = read_entry(&content);
        let faulty = entry.is_err();
        match entry {
            Ok(entry) => entries.push(entry),
            Err(error) => diagnostics.push(error),
        }
        if content.is_empty() || content.parse::<Token![,]>().is_ok() {
            continue;
        }
        // One fault per entry is enough.
        if !faulty {
            diagnostics.push(errors::missing_comma_in_list(key, &content.fork().parse()?));
        }
        skip_to_comma(&content);
        content.parse::<Option<Token![,]>>()?;
    }
    Ok(entries)
}

/// The error about a list without brackets. If its value would be a valid entry, the remedy puts it in
/// brackets.
fn missing_brackets(key: Key, input: ParseStream<'_>) -> syn::Result<syn::Error> {
    let start = input.fork();
    let is_path = key != Key::Tags;
    if is_path && let Ok(path) = keywords::parse_path(input, false) {
        return Ok(errors::not_a_list(key, &path, &path_text(&path)));
    }
    let found: TokenTree = start.parse()?;
    let text = found.to_string();
    let example = if is_path { "migrations" } else { "\"mail\"" };
    Ok(errors::not_a_list(key, &found, if text.starts_with('"') { &text } else { example }))
}
