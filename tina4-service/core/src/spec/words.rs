//! What is wrong with a word or a number, as the attribute and the deployment say it.

use std::fmt::Display;

use crate::Key;
use crate::nearest::nearest;

/// The problem of a word that is none of those that the key takes.
///
/// ```
/// use tina4_service_core::{Key, Restart, unknown_word};
///
/// assert_eq!(
///     unknown_word(Key::Restart, "on_failure", Restart::ALL, Restart::as_str),
///     "unknown value `\"on_failure\"` for `restart`; did you mean `\"on-failure\"`?",
/// );
/// ```
pub fn unknown_word<T: Copy, const N: usize>(
    key: Key,
    word: &str,
    all: [T; N],
    text: fn(T) -> &'static str,
) -> String {
    let remedy = match nearest(word, all, text) {
        Some(meant) => format!("did you mean `\"{}\"`?", text(meant)),
        None => format!("use {}", list(&all.map(text))),
    };
    format!("unknown value `\"{}\"` for `{key}`; {remedy}", word.escape_debug())
}

/// The words in quotation marks: `"a"`, `"b"` or `"c"`.
fn list(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
    match quoted.as_slice() {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        all => all.join(", "),
    }
}

/// The problem of a number below zero.
#[must_use]
pub fn negative_count(key: Key) -> String {
    let remedy = if key == Key::MaxRestarts {
        "use `0` to fail at the first crash, or remove `max_restarts` for no limit"
    } else {
        "use at least `1`"
    };
    format!("`{key}` cannot be negative; {remedy}")
}

/// The problem of a number that does not fit.
pub fn count_too_large(key: Key, found: impl Display) -> String {
    let most = u32::MAX;
    let or = if key == Key::MaxRestarts { ", or remove `max_restarts` for no limit" } else { "" };
    format!("`{key}` of `{found}` is too large; use at most `{most}`{or}")
}
