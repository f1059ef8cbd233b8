//! How a run ended, in one word.

use std::fmt;

/// How a run ended. `Display` prints it in lowercase, as in `cancelled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RunOutcome {
    /// It returned without an error.
    Ok,
    /// It returned an error.
    Error,
    /// It panicked.
    Panic,
    /// Its service was asked to stop during the run, and it returned, with or without an error. A job of a
    /// queue: it was given back.
    Stopped,
    /// It exceeded its `timeout` with `on_timeout = "cancel"`; or it is async and was dropped, because it did
    /// not return in time after a stop request.
    Cancelled,
    /// It did not return in time after a stop request, and its result is ignored.
    Abandoned,
}

impl RunOutcome {
    /// Whether the run ended well: it returned without an error, and was not asked to stop.
    #[must_use]
    pub const fn is_ok(self) -> bool {
        match self {
            Self::Ok => true,
            Self::Error | Self::Panic | Self::Stopped | Self::Cancelled | Self::Abandoned => false,
        }
    }

    /// Whether the run failed: it returned an error, panicked, was cancelled or was abandoned.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        match self {
            Self::Error | Self::Panic | Self::Cancelled | Self::Abandoned => true,
            Self::Ok | Self::Stopped => false,
        }
    }
}

impl fmt::Display for RunOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Abandoned => "abandoned",
        })
    }
}
