//! The token that lets its bearer take every action.

use std::fmt;
use std::hint::black_box;

/// A token that is long enough.
#[derive(Clone)]
pub(crate) struct Token(Box<[u8]>);

impl Token {
    pub(crate) fn new(text: &str) -> Result<Self, TokenError> {
        let chars = text.chars().count();
        // Neither a header nor the prompt of a browser could carry anything else.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(TokenError::Unprintable);
        }
        if chars < TokenError::MIN_CHARS {
            return Err(TokenError::TooShort { chars });
        }
        Ok(Self(text.as_bytes().into()))
    }

    /// Whether this is the token. It takes as long for each wrong one of the same length, so that nobody can guess it
    /// character by character.
    pub(crate) fn is(&self, candidate: &[u8]) -> bool {
        let padded = candidate.iter().copied().chain(std::iter::repeat(0));
        let differences = self.0.iter().zip(padded).fold(0, |all, (a, b)| black_box(all | (a ^ b)));
        differences == 0 && candidate.len() == self.0.len()
    }
}

/// Why a token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// It could be guessed.
    TooShort {
        /// How many characters it has.
        chars: usize,
    },
    /// It contains a space, a control character, or one that is not ASCII.
    Unprintable,
}

impl TokenError {
    /// The number of characters of the shortest token.
    pub const MIN_CHARS: usize = 32;
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (min, remedy) = (Self::MIN_CHARS, "make one with `openssl rand -hex 32`");
        match self {
            Self::TooShort { chars } => write!(
                f,
                "the token of the console has {chars} characters, but needs {min}; {remedy}"
            ),
            Self::Unprintable => write!(
                f,
                "the token of the console contains characters other than printable ASCII; {remedy}"
            ),
        }
    }
}

impl std::error::Error for TokenError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_113_a_token_has_32_printable_characters() {
        let long = "0123456789abcdef0123456789abcdef";
        assert!(Token::new(long).is_ok());
        assert_eq!(Token::new(&long[1..]).err(), Some(TokenError::TooShort { chars: 31 }));
        assert_eq!(Token::new("").err(), Some(TokenError::TooShort { chars: 0 }));
        for wrong in ["é".repeat(32), format!("{long} "), format!("{long}\n")] {
            assert_eq!(Token::new(&wrong).err(), Some(TokenError::Unprintable), "{wrong:?}");
        }
        let text = TokenError::TooShort { chars: 31 }.to_string();
        assert!(text.contains("31 characters, but needs 32; make one with"), "{text}");
    }

    #[test]
    fn rule_113_only_the_whole_token_is_the_token() {
        let text = "0123456789abcdef0123456789abcdef";
        let token = Token::new(text).unwrap();
        assert!(token.is(text.as_bytes()));
        let longer = format!("{text}\0");
        let wrong = ["", &text[1..], &text[..31], &longer, "1123456789abcdef0123456789abcdef"];
        for wrong in wrong {
            assert!(!token.is(wrong.as_bytes()), "{wrong:?}");
        }
    }
}
