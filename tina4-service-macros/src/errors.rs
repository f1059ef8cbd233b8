//! Every message that the macro words itself, as a named constructor, so that they can be read side
//! by side. The core crate words those about values and about combinations of keys.
//!
//! A message is `problem; remedy`: lowercase, backticks round code, no full stop, and it names both
//! the value found and the values allowed. Messages about types come from rustc; the runtime crate words
//! them with `#[diagnostic::on_unimplemented]`.

use std::fmt::Display;

use proc_macro2::{Delimiter, Span, TokenTree};
use quote::ToTokens;
use syn::{Error, Ident, LitInt, LitStr, Path};
use tina4_service_core::{CronError, Key, OnTimeout, Ready, Restart, nearest};

use crate::tokens::path_text;
use crate::value_kind::ValueKind;

mod function;

pub(crate) use self::function::*;

/// An error at these tokens; the message can be anything that implements `Display`.
pub(crate) fn spanned(tokens: impl ToTokens, message: impl Display) -> Error {
    Error::new_spanned(tokens, message)
}

// Keys

pub(crate) fn not_a_key(found: &TokenTree) -> Error {
    let shown = show(found);
    spanned(
        found,
        format!("expected a key, found {shown}; write `key = value`, such as `interval = \"30s\"`"),
    )
}

/// The key that was probably meant.
pub(crate) fn nearest_key(written: &str) -> Option<Key> {
    if let Some((_, key)) = SYNONYMS.iter().find(|(name, _)| *name == written) {
        return Some(*key);
    }
    nearest(written, Key::ALL, Key::as_str)
}

/// Names of keys in other systems.
const SYNONYMS: [(&str, Key); 8] = [
    ("every", Key::Interval),
    ("period", Key::Interval),
    ("schedule", Key::Cron),
    ("tz", Key::Timezone),
    ("retries", Key::MaxRestarts),
    ("depends_on", Key::After),
    ("shutdown", Key::OnStop),
    ("enabled", Key::Autostart),
];

pub(crate) fn unknown_key(span: Span, written: &str) -> Error {
    let remedy = match nearest_key(written) {
        Some(key) => format!("did you mean `{key}`?"),
        None => format!("the keys are {}", join(Key::ALL.map(Key::as_str))),
    };
    Error::new(span, format!("unknown key `{written}`; {remedy}"))
}

pub(crate) fn duplicate_key(span: Span, key: Key) -> Error {
    Error::new(span, format!("`{key}` is given more than once; keep one"))
}

pub(crate) fn needs_feature(span: Span, key: Key, feature: &str) -> Error {
    Error::new(
        span,
        format!(
            "`{key}` needs the feature `{feature}` of tina4-service, which is turned off; add `features = [\"{feature}\"]` to `tina4-service` in Cargo.toml"
        ),
    )
}

// Values

pub(crate) fn missing_value(span: Span, key: Key) -> Error {
    let example = example(key);
    Error::new(span, format!("`{key}` has no value; write `{key} = {example}`"))
}

pub(crate) fn missing_equals(found: &TokenTree, key: Key) -> Error {
    let (shown, example) = (show(found), example(key));
    spanned(found, format!("expected `=` after `{key}`, found {shown}; write `{key} = {example}`"))
}

pub(crate) fn missing_comma(key: Key, found: &TokenTree) -> Error {
    let shown = show(found);
    spanned(
        found,
        format!(
            "expected `,` after the value of `{key}`, found {shown}; separate arguments with commas"
        ),
    )
}

pub(crate) fn wrong_kind(key: Key, found: &TokenTree) -> Error {
    let (wanted, shown) = (kind(key), show(found));
    let example = corrected(key, found).unwrap_or_else(|| example(key).to_owned());
    spanned(found, format!("expected {wanted}, found {shown}; write `{key} = {example}`"))
}

/// The kind of value that a key takes, in words.
fn kind(key: Key) -> &'static str {
    match ValueKind::of(key) {
        ValueKind::Name => "a name as a string",
        ValueKind::Duration(_) => "a duration as a string",
        ValueKind::Restart => "`\"on-failure\"`, `\"always\"` or `\"never\"`",
        ValueKind::OnTimeout => "`\"report\"` or `\"cancel\"`",
        ValueKind::Count(_) => "a whole number",
        ValueKind::Bool(_) => "`true` or `false`",
        ValueKind::Services => "the path of a service function or a name as a string",
        ValueKind::Ready => "`\"started\"`, `\"finished\"` or `\"notified\"`",
        ValueKind::Tags => "a tag as a string",
        ValueKind::OnStop | ValueKind::OnDead => "the path of a function",
        ValueKind::Queue => "the path of a constant of type `Queue<T>`",
        ValueKind::Crate => "the path of a crate or module",
        ValueKind::Cron => "a cron expression as a string",
        ValueKind::Timezone => "a time zone as a string",
        ValueKind::Anchor => "a date and time as a string",
    }
}

/// A valid value of a key.
fn example(key: Key) -> &'static str {
    match ValueKind::of(key) {
        ValueKind::Name => "\"heartbeat\"",
        ValueKind::Duration(_) => "\"30s\"",
        ValueKind::Restart => "\"never\"",
        ValueKind::OnTimeout => "\"cancel\"",
        ValueKind::Count(_) => "5",
        ValueKind::Bool(_) if key == Key::Autostart => "false",
        ValueKind::Bool(_) => "true",
        ValueKind::Services => "[migrations]",
        ValueKind::Ready => "\"notified\"",
        ValueKind::OnStop => "flush",
        ValueKind::Tags => "[\"mail\"]",
        ValueKind::OnDead => "report",
        ValueKind::Queue => "EMAILS",
        ValueKind::Crate => "facade::tina4_service",
        ValueKind::Cron => "\"0 8 * * *\"",
        ValueKind::Timezone => "\"Europe/Berlin\"",
        ValueKind::Anchor => "\"2026-01-02 09:00\"",
    }
}

