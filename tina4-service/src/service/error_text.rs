//! The text of an error or a panic, as stored and reported. Its length is bounded, even if user code
//! misbehaves.
//!
//! `Display` and `source` are user code: the output may be endless, and sources may form a cycle. So the
//! output is truncated while it is being written, and at most [`MAX_SOURCES`] sources are read.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::service::permanent::is_permanent;
use crate::sys::panics::{self, Panic};
use crate::text::bounded_text::{BoundedText, bounded};

/// The maximum length of the text of an error with its sources, or of a panic with its place.
pub(crate) const MAX_TEXT_BYTES: usize = 16 * 1024;

/// The maximum length of a backtrace. It follows the text of a panic, and does not count towards
/// [`MAX_TEXT_BYTES`].
const MAX_BACKTRACE_BYTES: usize = 32 * 1024;

/// The maximum number of sources of an error that are read.
const MAX_SOURCES: usize = 32;

/// The line between the text of a panic and its backtrace, as the standard library prints it.
const BACKTRACE: &str = "\nstack backtrace:\n";

/// The texts of an error and of its sources, without repetitions.
#[derive(Debug)]
pub(crate) struct ErrorText {
    text: BoundedText,
    /// The position of each error in `text`; errors that were left out have none.
    positions: Vec<Range<usize>>,
    /// The text of the previous error of the chain.
    previous: String,
    is_permanent: bool,
}

impl ErrorText {
    pub(crate) fn new() -> Self {
        Self {
            text: BoundedText::new(MAX_TEXT_BYTES),
            positions: Vec::new(),
            previous: String::new(),
            is_permanent: false,
        }
    }

    /// Reads an error and its sources. If one of them panics, the text ends with that panic, and the
    /// panic is returned.
    pub(crate) fn read(&mut self, error: &(dyn Error + 'static)) -> Option<Box<Panic>> {
        let mut next = Some(error);
        for _ in 0..=MAX_SOURCES {
            let error = next?;
            let added = panics::catch(|| self.add(error));
            // Only after the text has been read, because a wrapper may store the first text that it
            // prints. A panic here loses nothing: the text is known already, or reading it panicked
            // too.
            self.is_permanent =
                self.is_permanent || panics::catch(|| is_permanent(error)).unwrap_or(false);
            match added.and_then(|()| panics::catch(|| error.source())) {
                Ok(source) => next = source,
                Err(panic) => {
                    self.push(&panic);
                    return Some(panic);
                }
            }
        }
        if next.is_some() {
            self.text.push(format_args!(" [more than {MAX_SOURCES} sources]"));
        }
        None
    }

    fn add(&mut self, error: &(dyn Error + 'static)) {
        let mut text = BoundedText::new(MAX_TEXT_BYTES);
        text.push(error);
        // Many errors repeat their source in their own text, and in a cycle of sources an error is read
        // more than once.
        let own = text.as_str();
        let is_known = self.previous.contains(own)
            || self.positions.iter().any(|position| &self.text.as_str()[position.clone()] == own);
        if !is_known {
            self.push(own);
        }
        if text.is_truncated() {
            self.text.mark_truncated();
        }
        self.previous = own.to_owned();
    }

    /// Appends the next error of the chain, or the panic that ended the chain.
    fn push(&mut self, value: impl fmt::Display) {
        if !self.text.as_str().is_empty() {
            self.text.push(": ");
        }
        let start = self.text.as_str().len();
        self.text.push(value);
        self.positions.push(start..self.text.as_str().len());
    }

    /// Whether one of the errors read is a [`Permanent`](crate::Permanent).
    pub(crate) fn is_permanent(&self) -> bool {
        self.is_permanent
    }

    pub(crate) fn finish(self) -> String {
        self.text.finish()
    }
}

/// Appends a backtrace to the text of a panic.
pub(crate) fn add_backtrace(text: &mut String, backtrace: impl fmt::Display) {
    text.push_str(BACKTRACE);
    text.push_str(&bounded(MAX_BACKTRACE_BYTES, backtrace));
}

/// The text of a crash without its backtrace, which is long and depends on the environment.
pub(crate) fn without_backtrace(crash: &str) -> &str {
    crash.split_once(BACKTRACE).map_or(crash, |(text, _)| text)
}

#[cfg(test)]
mod tests;
