//! What can be asked of a life cycle without changing it.

use super::date::NEVER;
use super::machine::Lifecycle;
use super::phase::{Hooks, Lingering, Phase, Until};
use super::readiness::Readiness;
use super::state::State;
use crate::nanos::{Nanos, NonMaxNanos};

impl Lifecycle {
    /// What the service is doing.
    pub fn state(&self) -> State {
        match self.phase {
            Phase::Registered => State::Registered,
            Phase::WaitingForDependencies | Phase::Waiting { .. } => State::Waiting,
            Phase::Running { .. } => State::Running,
            Phase::StopRequested { .. } | Phase::Ending { .. } => State::Stopping,
            Phase::BackingOff { .. } => State::BackingOff,
            Phase::Paused { .. } => State::Paused,
            Phase::Stopped => State::Stopped,
            Phase::Finished => State::Finished,
            Phase::Failed => State::Failed,
            Phase::Abandoned { .. } => State::Abandoned,
        }
    }

    /// Since when it has been in this state.
    pub fn since(&self) -> Nanos {
        self.since
    }

    /// The number of the current or last activation, from 1; 0 before the first.
    pub fn activation(&self) -> u32 {
        self.activation
    }

    /// Consecutive crashes since the last recovery.
    pub fn crashes_in_a_row(&self) -> u32 {
        self.restarts.in_a_row()
    }

    /// What other services may depend on.
    pub fn readiness(&self) -> Readiness {
        Readiness { active: self.state().is_active(), ready: self.ready }
    }

    /// In an activation whose first run has not begun: others may be waiting for it.
    pub fn is_starting(&self) -> bool {
        self.state().is_active() && !self.ready
    }

    /// When the run in progress, or the last one, was due.
    pub fn run_due(&self) -> Nanos {
        self.due
    }

    /// When it began.
    pub fn run_started(&self) -> Nanos {
        self.started
    }

    /// When a run that waits until then begins, as far as is known now.
    pub(super) fn due_of(&self, until: Until) -> Nanos {
        match until {
            Until::Instant(due) => due,
            Until::Date { .. } => self.date().due,
        }
    }

    /// The run in progress began then.
    pub fn running_since(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Running { .. } | Phase::StopRequested { .. } => Some(self.started),
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// Whether the service's code, a run or a clean-up, is being executed.
    pub fn is_executing(&self) -> bool {
        match self.phase {
            Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { hooks: Hooks::Running, .. }
            | Phase::Abandoned { lingering: Lingering::Run | Lingering::Hooks } => true,
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { hooks: Hooks::Queued, .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { lingering: Lingering::Queued | Lingering::Nothing } => false,
        }
    }

    /// When the next run or restart is due, if one is planned.
    pub fn next_run(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Waiting { until, .. } => Some(self.due_of(until)),
            Phase::BackingOff { due, .. } => Some(due),
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// The calendar time of the next run, in seconds since 1970 UTC, and how much later it begins
    /// on purpose, if it waits for one.
    pub fn next_date(&self) -> Option<(i64, Nanos)> {
        match self.phase {
            Phase::Waiting { until: Until::Date { .. }, .. } => {
                let date = self.date();
                (date.at < NEVER).then_some((date.at, date.late))
            }
            Phase::Waiting { until: Until::Instant(_), .. }
            | Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }

    /// When this life cycle needs the event [`Input::Due`] next.
    pub fn deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::Waiting { until: Until::Instant(at) | Until::Date { look: at }, .. }
            | Phase::BackingOff { due: at, .. }
            | Phase::StopRequested { deadline: at, .. } => Some(at),
            Phase::Running { watch, .. } => watch.map(NonMaxNanos::nanos),
            Phase::Ending { hooks: Hooks::Queued, .. }
            | Phase::Abandoned { lingering: Lingering::Queued } => Some(self.since),
            Phase::Ending { hooks: Hooks::Running, deadline, .. } => Some(deadline),
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned {
                lingering: Lingering::Run | Lingering::Hooks | Lingering::Nothing,
            } => None,
        }
    }

    /// When a stop that is in progress gives up.
    pub fn stop_deadline(&self) -> Option<Nanos> {
        match self.phase {
            Phase::StopRequested { deadline, .. } | Phase::Ending { deadline, .. } => {
                Some(deadline)
            }
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => None,
        }
    }
}
