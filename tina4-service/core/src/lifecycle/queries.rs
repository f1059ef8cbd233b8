//! What can be asked of a life cycle without changing it.

use super::crash::Crash;
use super::machine::Lifecycle;
use super::occurrence::{NEVER, Occurrence};
use super::phase::{CleanUp, Lingering, Pause, Phase, Wait};
use super::readiness::Readiness;
use super::run_outcome::RunOutcome;
use super::state::State;
use crate::exit::Exit;
use crate::nanos::{Nanos, NonMaxNanos, nanos};
use crate::restart::RestartPolicy;
use crate::spec::Spec;

impl Lifecycle {
    /// The public state of the service.
    #[must_use]
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// When the service entered this state, began its current run, or queued its clean-up,
    /// whichever was last.
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
    pub fn consecutive_crashes(&self) -> u32 {
        self.restarts.consecutive_crashes()
    }

    /// Consecutive crashes from which the service has not recovered by `now`: a continuous service recovers
    /// while it runs.
    #[must_use]
    pub fn unrecovered_crashes(&self, spec: &Spec, now: Nanos) -> u32 {
        let has_recovered = !spec.schedule.is_periodic()
            && self.running_since().is_some_and(|started| {
                now.saturating_sub(started) >= nanos(RestartPolicy::RECOVERY)
            });
        if has_recovered { 0 } else { self.consecutive_crashes() }
    }

    /// How far the service has come, for those that depend on it.
    #[must_use]
    #[inline]
    pub fn readiness(&self) -> Readiness {
        Readiness { active: self.state().is_active(), progress: self.progress }
    }

