//! The text of an event.

use std::fmt;

use tracing::Event;
use tracing::field::{Field, Visit};

use crate::text::bounded_text::BoundedText;

/// The longest text that is kept of one event, in bytes.
pub(super) const MAX_BYTES: usize = 2 * 1024;

/// The longest text that is redacted, in bytes. Much longer than what is kept: half of a secret may not look like one.
pub(super) const MAX_UNREDACTED_BYTES: usize = 64 * 1024;

/// The message of an event and its fields, in one line of at most `limit` bytes.
pub(super) fn text_of(event: &Event<'_>, limit: usize) -> String {
    let mut text = Text(BoundedText::new(limit));
    event.record(&mut text);
    text.0.finish()
}

struct Text(BoundedText);

impl Text {
    fn add(&mut self, field: &Field, value: impl fmt::Display) {
        let space = if self.0.as_str().is_empty() { "" } else { " " };
        match field.name() {
            "message" => self.0.push(format_args!("{space}{value}")),
            name => self.0.push(format_args!("{space}{name}={value}")),
        }
    }
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.add(field, format_args!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.add(field, value);
        } else {
            self.record_debug(field, &value);
        }
    }
}
