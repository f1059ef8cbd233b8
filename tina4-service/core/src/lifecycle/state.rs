//! The words for what a service is doing.

use std::fmt;

/// What a service is doing. `Display` prints the words of the variants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Known, not started yet.
    Registered,
    /// Waiting for its next run.
    Waiting,
    /// Its function is being called.
    Running,
    /// Waiting for its restart after a crash.
    BackingOff,
    /// Told not to run until resumed.
    Paused,
    /// Its activation is ending: a last run, or its clean-up, is in progress.
    Stopping,
    /// Ended because it was told to.
    Stopped,
    /// Ended because its work was done.
    Finished,
    /// Ended because it crashed too often, or with a `Permanent` error; final until
    /// it is started again.
    Failed,
    /// Did not end within its `stop_timeout`; its last run may still be alive.
    Abandoned,
}

impl State {
    /// Whether the service is in an activation: waiting, running, backing off, paused, stopping.
    #[must_use]
    pub const fn is_active(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::BackingOff | Self::Paused | Self::Stopping => {
                true
            }
            Self::Registered | Self::Stopped | Self::Finished | Self::Failed | Self::Abandoned => {
                false
            }
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Registered => "registered",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::BackingOff => "backing off",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        })
    }
}
