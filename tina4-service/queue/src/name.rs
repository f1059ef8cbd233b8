//! Validates the names of queues, also while compiling.

use std::error::Error;
use std::fmt;

/// The maximum length of the name of a queue, in characters.
pub const MAX_NAME_LEN: usize = 64;

/// The reason why a string is not the name of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// The name has this many bytes.
    TooLong(usize),
    /// The name does not start with an ASCII letter.
    Start,
    /// The character that starts at this byte is not allowed.
    Character(usize),
}

/// Checks the name of a queue: an ASCII letter, then letters, digits, `_`, `-` or `.`.
///
/// # Errors
///
/// Says what is wrong with the name.
pub(crate) const fn check(name: &str) -> Result<(), NameError> {
    let bytes = name.as_bytes();
    if bytes.is_empty() {
        return Err(NameError::Empty);
    }
    let mut at = 0;
    while at < bytes.len() {
        if !(bytes[at].is_ascii_alphanumeric() || matches!(bytes[at], b'_' | b'-' | b'.')) {
            return Err(NameError::Character(at));
        }
        at += 1;
    }
    if !bytes[0].is_ascii_alphabetic() {
        return Err(NameError::Start);
    }
    if bytes.len() > MAX_NAME_LEN {
        return Err(NameError::TooLong(bytes.len()));
    }
    Ok(())
}

impl NameError {
    /// The text for a fault that is found while compiling, where nothing can be formatted.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Empty => "the name of a queue is empty; write one such as `emails`",
            Self::TooLong(_) => {
                "the name of a queue is too long; use at most 64 ASCII letters, digits, `_`, `-` and `.`"
            }
            Self::Start => {
                "the name of a queue starts with another character; start it with an ASCII letter"
            }
            Self::Character(_) => {
                "the name of a queue has a character that is not allowed; use ASCII letters, digits, `_`, `-` and `.`"
            }
        }
    }
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())?;
        match self {
            Self::Empty | Self::Start => Ok(()),
            Self::TooLong(found) => write!(f, " (it has {found})"),
            Self::Character(at) => write!(f, " (found at byte {at})"),
        }
    }
}

impl Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let long = "q".repeat(65);
        for (name, expected) in [
            ("emails", Ok(())),
            ("Mail.out-box_2", Ok(())),
            (&long[..64], Ok(())),
            ("", Err(NameError::Empty)),
            (&long, Err(NameError::TooLong(65))),
            ("2nd", Err(NameError::Start)),
            ("-", Err(NameError::Start)),
            ("a b", Err(NameError::Character(1))),
            ("größe", Err(NameError::Character(2))),
            ("a'; drop table", Err(NameError::Character(1))),
        ] {
            assert_eq!(check(name), expected, "{name}");
        }
    }
}
