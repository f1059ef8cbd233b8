//! The error of a test that cannot begin.

use std::error::Error;
use std::fmt;

use crate::plan::register_error::RegisterError;
use crate::plan::start_error::StartError;

/// Why a [`TestRunner`](super::TestRunner) could not be built.
///
/// `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum TestError {
    /// The time cannot be parsed: the problem and its remedy.
    Time(String),
    /// A service of the test was not registered.
    Register(RegisterError),
    /// The services have faults, or cannot be started for another reason.
    Engine(StartError),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(problem) => f.write_str(problem),
            Self::Register(error) => error.fmt(f),
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
            Self::Register(error) => Some(error),
            Self::Engine(error) => Some(error),
        }
    }
}
