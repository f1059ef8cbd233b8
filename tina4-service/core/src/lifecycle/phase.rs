//! The phase of a life cycle: its internal state, of which [`State`] is the public summary.

use super::end_reason::EndReason;
use super::facts::{Facts, jitter};
use super::state::State;
use crate::nanos::{Nanos, NonMaxNanos};
use crate::spec::Spec;

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
            Self::Idle(Idle::Disabled) => State::Disabled,
            Self::Idle(Idle::Ended(EndReason::Stopped)) => State::Stopped,
            Self::Idle(Idle::Ended(EndReason::Cancelled)) => State::Cancelled,
            Self::Idle(Idle::Ended(EndReason::Finished)) => State::Finished,
            Self::Idle(Idle::Ended(EndReason::Failed)) => State::Failed,
            Self::WaitingForDependencies => State::Waiting,
            Self::Blocked => State::Blocked,
            Self::Pending { pause: Pause::Paused, .. } => State::Paused,
            Self::Pending {
                wait:
                    Wait::Due(_)
                    | Wait::DueWithTolerance(_)
                    | Wait::Occurrence { .. }
                    | Wait::ExactOccurrence { .. },
                ..
            } => State::Waiting,
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
    /// The deployment has turned it off, and its last activation, if any, was ended by a stop.
    Disabled,
    /// Its last activation has ended.
    Ended(EndReason),
}

/// What a pending service waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    /// A due time on the monotonic clock, without a tolerance: the service has none, or the run was
    /// requested, or it was due when it was planned at the start or at the end of a pause.
    Due(Nanos),
    /// A due time of its schedule, to which the service's tolerance applies.
    // perf: a variant of its own, so that a service without a tolerance need not ask for one.
    DueWithTolerance(Nanos),
    /// An occurrence of its calendar schedule, on the wall clock. `check_at` is when to read the wall
    /// clock next.
    Occurrence { check_at: Nanos },
    /// The same, without the tolerance.
    // perf: not a flag of the variant above. If all variants hold the same, the tag takes a whole word,
    // and a step that begins a run can read at once what the last one has written.
    ExactOccurrence { check_at: Nanos },
    /// The end of the backoff after a crash or a return.
    Backoff(Nanos),
}

impl Wait {
    /// The wait for this due time of the schedule, after its jitter, and with the tolerance if the
    /// service has one.
    #[inline]
    pub(super) fn for_due_time(spec: &Spec, facts: &Facts<'_>, due: Nanos) -> Self {
        let due = due.saturating_add(jitter(spec, facts.random));
        if facts.tolerance == 0 { Self::Due(due) } else { Self::DueWithTolerance(due) }
    }

    /// The same wait, without the tolerance.
    pub(super) fn exactly(self) -> Self {
        match self {
            Self::Due(due) | Self::DueWithTolerance(due) => Self::Due(due),
            Self::Occurrence { check_at } | Self::ExactOccurrence { check_at } => {
                Self::ExactOccurrence { check_at }
            }
            Self::Backoff(at) => Self::Backoff(at),
        }
    }

    /// From when on the service can be attended to.
    #[inline]
    pub(super) fn next_wake_up(self) -> Nanos {
        match self {
            Self::Due(at)
            | Self::DueWithTolerance(at)
            | Self::Occurrence { check_at: at }
            | Self::ExactOccurrence { check_at: at }
            | Self::Backoff(at) => at,
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
