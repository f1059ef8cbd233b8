//! Slices of a cron expression that keep their position, for the spans of errors.

use std::ops::Range;

/// A slice of the expression, and the byte offset at which it starts.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl<'a> Part<'a> {
    pub(super) fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// The parts before and after the first `separator`.
    pub(super) fn split_once(self, separator: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(separator)?;
        let start = self.start + before.len() + separator.len_utf8();
        Some((Self { text: before, start: self.start }, Self { text: after, start }))
    }

    pub(super) fn split(self, is_separator: fn(char) -> bool) -> impl Iterator<Item = Self> {
        let mut start = self.start;
        self.text.split(is_separator).map(move |text| {
            let part = Self { text, start };
            // The separator is one ASCII character.
            start += text.len() + 1;
            part
        })
    }

    /// The part without its last character, if that is `letter` (an uppercase letter) or its
    /// lowercase form.
    pub(super) fn strip(self, letter: char) -> Option<Self> {
        let text = self.text.strip_suffix([letter, letter.to_ascii_lowercase()])?;
        Some(Self { text, ..self })
    }

    pub(super) fn eq_ignore_case(self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// Which part is wrong, and why.
pub(super) struct PartError {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

pub(super) fn reject<T>(part: Part<'_>, message: impl Into<String>) -> Result<T, PartError> {
    Err(PartError { span: part.span(), message: message.into() })
}
