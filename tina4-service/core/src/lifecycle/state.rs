//! The public state of a service.

use std::fmt;

/// What a service is doing. `Display` prints it in lowercase, as in `backing off`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum State {
    /// Not started yet.
    Registered,
    /// The deployment has turned it off: `start_all` does not start it.
    Disabled,
    /// Waiting for its next run, or for the services that it depends on.
    Waiting,
    /// Started, but a service that it requires cannot become ready unless it is started. It starts by
    /// itself if that one becomes ready after all.
    Blocked,
    /// Its function is being called.
    Running,
    /// Waiting for its restart after a crash or a return.
    BackingOff,
    /// Paused: it does not run until resumed, except on request.
    Paused,
    /// Its activation is ending: the last run or the clean-up is in progress.
    Stopping,
    /// Ended because a stop was requested, or because its start failed.
    Stopped,
    /// Ended because a stop was requested; its async run did not return in time, or had exceeded its timeout, and
    /// was dropped.
    Cancelled,
    /// Ended because its work was done.
    Finished,
    /// Ended because it crashed, or returned with `restart = "always"`, and no restart was allowed.
    /// It remains failed until it is started again.
    Failed,
    /// Did not end by its deadline; its last run or clean-up may still be alive.
    Abandoned,
}

impl State {
    /// Whether the service is active: waiting, running, backing off, paused, stopping.
    #[must_use]
    pub const fn is_active(self) -> bool {
        match self {
            Self::Waiting | Self::Running | Self::BackingOff | Self::Paused | Self::Stopping => {
                true
            }
            Self::Registered
            | Self::Disabled
            | Self::Blocked
            | Self::Stopped
            | Self::Cancelled
            | Self::Finished
            | Self::Failed
            | Self::Abandoned => false,
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Registered => "registered",
            Self::Disabled => "disabled",
            Self::Waiting => "waiting",
            Self::Blocked => "blocked",
            Self::Running => "running",
            Self::BackingOff => "backing off",
            Self::Paused => "paused",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Finished => "finished",
            Self::Failed => "failed",
            Self::Abandoned => "abandoned",
        })
    }
}
