//! Validates the names of services.
//!
//! Names end up in logs, metric labels and URLs, so they are kept to characters that need no
//! quoting in any of them.

use std::error::Error;
use std::fmt;

/// The maximum length of a name, in characters.
pub const MAX_LEN: usize = 64;

/// The bytes that a name may consist of.
// perf: a table, because a program may register many services.
const ALLOWED: [bool; 256] = {
    let mut allowed = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        allowed[byte as usize] =
            (byte as u8).is_ascii_alphanumeric() || matches!(byte as u8, b'_' | b'-' | b'.');
        byte += 1;
    }
    allowed
};

/// The reason why a string is not a service name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NameError {
    /// The name is empty.
    Empty,
    /// The name has this many characters.
    TooLong(usize),
    /// The name starts with something other than a letter.
    Start(char),
    /// The name has a character that is not allowed anywhere.
    Character(char),
}

/// Checks the name of a service.
///
/// A name is a letter followed by letters, digits, `_`, `-` or `.`: at most [`MAX_LEN`] characters,
/// all of them ASCII.
///
/// # Errors
///
/// Returns an error that says what is wrong with the name.
///
/// ```
/// use tina4_service_core::name;
///
/// assert!(name::check("mail.outbox-2").is_ok());
/// let error = name::check("2nd").unwrap_err();
/// assert_eq!(error.to_string(), "a name cannot start with `2`; start it with an ASCII letter");
/// ```
pub fn check(name: &str) -> Result<(), NameError> {
    let first = name.chars().next().ok_or(NameError::Empty)?;
    // A byte of a character that is not ASCII is not allowed either.
    if let Some(position) = name.bytes().position(|byte| !ALLOWED[usize::from(byte)]) {
        return Err(NameError::Character(name[position..].chars().next().unwrap_or(first)));
    }
    if !first.is_ascii_alphabetic() {
        return Err(NameError::Start(first));
    }
    // All characters are ASCII here, so bytes are characters.
    if name.len() > MAX_LEN {
        return Err(NameError::TooLong(name.len()));
    }
    Ok(())
}

/// The reason why a string is not a tag, in the form of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagError(NameError);

/// Checks a tag, which has the same form as a name.
///
/// # Errors
///
/// Returns an error that says what is wrong with the tag.
///
/// ```
/// use tina4_service_core::name;
///
/// assert!(name::check_tag("mail").is_ok());
/// let error = name::check_tag("e mail").unwrap_err();
/// assert_eq!(
///     error.to_string(),
///     "a tag cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`",
/// );
/// ```
pub fn check_tag(tag: &str) -> Result<(), TagError> {
    check(tag).map_err(TagError)
}

impl fmt::Display for TagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            NameError::Empty => f.write_str("the tag is empty; write one, such as `\"mail\"`"),
            NameError::TooLong(found) => {
                write!(f, "the tag has {found} characters; use at most {MAX_LEN}")
            }
            NameError::Start(found) => {
                write!(f, "a tag cannot start with `{found}`; start it with an ASCII letter")
            }
            NameError::Character(' ') => f.write_str(
                "a tag cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`",
            ),
            NameError::Character(found) => write!(
                f,
                "a tag cannot contain `{}`; use ASCII letters, digits, `_`, `-` and `.`",
                found.escape_debug()
            ),
        }
    }
}

impl Error for TagError {}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("the name is empty; write one, such as `\"heartbeat\"`"),
            Self::TooLong(found) => {
                write!(f, "the name has {found} characters; use at most {MAX_LEN}")
            }
            Self::Start(found) => {
                write!(f, "a name cannot start with `{found}`; start it with an ASCII letter")
            }
            Self::Character(' ') => f.write_str(
                "a name cannot contain spaces; use ASCII letters, digits, `_`, `-` and `.`",
            ),
            Self::Character(found) => write!(
                f,
                "a name cannot contain `{}`; use ASCII letters, digits, `_`, `-` and `.`",
                found.escape_debug()
            ),
        }
    }
}

impl Error for NameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_names() {
        for name in ["a", "heartbeat", "Mail.outbox-2_x", "a".repeat(64).as_str()] {
            assert_eq!(check(name), Ok(()), "{name}");
        }
    }

    #[test]
    fn invalid_names() {
        for (name, error) in [
            ("", NameError::Empty),
            (" ", NameError::Character(' ')),
            ("a b", NameError::Character(' ')),
            ("a\n", NameError::Character('\n')),
            ("täglich", NameError::Character('ä')),
            ("a/b", NameError::Character('/')),
            ("2nd", NameError::Start('2')),
            ("_hidden", NameError::Start('_')),
            ("a".repeat(65).as_str(), NameError::TooLong(65)),
        ] {
            assert_eq!(check(name), Err(error), "{name:?}");
        }
    }
}
