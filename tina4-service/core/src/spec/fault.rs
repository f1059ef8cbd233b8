//! A fault in the settings of a service.

use std::error::Error;
use std::fmt;

use crate::Key;

/// An invalid setting, and how to correct it.
///
/// Its text has the form `problem; remedy`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The key at fault.
    pub key: Key,
    /// The key it conflicts with, or depends on, if any.
    pub related_key: Option<Key>,
    /// Whether the value is at fault; if not, the key is, whatever its value.
    pub is_in_value: bool,
    message: String,
}

impl Fault {
    /// A value that its key does not accept.
    pub(crate) fn value(key: Key, message: impl Into<String>) -> Self {
        Self { key, related_key: None, is_in_value: true, message: message.into() }
    }

    /// A key that must not be set here, regardless of its value.
    pub(crate) fn key(key: Key, message: impl Into<String>) -> Self {
        Self { is_in_value: false, ..Self::value(key, message) }
    }

    /// The same fault, with the other key that causes it.
    pub(crate) fn with(self, related_key: Key) -> Self {
        Self { related_key: Some(related_key), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {}
