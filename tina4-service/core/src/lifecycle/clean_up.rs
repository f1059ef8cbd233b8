//! How an activation ends: by way of its clean-up, or given up when stop takes too long.

use super::action::Action;
use super::ending::Ending;
use super::facts::Facts;
use super::machine::Lifecycle;
use super::phase::{Hooks, Lingering, Phase};
use super::transition::Transition;
use crate::nanos::{Nanos, nanos};
use crate::spec::Spec;

impl Lifecycle {
    /// Ends the activation, by way of its clean-up where there is one.
    pub(super) fn end(
        &mut self,
        facts: Facts<'_>,
        ending: Ending,
        deadline: Nanos,
        start_again: bool,
        hooks: Hooks,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        self.phase = Phase::Ending { ending, hooks, deadline, start_again };
        if !facts.hooks {
            return self.cleaned_up(emit);
        }
        match hooks {
            // `since` is the deadline of what is queued, also if the state was Stopping before.
            Hooks::Queued => {
                self.since = facts.now;
                Action::Nothing
            }
            Hooks::Running => Action::CleanUp,
        }
    }

    pub(super) fn cleaned_up(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match self.phase {
            Phase::Ending { ending, start_again, .. } => {
                self.phase = match ending {
                    Ending::Stopped => Phase::Stopped,
                    Ending::Finished => Phase::Finished,
                    Ending::Failed => Phase::Failed,
                };
                emit(Transition::Ended { ending, start_again });
                Action::Nothing
            }
            Phase::Abandoned { lingering: Lingering::Hooks } => {
                self.phase = Phase::Abandoned { lingering: Lingering::Nothing };
                emit(Transition::LateEnd);
                Action::Nothing
            }
            // Only a clean-up that was begun ends.
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned {
                lingering: Lingering::Run | Lingering::Queued | Lingering::Nothing,
            } => Action::Nothing,
        }
    }

    /// Gives up waiting for what stop could not end in time.
    pub(super) fn expired(
        &mut self,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let (lingering, failed) = match self.phase {
            Phase::StopRequested { deadline, .. } if deadline <= facts.now => {
                (Lingering::Run, false)
            }
            Phase::Ending { ending, hooks, deadline, .. } if deadline <= facts.now => {
                let lingering = match hooks {
                    Hooks::Queued => Lingering::Queued,
                    Hooks::Running => Lingering::Hooks,
                };
                (lingering, ending == Ending::Failed)
            }
            // Nothing waits to be ended, or there is time left.
            Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => return Action::Nothing,
        };
        self.phase = Phase::Abandoned { lingering };
        emit(Transition::Abandoned { failed });
        Action::Nothing
    }

    /// What its thread began will not be ended by it: another one cleans up.
    pub(super) fn thread_lost(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match self.phase {
            Phase::Running { .. } => {
                let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                self.end(facts, Ending::Stopped, deadline, false, Hooks::Queued, emit)
            }
            Phase::StopRequested { deadline, .. } => {
                self.end(facts, Ending::Stopped, deadline, false, Hooks::Queued, emit)
            }
            Phase::Ending { ending, deadline, .. } => {
                self.end(facts, ending, deadline, false, Hooks::Queued, emit)
            }
            Phase::Abandoned { lingering: Lingering::Run | Lingering::Hooks } => {
                self.phase = Phase::Abandoned {
                    lingering: if facts.hooks { Lingering::Queued } else { Lingering::Nothing },
                };
                self.since = facts.now;
                Action::Nothing
            }
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { lingering: Lingering::Queued | Lingering::Nothing } => {
                Action::Nothing
            }
        }
    }
}
