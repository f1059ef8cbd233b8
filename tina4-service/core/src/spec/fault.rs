//! One thing that is wrong with the settings of a service.

use std::error::Error;
use std::fmt;

use crate::Key;

/// What is wrong with the settings of a service, and what to do.
///
/// Its text is `problem; remedy`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The key at fault.
    pub key: Key,
    /// The other key, if two do not go together.
    pub also: Option<Key>,
    /// Whether the value is wrong, or the key should not be there at all.
    pub of_value: bool,
    message: String,
}

impl Fault {
    /// A value that its key does not accept.
    pub(crate) fn value(key: Key, message: impl Into<String>) -> Self {
        Self { key, also: None, of_value: true, message: message.into() }
    }

    /// A key that has no business here.
    pub(crate) fn key(key: Key, message: impl Into<String>) -> Self {
        Self { of_value: false, ..Self::value(key, message) }
    }

    /// The same, because of another key.
    pub(crate) fn with(self, also: Key) -> Self {
        Self { also: Some(also), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {}
