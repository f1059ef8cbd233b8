//! What can be asked of a life cycle without changing it.

use super::date::NEVER;
use super::ending::Ending;
use super::machine::Lifecycle;
use super::phase::{CleanUp, Idle, Lingering, Pause, Phase, Wait};
use super::readiness::Readiness;
use super::state::State;
use crate::nanos::{Nanos, NonMaxNanos};

impl Lifecycle {
    /// What the service is doing.
    #[must_use]
    #[inline]
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Idle(Idle::Registered) => State::Registered,
            Phase::Idle(Idle::Ended(Ending::Stopped)) => State::Stopped,
            Phase::Idle(Idle::Ended(Ending::Finished)) => State::Finished,
            Phase::Idle(Idle::Ended(Ending::Failed)) => State::Failed,
            Phase::WaitingForDependencies => State::Waiting,
            Phase::Pending { pause: Pause::Now, .. } => State::Paused,
            Phase::Pending { wait: Wait::Due(_) | Wait::Occurrence { .. }, .. } => State::Waiting,
            Phase::Pending { wait: Wait::Backoff(_), .. } => State::BackingOff,
            Phase::Running { .. } => State::Running,
            Phase::StopRequested { .. } | Phase::Ending { .. } => State::Stopping,
            Phase::Abandoned(_) => State::Abandoned,
        }
    }

    /// Since when the service has been in this state.
    #[must_use]
    #[inline]
    pub fn since(&self) -> Nanos {
        self.since
    }

    /// The number of the current or last activation, from 1; 0 before the first.
    #[must_use]
    #[inline]
    pub fn activation(&self) -> u32 {
        self.activation
    }

    /// Consecutive crashes since the last recovery.
    #[must_use]
    #[inline]
    pub fn crashes_in_a_row(&self) -> u32 {
        self.restarts.in_a_row()
    }

    /// What other services may depend on.
    #[must_use]
    #[inline]
    pub fn readiness(&self) -> Readiness {
        Readiness { active: self.state().is_active(), ready: self.ready }
    }

    /// Whether it is in an activation but not ready, so that other services may wait for it.
    #[must_use]
    #[inline]
    pub fn is_starting(&self) -> bool {
        self.state().is_active() && !self.ready
    }

    /// When the current or last run was due.
    #[must_use]
    #[inline]
    pub fn run_due(&self) -> Nanos {
        self.due
    }

    /// When the current or last run began.
    #[must_use]
    #[inline]
    pub fn run_started(&self) -> Nanos {
        self.started
    }

    /// When a run that waits for this is due, as far as the clocks agree.
    pub(super) fn due_of(&self, wait: Wait) -> Nanos {
        match wait {
            Wait::Due(due) | Wait::Backoff(due) => due,
            Wait::Occurrence { .. } => self.date().due,
        }
    }

    /// When the run in progress began.
    #[must_use]
    #[inline]
    pub fn running_since(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Running { .. } | Phase::StopRequested { .. } => Some(self.started),
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Pending { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => None,
        }
    }

    /// Whether a run or clean-up of the service is in progress.
    #[must_use]
    #[inline]
    pub fn is_executing(&self) -> bool {
        match self.phase {
            Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { clean_up: CleanUp::Running, .. }
            | Phase::Abandoned(Lingering::Run | Lingering::CleanUp) => true,
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Pending { .. }
            | Phase::Ending { clean_up: CleanUp::Queued, .. }
            | Phase::Abandoned(Lingering::QueuedCleanUp | Lingering::Nothing) => false,
        }
    }

    /// What the next run or restart waits for, if one is planned.
    fn planned(&self) -> Option<Wait> {
        match self.phase {
            Phase::Pending { wait, pause: Pause::No | Pause::AfterRun } => Some(wait),
            Phase::Pending { pause: Pause::Now, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => None,
        }
    }

    /// When the next run or restart is due, if one is planned.
    #[must_use]
    pub fn next_run(&self) -> Option<Nanos> {
        self.planned().map(|wait| self.due_of(wait))
    }

    /// The calendar time of the next run, in seconds since 1970 UTC, and how much later it begins
    /// on purpose, if it waits for one.
    #[must_use]
    pub fn next_date(&self) -> Option<(i64, Nanos)> {
        match self.planned()? {
            Wait::Occurrence { .. } => {
                let date = self.date();
                (date.at < NEVER).then_some((date.at, date.late))
            }
            Wait::Due(_) | Wait::Backoff(_) => None,
        }
    }

    /// When this life cycle needs [`Input::Due`](super::Input::Due) next.
    #[must_use]
    #[inline]
    pub fn deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Pending { wait, pause: Pause::No | Pause::AfterRun } => Some(wait.deadline()),
            Phase::Running { check_at, .. } => check_at.map(NonMaxNanos::nanos),
            Phase::StopRequested { deadline, .. }
            | Phase::Ending { clean_up: CleanUp::Running, deadline, .. } => Some(deadline),
            Phase::Ending { clean_up: CleanUp::Queued, .. }
            | Phase::Abandoned(Lingering::QueuedCleanUp) => Some(self.since),
            Phase::Pending { pause: Pause::Now, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Abandoned(Lingering::Run | Lingering::CleanUp | Lingering::Nothing) => None,
        }
    }

    /// When a stop that is in progress gives up.
    #[must_use]
    #[inline]
    pub fn stop_deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::StopRequested { deadline, .. } | Phase::Ending { deadline, .. } => {
                Some(deadline)
            }
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::Abandoned(_) => None,
        }
    }
}
