//! Strings that are truncated while they are being written, so that endless output exhausts neither
//! time nor memory.

use std::fmt::{self, Write};

/// Bytes reserved for the note about the truncation, and for a prefix that the caller may add.
const RESERVED: usize = 64;

/// A string with a maximum length in bytes.
#[derive(Debug)]
pub(crate) struct BoundedText {
    text: String,
    limit: usize,
    is_truncated: bool,
}

impl BoundedText {
    /// An empty string; its maximum length of `limit` bytes includes the note.
    pub(crate) fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, is_truncated: false }
    }

    /// Appends a value. Its `Display` gets an error once the limit is reached.
    pub(crate) fn push(&mut self, value: impl fmt::Display) {
        if write!(self, "{value}").is_err() && !self.is_truncated {
            let _ = self.write_str(" [its `Display` failed]");
        }
    }

    /// The text that has been written so far.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the text was truncated. Nothing is appended after that.
    pub(crate) fn is_truncated(&self) -> bool {
        self.is_truncated
    }

    /// Marks the text as truncated, although it fitted.
    pub(crate) fn mark_truncated(&mut self) {
        self.is_truncated = true;
    }

    /// The text, with a note if it was truncated.
    pub(crate) fn finish(mut self) -> String {
        if self.is_truncated {
            let _ = write!(self.text, " [cut off at {} KiB]", self.limit / 1024);
        }
        self.text
    }
}

impl Write for BoundedText {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.is_truncated {
            return Err(fmt::Error);
        }
        let room = self.limit.saturating_sub(RESERVED + self.text.len());
        self.is_truncated = text.len() > room;
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        if self.is_truncated { Err(fmt::Error) } else { Ok(()) }
    }
}

/// Converts a value to a string of at most `limit` bytes.
pub(crate) fn bounded(limit: usize, value: impl fmt::Display) -> String {
    let mut text = BoundedText::new(limit);
    text.push(value);
    text.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 2 * 1024;

    /// Writes its piece until it gets an error.
    struct Endless(&'static str);

    impl fmt::Display for Endless {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                f.write_str(self.0)?;
            }
        }
    }

    #[test]
    fn rule_25_a_text_is_truncated_at_its_limit_between_two_characters() {
        for piece in ["a", "ä", "€", "🚀", "a🚀"] {
            let text = bounded(LIMIT, Endless(piece));
            assert!((LIMIT - RESERVED - 4..=LIMIT).contains(&text.len()), "{}", text.len());
            let kept = text.strip_suffix(" [cut off at 2 KiB]").unwrap();
            assert!(piece.repeat(LIMIT).starts_with(kept));
        }
        // Written in one piece.
        let text = bounded(LIMIT, "€".repeat(1_000_000));
        assert_eq!(text, bounded(LIMIT, Endless("€")));
    }

    #[test]
    fn a_text_that_fits_is_not_truncated() {
        for length in [0, 1, LIMIT - RESERVED] {
            let text = "x".repeat(length);
            assert_eq!(bounded(LIMIT, &text), text);
        }
        assert!(bounded(LIMIT, "x".repeat(LIMIT - RESERVED + 1)).ends_with("KiB]"));
    }

    #[test]
    fn a_failing_display_is_noted_in_the_text() {
        struct Half;
        impl fmt::Display for Half {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("half")?;
                Err(fmt::Error)
            }
        }
        assert_eq!(bounded(LIMIT, Half), "half [its `Display` failed]");
    }
}
