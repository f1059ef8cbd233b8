//! Parts of a cron expression, each of which knows its place.

use std::ops::Range;

/// A part of the expression, and where it begins there.
#[derive(Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl<'a> Part<'a> {
    pub(super) fn span(self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// What stands before and after the first `sign`.
    pub(super) fn split_once(self, sign: char) -> Option<(Self, Self)> {
        let (before, after) = self.text.split_once(sign)?;
        let start = self.start + before.len() + sign.len_utf8();
        Some((Self { text: before, start: self.start }, Self { text: after, start }))
    }

    pub(super) fn split(self, is_border: fn(char) -> bool) -> impl Iterator<Item = Self> {
        let mut start = self.start;
        self.text.split(is_border).map(move |text| {
            let part = Self { text, start };
            // The border is one ASCII character.
            start += text.len() + 1;
            part
        })
    }

    /// Without its last character, if that is `letter` in either case.
    pub(super) fn strip(self, letter: char) -> Option<Self> {
        let text = self.text.strip_suffix([letter, letter.to_ascii_lowercase()])?;
        Some(Self { text, ..self })
    }

    pub(super) fn is(self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

/// A part that is wrong, and why.
pub(super) struct PartError {
    pub(super) span: Range<usize>,
    pub(super) message: String,
}

pub(super) fn reject<T>(part: Part<'_>, message: impl Into<String>) -> Result<T, PartError> {
    Err(PartError { span: part.span(), message: message.into() })
}
