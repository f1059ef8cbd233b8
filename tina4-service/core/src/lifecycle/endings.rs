//! How an activation ends: by way of its clean-up, or given up when stop takes too long.

use crate::Spec;

use super::phase::{Alive, Hooks, Phase};
use super::{Command, Ending, Facts, Lifecycle, Note};
use crate::nanos::{Nanos, nanos};

impl Lifecycle {
    /// Ends the activation, by way of its clean-up where there is one.
    pub(super) fn end(
        &mut self,
        facts: Facts<'_>,
        ending: Ending,
        deadline: Nanos,
        start_again: bool,
        hooks: Hooks,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        self.phase = Phase::Ending { ending, hooks, deadline, start_again };
        if !facts.hooks {
            return self.cleaned_up(tell);
        }
        match hooks {
            // `since` is the deadline of what is queued, also if the state was Stopping before.
            Hooks::Queued => {
                self.since = facts.now;
                Command::Nothing
            }
            Hooks::Running => Command::CleanUp,
        }
    }

    pub(super) fn cleaned_up(&mut self, tell: &mut impl FnMut(Note)) -> Command {
        match self.phase {
            Phase::Ending { ending, start_again, .. } => {
                self.phase = match ending {
                    Ending::Stopped => Phase::Stopped,
                    Ending::Finished => Phase::Finished,
                    Ending::Failed => Phase::Failed,
                };
                tell(Note::Ended { ending, start_again });
                Command::Nothing
            }
            Phase::Abandoned { alive: Alive::Hooks } => {
                self.phase = Phase::Abandoned { alive: Alive::Nothing };
                tell(Note::LateEnd);
                Command::Nothing
            }
            // Only a clean-up that was begun ends.
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::Leaving { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Run | Alive::Queued | Alive::Nothing } => {
                Command::Nothing
            }
        }
    }

    /// Gives up waiting for what stop could not end in time.
    pub(super) fn expired(&mut self, facts: Facts<'_>, tell: &mut impl FnMut(Note)) -> Command {
        let (alive, failed) = match self.phase {
            Phase::Leaving { deadline, .. } if deadline <= facts.now => (Alive::Run, false),
            Phase::Ending { ending, hooks, deadline, .. } if deadline <= facts.now => {
                let alive = match hooks {
                    Hooks::Queued => Alive::Queued,
                    Hooks::Running => Alive::Hooks,
                };
                (alive, ending == Ending::Failed)
            }
            // Nothing waits to be ended, or there is time left.
            Phase::Running { .. }
            | Phase::Leaving { .. }
            | Phase::Ending { .. }
            | Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => return Command::Nothing,
        };
        self.phase = Phase::Abandoned { alive };
        tell(Note::Abandoned { failed });
        Command::Nothing
    }

    /// What its thread began will not be ended by it: another one cleans up.
    pub(super) fn vanished(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match self.phase {
            Phase::Running { .. } => {
                let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                self.end(facts, Ending::Stopped, deadline, false, Hooks::Queued, tell)
            }
            Phase::Leaving { deadline, .. } => {
                self.end(facts, Ending::Stopped, deadline, false, Hooks::Queued, tell)
            }
            Phase::Ending { ending, deadline, .. } => {
                self.end(facts, ending, deadline, false, Hooks::Queued, tell)
            }
            Phase::Abandoned { alive: Alive::Run | Alive::Hooks } => {
                self.phase = Phase::Abandoned {
                    alive: if facts.hooks { Alive::Queued } else { Alive::Nothing },
                };
                self.since = facts.now;
                Command::Nothing
            }
            Phase::Registered
            | Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Queued | Alive::Nothing } => Command::Nothing,
        }
    }
}