/// A valid value for `key` with the meaning of `found`, if `found` is only written in the wrong
/// form.
fn corrected(key: Key, found: &TokenTree) -> Option<String> {
    let text = found.to_string();
    let inner = || syn::parse_str::<LitStr>(&text).map(|literal| literal.value()).ok();
    match ValueKind::of(key) {
        ValueKind::Name => matches!(found, TokenTree::Ident(_)).then(|| format!("\"{text}\"")),
        ValueKind::Duration(_) => {
            let number = syn::parse_str::<LitInt>(&text).ok()?;
            number.suffix().is_empty().then(|| format!("\"{}s\"", number.base10_digits()))
        }
        ValueKind::Restart => Restart::from_word(&text).map(|word| format!("\"{word}\"")),
        ValueKind::OnTimeout => OnTimeout::from_word(&text).map(|word| format!("\"{word}\"")),
        ValueKind::Count(_) => inner().filter(|inner| inner.parse::<u32>().is_ok()),
        ValueKind::Bool(_) => inner().filter(|inner| inner == "true" || inner == "false"),
        ValueKind::OnStop | ValueKind::OnDead | ValueKind::Crate => inner()
            .filter(|inner| syn::parse_str::<Path>(inner).is_ok())
            .or_else(|| raw_identifier(found)),
        ValueKind::Services => raw_identifier(found).map(|name| format!("[{name}]")),
        ValueKind::Tags => matches!(found, TokenTree::Ident(_)).then(|| format!("[\"{text}\"]")),
        ValueKind::Ready => Ready::from_word(&text).map(|word| format!("\"{word}\"")),
        ValueKind::Queue => raw_identifier(found),
        ValueKind::Cron | ValueKind::Timezone | ValueKind::Anchor => None,
    }
}

/// The raw identifier of a keyword, unless the keyword is a value.
fn raw_identifier(found: &TokenTree) -> Option<String> {
    let TokenTree::Ident(keyword) = found else {
        return None;
    };
    let raw = format!("r#{keyword}");
    let is_name = |text: &str| syn::parse_str::<Ident>(text).is_ok();
    let is_value = keyword == "true" || keyword == "false";
    (!is_value && !is_name(&keyword.to_string()) && is_name(&raw)).then_some(raw)
}

/// An error in a cron expression, located at the faulty part if the compiler can do that. Stable
/// compilers cannot, so the message also shows the part.
pub(crate) fn cron(literal: &LitStr, error: &CronError) -> Error {
    let token = literal.token();
    let is_plain = token.to_string() == format!("\"{}\"", literal.value());
    // The opening quotation mark comes first.
    let inside = error.span().start + 1..error.span().end + 1;
    let part = if is_plain { token.subspan(inside) } else { None };
    Error::new(part.unwrap_or(literal.span()), format!("{error:#}"))
}

pub(crate) fn suffix(key: Key, literal: &LitInt) -> Error {
    let (suffix, digits) = (literal.suffix(), literal.base10_digits());
    spanned(
        literal,
        format!(
            "`{key}` takes a plain whole number, found the suffix `{suffix}`; write `{key} = {digits}`"
        ),
    )
}

pub(crate) fn call_instead_of_path(key: Key, path: &Path, call: &TokenTree) -> Error {
    let text = path_text(path);
    if key == Key::Queue {
        let message = "expected the path of a constant, found a call; declare it with `const EMAILS: Queue<Email> = Queue::new(\"emails\");` and write `queue = EMAILS`";
        return spanned(call, message);
    }
    spanned(
        call,
        format!(
            "expected the path of a function, found a call; write `{text}` without parentheses"
        ),
    )
}

// Lists

pub(crate) fn not_a_list(key: Key, found: impl ToTokens, entry: &str) -> Error {
    spanned(found, format!("`{key}` takes a list in brackets; write `{key} = [{entry}]`"))
}

pub(crate) fn missing_comma_in_list(key: Key, found: &TokenTree) -> Error {
    let shown = show(found);
    let entries = if key == Key::Tags { "tags" } else { "services" };
    spanned(
        found,
        format!(
            "expected `,` in the list of `{key}`, found {shown}; separate {entries} with commas"
        ),
    )
}

pub(crate) fn depends_on_itself(key: Key, entry: impl ToTokens, name: &str) -> Error {
    let verb = if key == Key::Requires { "require" } else { "come after" };
    spanned(entry, format!("`{name}` cannot {verb} itself; name another service or remove it"))
}

pub(crate) fn duplicate_entry(key: Key, entry: impl ToTokens, text: &str) -> Error {
    spanned(entry, format!("`{text}` is in `{key}` more than once; keep one"))
}

pub(crate) fn required_and_after(entry: impl ToTokens, text: &str) -> Error {
    spanned(
        entry,
        format!(
            "`{text}` is in `requires` already, which includes what `after` does; remove it from `after`"
        ),
    )
}

// Parts of messages

/// A token as messages show it.
fn show(found: &TokenTree) -> String {
    match found {
        TokenTree::Group(group) => match group.delimiter() {
            Delimiter::Parenthesis => "`(..)`".to_owned(),
            Delimiter::Brace => "`{..}`".to_owned(),
            Delimiter::Bracket => "`[..]`".to_owned(),
            Delimiter::None => format!("`{}`", group.stream()),
        },
        TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => format!("`{found}`"),
    }
}

/// Code words, separated by commas.
fn join<const N: usize>(words: [&str; N]) -> String {
    words.map(|word| format!("`{word}`")).join(", ")
}

#[cfg(test)]
mod tests;
