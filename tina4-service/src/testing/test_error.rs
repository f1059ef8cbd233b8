//! Why a test cannot begin.

use std::error::Error;
use std::fmt;

use crate::plan::start_error::StartError;

/// Why there is no [`TestRunner`](super::TestRunner).
///
/// `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum TestError {
    /// The time cannot be read: what is wrong and what to write.
    Time(String),
    /// The services have faults.
    Engine(StartError),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(problem) => f.write_str(problem),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for TestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Time(_) => None,
            Self::Engine(error) => Some(error),
        }
    }
}
