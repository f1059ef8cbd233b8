//! What others ask of a service: start, run now, pause, resume, stop.

use crate::{Restarts, Schedule, Spec};

use super::phase::{Alive, Hooks, Phase, Resume, Until};
use super::{Command, Ending, Facts, Lifecycle, Note, Refusal, jitter};
use crate::nanos::{Nanos, nanos};

impl Lifecycle {
    pub(super) fn start(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        held: bool,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match &mut self.phase {
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { alive: Alive::Nothing } => {
                self.activation = self.activation.wrapping_add(1).max(1);
                self.up = false;
                self.restarts = Restarts::default();
                self.phase = Phase::Held;
                tell(Note::Started);
                if held { Command::Nothing } else { self.release(spec, facts) }
            }
            Phase::Leaving { start_again, .. } | Phase::Ending { start_again, .. } => {
                *start_again = true;
                Command::Nothing
            }
            Phase::Held
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => Command::Refused(Refusal::Active),
            Phase::Abandoned { alive: Alive::Run | Alive::Queued | Alive::Hooks } => {
                Command::Refused(Refusal::Alive)
            }
        }
    }

    pub(super) fn release(&mut self, spec: &Spec, facts: Facts<'_>) -> Command {
        match self.phase {
            Phase::Held => {
                self.anchor = facts.now.saturating_add(nanos(spec.initial_delay));
                let until = match &spec.schedule {
                    Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {
                        Until::Instant(self.anchor.saturating_add(jitter(spec, facts.dice)))
                    }
                    Schedule::Cron(cron, _) => self.first_date_of(cron, spec, facts),
                };
                self.phase = Phase::Waiting { until, pause: false };
                Command::Nothing
            }
            Phase::Registered
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::Leaving { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Nothing,
        }
    }

    pub(super) fn revoke(&mut self, tell: &mut impl FnMut(Note)) -> Command {
        match self.phase {
            Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => {
                self.phase = Phase::Stopped;
                tell(Note::Ended { ending: Ending::Stopped, start_again: false });
            }
            Phase::Registered
            | Phase::Running { .. }
            | Phase::Leaving { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => {}
        }
        Command::Nothing
    }

    /// Makes the next run due at once; a worker comes for it as for any other.
    pub(super) fn run_now(&mut self, facts: Facts<'_>) -> Command {
        let planned = self.next_run();
        match &mut self.phase {
            Phase::Waiting { until, .. } => {
                // What is due already keeps what it is due for.
                if planned.is_some_and(|due| due > facts.now) {
                    *until = Until::Instant(facts.now);
                }
                Command::Nothing
            }
            Phase::BackingOff { due, .. } => {
                *due = facts.now.min(*due);
                Command::Nothing
            }
            Phase::Paused { resume: Resume::Waiting { .. } } => {
                self.phase = Phase::Waiting { until: Until::Instant(facts.now), pause: true };
                Command::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { .. } } => {
                self.phase = Phase::BackingOff { due: facts.now, pause: true };
                Command::Nothing
            }
            Phase::Held => Command::Refused(Refusal::Held),
            Phase::Running { .. } => Command::Refused(Refusal::Busy),
            Phase::Leaving { .. } | Phase::Ending { .. } => Command::Refused(Refusal::Stopping),
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn pause(&mut self, tell: &mut impl FnMut(Note)) -> Command {
        match &mut self.phase {
            Phase::Waiting { until, .. } => {
                self.phase = Phase::Paused { resume: Resume::Waiting { until: *until } };
                tell(Note::Paused);
                Command::Nothing
            }
            Phase::BackingOff { due, .. } => {
                self.phase = Phase::Paused { resume: Resume::BackingOff { due: *due } };
                tell(Note::Paused);
                Command::Nothing
            }
            Phase::Running { pause, .. } => {
                if !*pause {
                    *pause = true;
                    tell(Note::Paused);
                }
                Command::Nothing
            }
            Phase::Paused { .. } => Command::Nothing,
            Phase::Held => Command::Refused(Refusal::Held),
            Phase::Leaving { .. } | Phase::Ending { .. } => Command::Refused(Refusal::Stopping),
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn resume(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match &mut self.phase {
            Phase::Paused { resume: Resume::Waiting { until } } => {
                let until = *until;
                let due = self.due_of(until);
                // What fell due during the pause was not to run: the schedule goes on from here.
                let until = match &spec.schedule {
                    Schedule::Interval(_) if due < facts.now => self.next_due(spec, facts, due),
                    Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {
                        Until::Instant(due.max(facts.now))
                    }
                    Schedule::Cron(cron, _) => self.resumed_date_of(cron, spec, facts, until),
                };
                self.phase = Phase::Waiting { until, pause: false };
                tell(Note::Resumed);
                Command::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { due } } => {
                let due = (*due).max(facts.now);
                self.phase = Phase::BackingOff { due, pause: false };
                tell(Note::Resumed);
                Command::Nothing
            }
            Phase::Running { pause, .. }
            | Phase::Waiting { pause, .. }
            | Phase::BackingOff { pause, .. } => {
                if *pause {
                    *pause = false;
                    tell(Note::Resumed);
                }
                Command::Nothing
            }
            Phase::Held => Command::Nothing,
            Phase::Leaving { .. } | Phase::Ending { .. } => Command::Refused(Refusal::Stopping),
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn stop(
        &mut self,
        facts: Facts<'_>,
        limit: Nanos,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        match &mut self.phase {
            Phase::Held
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => {
                tell(Note::Stopping);
                self.end(facts, Ending::Stopped, limit, false, Hooks::Queued, tell)
            }
            Phase::Running { .. } => {
                tell(Note::Stopping);
                self.phase = Phase::Leaving { deadline: limit, start_again: false };
                Command::Nothing
            }
            Phase::Leaving { deadline, start_again } => {
                *deadline = limit.min(*deadline);
                *start_again = false;
                Command::Nothing
            }
            Phase::Ending { ending, deadline, start_again, .. } => {
                // Its clean-up may be sleeping, and was not told so far if it ended by itself.
                if *ending != Ending::Stopped {
                    tell(Note::Stopping);
                }
                *deadline = limit.min(*deadline);
                *start_again = false;
                Command::Nothing
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Command::Nothing,
        }
    }
}
