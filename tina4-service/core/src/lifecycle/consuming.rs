//! What a queue service may do with its jobs.

use super::machine::Lifecycle;
use super::phase::{Lingering, Pause, Phase, Wait};

/// What a queue service may do with its jobs, by the phase of its life cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consuming {
    /// Nothing: it is not in its run.
    Nothing,
    /// Its run is in progress: it claims jobs.
    Claiming,
    /// Its run ends once its jobs have ended, because it was paused.
    Pausing,
    /// Its run ends once its jobs have ended, because it was asked to stop.
    Stopping,
    /// It backs off, because its engine has failed, and jobs that began before may be in progress. Their claims
    /// are renewed, and what ends is settled.
    BackingOff,
    /// It is paused, and jobs that began before may be in progress.
    Paused,
    /// It was abandoned, and jobs that began before are in progress.
    Abandoned,
}

impl Lifecycle {
    /// What a queue service may do with its jobs.
    #[must_use]
    pub fn consuming(&self) -> Consuming {
        match self.phase {
            Phase::Running { pause_after_run: false, .. } => Consuming::Claiming,
            Phase::Running { pause_after_run: true, .. } => Consuming::Pausing,
            Phase::StopRequested { .. } => Consuming::Stopping,
            Phase::Pending { pause: Pause::Paused, .. } => Consuming::Paused,
            Phase::Pending {
                wait: Wait::Backoff(_),
                pause: Pause::NotPaused | Pause::AfterRun,
            } => Consuming::BackingOff,
            Phase::Abandoned(Lingering::Run) => Consuming::Abandoned,
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending {
                wait:
                    Wait::Due(_)
                    | Wait::DueWithTolerance(_)
                    | Wait::Occurrence { .. }
                    | Wait::ExactOccurrence { .. },
                pause: Pause::NotPaused | Pause::AfterRun,
            }
            | Phase::Ending { .. }
            | Phase::Abandoned(
                Lingering::QueuedCleanUp | Lingering::CleanUp | Lingering::Nothing,
            ) => Consuming::Nothing,
        }
    }
}
