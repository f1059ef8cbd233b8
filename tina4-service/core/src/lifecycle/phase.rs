//! What a life cycle is doing.

use super::ending::Ending;
use crate::nanos::{Nanos, NonMaxNanos};

/// Who carries out the clean-up of an activation that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hooks {
    /// Nobody yet: a worker must come for it.
    Queued,
    /// The worker that ran last, or the one that came.
    Running,
}

/// What is still alive in an abandoned service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lingering {
    /// The last run.
    Run,
    /// The clean-up, for which no worker has come yet.
    Queued,
    /// The clean-up.
    Hooks,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Registered,
    /// Started, but what it comes `after` is not up.
    WaitingForDependencies,
    /// `pause`: go (back) to being paused after the run.
    Waiting {
        until: Until,
        pause: bool,
    },
    Running {
        /// Pause once this run has ended.
        pause: bool,
        /// When to look whether this run is stuck.
        watch: Option<NonMaxNanos>,
        /// Since when it has been silent, if that was told.
        reported_since: Option<NonMaxNanos>,
    },
    /// Running, but stop was requested, and waits until `deadline`.
    StopRequested {
        deadline: Nanos,
        /// Start again once stopped.
        start_again: bool,
    },
    BackingOff {
        due: Nanos,
        pause: bool,
    },
    Paused {
        resume: Resume,
    },
    Ending {
        ending: Ending,
        hooks: Hooks,
        deadline: Nanos,
        start_again: bool,
    },
    Stopped,
    Finished,
    Failed,
    Abandoned {
        lingering: Lingering,
    },
}

/// What a waiting service waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Until {
    /// An instant of the monotonic clock.
    Instant(Nanos),
    /// A calendar time, that of [`Lifecycle::date`], which the wall clock decides: it is looked at
    /// then.
    Date { look: Nanos },
}

/// What a paused service goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    Waiting { until: Until },
    BackingOff { due: Nanos },
}