    /// Whether it has been started and depends on services that it has to wait for.
    #[must_use]
    #[inline]
    pub fn is_waiting_for_dependencies(&self) -> bool {
        match self.phase {
            Phase::WaitingForDependencies | Phase::Blocked => true,
            Phase::Idle(_)
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => false,
        }
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

    /// How late the current or last run began: the time from its due time to its start, beyond the
    /// service's `tolerance` if that applied to the run.
    #[must_use]
    #[inline]
    pub fn run_lateness(&self, tolerance: impl FnOnce() -> Nanos) -> Nanos {
        let delay = self.started.saturating_sub(self.due);
        if self.run_is_exact { delay } else { delay.saturating_sub(tolerance()) }
    }

    /// When the run that waits for `wait` is due, assuming that the wall clock is not set before
    /// then.
    pub(super) fn due_of(&self, wait: Wait) -> Nanos {
        match wait {
            Wait::Due(due) | Wait::DueWithTolerance(due) | Wait::Backoff(due) => due,
            Wait::Occurrence { .. } | Wait::ExactOccurrence { .. } => self.occurrence().due,
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
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => None,
        }
    }

    /// Whether the run in progress was cancelled because it exceeded its timeout.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        match self.phase {
            Phase::Running { cancelled, .. } => cancelled,
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => false,
        }
    }

    /// The outcome of the run in progress, if it ends like this now.
    #[must_use]
    pub fn run_outcome(&self, exit: Exit<&Crash>) -> RunOutcome {
        let returned = match exit {
            Exit::Wait | Exit::Again | Exit::After(_) | Exit::Done => RunOutcome::Ok,
            Exit::Crashed(Crash { panicked: true, .. }) => RunOutcome::Panic,
            Exit::Crashed(Crash { panicked: false, .. }) => RunOutcome::Error,
        };
        match self.phase {
            Phase::Running { cancelled: true, .. } | Phase::StopRequested { dropped: true, .. } => {
                RunOutcome::Cancelled
            }
            Phase::StopRequested { dropped: false, .. } if returned != RunOutcome::Panic => {
                RunOutcome::Stopped
            }
            Phase::Abandoned(_) => RunOutcome::Abandoned,
            // In those not named above, no run is in progress.
            Phase::Running { cancelled: false, .. }
            | Phase::StopRequested { dropped: false, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Ending { .. } => returned,
        }
    }

    /// Whether it was abandoned during its last run, rather than during the clean-up after it, and that
    /// run has not ended yet.
    #[must_use]
    pub fn is_run_abandoned(&self) -> bool {
        match self.phase {
            Phase::Abandoned(lingering) => match lingering {
                Lingering::Run => true,
                Lingering::QueuedCleanUp | Lingering::CleanUp | Lingering::Nothing => false,
            },
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. } => false,
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
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Ending { clean_up: CleanUp::Queued, .. }
            | Phase::Abandoned(Lingering::QueuedCleanUp | Lingering::Nothing) => false,
        }
    }

    /// Whether it was abandoned, and its run or clean-up has not ended yet.
    #[must_use]
    pub fn is_lingering(&self) -> bool {
        match self.phase {
            Phase::Abandoned(lingering) => lingering != Lingering::Nothing,
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. } => false,
        }
    }

    /// What the next run or restart waits for, if one is planned.
    fn planned(&self) -> Option<Wait> {
        match self.phase {
            Phase::Pending { wait, pause: Pause::NotPaused | Pause::AfterRun } => Some(wait),
            Phase::Pending { pause: Pause::Paused, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => None,
        }
    }

    /// When the next run or restart is due, if one is planned.
    #[must_use]
    #[inline]
    pub fn next_run(&self) -> Option<Nanos> {
        self.planned().map(|wait| self.due_of(wait))
    }

    /// The occurrence that the next run waits for, as Unix time in seconds, and its jitter.
    #[must_use]
    #[inline]
    pub fn next_occurrence(&self) -> Option<(i64, Nanos)> {
        match self.planned()? {
            Wait::Occurrence { .. } | Wait::ExactOccurrence { .. } => {
                let Occurrence { at, jitter, .. } = self.occurrence();
                (at < NEVER).then_some((at, jitter))
            }
            Wait::Due(_) | Wait::DueWithTolerance(_) | Wait::Backoff(_) => None,
        }
    }

    /// From when on this life cycle can handle [`Input::Due`](super::Input::Due). It needs it by
    /// [`Lifecycle::wake_up_by`].
    #[must_use]
    #[inline]
    pub fn next_wake_up(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Pending { wait, pause: Pause::NotPaused | Pause::AfterRun } => {
                Some(wait.next_wake_up())
            }
            Phase::Running { check_at, .. } => check_at.map(NonMaxNanos::nanos),
            Phase::StopRequested { deadline, .. }
            | Phase::Ending { clean_up: CleanUp::Running, deadline, .. } => Some(deadline),
            Phase::Ending { clean_up: CleanUp::Queued, .. }
            | Phase::Abandoned(Lingering::QueuedCleanUp) => Some(self.since),
            Phase::Pending { pause: Pause::Paused, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Abandoned(Lingering::Run | Lingering::CleanUp | Lingering::Nothing) => None,
        }
    }

    /// By when this life cycle needs [`Input::Due`](super::Input::Due): at its next wake-up, or, if it
    /// waits for a due time of its schedule, up to the service's `tolerance` after that.
    #[must_use]
    pub fn wake_up_by(&self, tolerance: Nanos) -> Option<Nanos> {
        let wake_up = self.next_wake_up()?;
        Some(match self.phase {
            Phase::Pending { wait, pause: _ } => match wait {
                Wait::DueWithTolerance(due) => due.saturating_add(tolerance),
                Wait::Occurrence { check_at } => self.occurrence().check_by(check_at, tolerance),
                Wait::Due(_) | Wait::ExactOccurrence { .. } | Wait::Backoff(_) => wake_up,
            },
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => wake_up,
        })
    }

    /// When the last run or clean-up will be abandoned, if the activation is ending.
    #[must_use]
    #[inline]
    pub fn stop_deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::StopRequested { deadline, .. } | Phase::Ending { deadline, .. } => {
                Some(deadline)
            }
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::Abandoned(_) => None,
        }
    }
}
