//! The text of an error or a panic as it is kept and reported: bounded, whatever user code does.
//!
//! `Display` and `source` are user code. A text may be endless, and sources may form a cycle. So a
//! text is truncated while it is being written, and at most [`MAX_SOURCES`] sources are read.

use std::error::Error;
use std::fmt;
use std::ops::Range;

use crate::service::permanent::is_permanent;
use crate::sys::panics::{self, Panic};
use crate::text::bounded_text::{BoundedText, bounded};

/// The longest text of an error with its sources, or of a panic with its place, in bytes.
pub(crate) const LONGEST: usize = 16 * 1024;

/// The longest backtrace, in bytes. It follows the text of a panic, and does not count towards
/// [`LONGEST`].
const LONGEST_BACKTRACE: usize = 32 * 1024;

/// How many sources of an error are read.
const MAX_SOURCES: usize = 32;

/// The line between the text of a panic and its backtrace, as the standard library prints it.
const BACKTRACE: &str = "\nstack backtrace:\n";

/// The text of an error and of its sources, each text once.
#[derive(Debug)]
pub(crate) struct ErrorText {
    text: BoundedText,
    /// The position of each error in `text`; errors that were left out have none.
    links: Vec<Range<usize>>,
    /// The text of the previous error of the chain.
    previous: String,
    is_permanent: bool,
}

impl ErrorText {
    pub(crate) fn new() -> Self {
        Self {
            text: BoundedText::new(LONGEST),
            links: Vec::new(),
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
            // After the text was read: a wrapper may store what it prints first. If it panics now, its
            // text is already known, or reading that has panicked as well.
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
        let mut text = BoundedText::new(LONGEST);
        text.push(error);
        // Many errors repeat their source in their own text, and sources may lead back to an error
        // that was read before.
        let own = text.as_str();
        let is_known = self.previous.contains(own)
            || self.links.iter().any(|link| &self.text.as_str()[link.clone()] == own);
        if !is_known {
            self.push(own);
        }
        if text.is_truncated() {
            self.text.truncate();
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
        self.links.push(start..self.text.as_str().len());
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
    text.push_str(&bounded(LONGEST_BACKTRACE, backtrace));
}

/// The text of a crash without its backtrace, which is long and depends on the environment.
pub(crate) fn without_backtrace(crash: &str) -> &str {
    crash.split_once(BACKTRACE).map_or(crash, |(text, _)| text)
}

#[cfg(test)]
mod tests;
