//! How the command ends.

use std::process::ExitCode;

/// How a command ends. The larger code counts if several things were done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done.
    Done,
    /// Refused, or the run that was waited for has failed.
    Refused,
    /// The command line is wrong.
    Usage,
    /// Not healthy, or not active.
    Not,
    /// There is no such service.
    Unknown,
    /// The process cannot be reached, or does not answer.
    Unreachable,
    /// Not permitted.
    NotPermitted,
}

impl Exit {
    /// The number.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Refused => 1,
            Self::Usage => 2,
            Self::Not => 3,
            Self::Unknown => 4,
            Self::Unreachable => 69,
            Self::NotPermitted => 77,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
