//! What made a run begin.

use std::fmt;

/// What made a run begin. `Display` prints it in lowercase, as in `schedule`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RunTrigger {
    /// Its schedule; or the run before, by returning [`Flow::Again`](crate::Flow::Again) or
    /// [`Flow::After`](crate::Flow::After).
    Schedule,
    /// The start of its service: the first run of an activation, unless it waits for a calendar time.
    Start,
    /// A request: `run_now`.
    Manual,
    /// The automatic restart after a crash, or after a return with `restart = "always"`.
    Restart,
    /// A job of its queue.
    #[cfg(feature = "queue")]
    Job,
}

impl fmt::Display for RunTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Schedule => "schedule",
            Self::Start => "start",
            Self::Manual => "manual",
            Self::Restart => "restart",
            #[cfg(feature = "queue")]
            Self::Job => "job",
        })
    }
}
