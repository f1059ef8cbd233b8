//! The phase of a life cycle: its internal state, of which [`State`] is the public summary.

use super::end_reason::EndReason;
use super::state::State;
use crate::nanos::{Nanos, NonMaxNanos};

/// The internal state of a life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not in an activation.
    Idle(Idle),
    /// Started, but it has to wait for services that it depends on.
    WaitingForDependencies,
    /// Started, but a service that it requires cannot become ready unless it is started.
    Blocked,
    /// Between two runs, or before the first.
    Pending { wait: Wait, pause: Pause },
    /// A run is in progress.
    Running {
        /// The service is paused once this run has ended.
        pause_after_run: bool,
        /// It exceeded its timeout and was asked to return.
        cancelled: bool,
        /// When to check next whether this run is stuck.
        check_at: Option<NonMaxNanos>,
        /// The heartbeat (or start) after which the run was reported as stuck.
        reported_heartbeat: Option<NonMaxNanos>,
    },
    /// A run is in progress. If it has not ended by `deadline`, it is abandoned; a task is dropped first.
    StopRequested {
        deadline: Nanos,
        /// It is a task that has not ended in time, and is to be dropped.
        dropped: bool,
        /// Start again once stopped.
        start_again: bool,
    },
    /// The last run has ended, but the clean-up has not. If it has not ended by `deadline`, it is
    /// abandoned.
    Ending {
        reason: EndReason,
        clean_up: CleanUp,
        deadline: Nanos,
        /// Start again once stopped.
        start_again: bool,
    },
    /// Did not end in time.
    Abandoned(Lingering),
}

impl Phase {
    /// The state that a service in this phase is in.
    #[inline]
    pub(super) fn state(self) -> State {
        match self {
            Self::Idle(Idle::Registered) => State::Registered,
            Self::Idle(Idle::Ended(EndReason::Stopped)) => State::Stopped,
            Self::Idle(Idle::Ended(EndReason::Cancelled)) => State::Cancelled,
            Self::Idle(Idle::Ended(EndReason::Finished)) => State::Finished,
            Self::Idle(Idle::Ended(EndReason::Failed)) => State::Failed,
            Self::WaitingForDependencies => State::Waiting,
            Self::Blocked => State::Blocked,
            Self::Pending { pause: Pause::Paused, .. } => State::Paused,
            Self::Pending { wait: Wait::Due(_) | Wait::Occurrence { .. }, .. } => State::Waiting,
            Self::Pending { wait: Wait::Backoff(_), .. } => State::BackingOff,
            Self::Running { .. } => State::Running,
            Self::StopRequested { .. } | Self::Ending { .. } => State::Stopping,
            Self::Abandoned(_) => State::Abandoned,
        }
    }
}

/// Why a service is not in an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Idle {
    /// It has never been started.
    Registered,
    /// Its last activation has ended.
    Ended(EndReason),
}

/// What a pending service waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A due time on the monotonic clock.
    Due(Nanos),
    /// An occurrence of its calendar schedule, on the wall clock. `check_at` is when to read the wall
    /// clock next.
    Occurrence { check_at: Nanos },
    /// The end of the backoff after a crash or a return.
    Backoff(Nanos),
}

impl Wait {
    /// When the service next needs attention.
    #[inline]
    pub(super) fn next_wake_up(self) -> Nanos {
        match self {
            Self::Due(at) | Self::Occurrence { check_at: at } | Self::Backoff(at) => at,
        }
    }
}

/// Whether a pending service is paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    NotPaused,
    /// It was paused and will be paused again after one requested run.
    AfterRun,
    /// It does not run until resumed, except on request.
    Paused,
}

/// The progress of an activation's clean-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CleanUp {
    /// A worker has to begin it.
    Queued,
    /// A worker carries it out.
    Running,
}

/// The part of an abandoned service that has not ended yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lingering {
    /// The last run.
    Run,
    /// The clean-up, which no worker has begun yet.
    QueuedCleanUp,
    /// The clean-up, which a worker carries out.
    CleanUp,
    Nothing,
}
