//! What others ask of a service: start, run now, pause, resume, stop.

use super::action::Action;
use super::ending::Ending;
use super::facts::{Facts, jitter};
use super::machine::Lifecycle;
use super::phase::{Hooks, Lingering, Phase, Resume, Until};
use super::refusal::Refusal;
use super::transition::Transition;
use crate::nanos::{Nanos, nanos};
use crate::restart::Restarts;
use crate::schedule::Schedule;
use crate::spec::Spec;

impl Lifecycle {
    pub(super) fn start(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        wait_for_dependencies: bool,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match &mut self.phase {
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { lingering: Lingering::Nothing } => {
                self.activation = self.activation.wrapping_add(1).max(1);
                self.ready = false;
                self.restarts = Restarts::default();
                self.phase = Phase::WaitingForDependencies;
                emit(Transition::Started);
                if wait_for_dependencies { Action::Nothing } else { self.release(spec, facts) }
            }
            Phase::StopRequested { start_again, .. } | Phase::Ending { start_again, .. } => {
                *start_again = true;
                Action::Nothing
            }
            Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => Action::Refused(Refusal::Active),
            Phase::Abandoned {
                lingering: Lingering::Run | Lingering::Queued | Lingering::Hooks,
            } => Action::Refused(Refusal::Lingering),
        }
    }

    pub(super) fn release(&mut self, spec: &Spec, facts: Facts<'_>) -> Action {
        match self.phase {
            Phase::WaitingForDependencies => {
                self.anchor = facts.now.saturating_add(nanos(spec.initial_delay));
                let until = match &spec.schedule {
                    Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {
                        Until::Instant(self.anchor.saturating_add(jitter(spec, facts.random)))
                    }
                    Schedule::Cron(cron, _) => self.first_date_of(cron, spec, facts),
                };
                self.phase = Phase::Waiting { until, pause: false };
                Action::Nothing
            }
            Phase::Registered
            | Phase::Waiting { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Action::Nothing,
        }
    }

    pub(super) fn start_failed(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match self.phase {
            Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => {
                self.phase = Phase::Stopped;
                emit(Transition::Ended { ending: Ending::Stopped, start_again: false });
            }
            Phase::Registered
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => {}
        }
        Action::Nothing
    }

    /// Makes the next run due at once; a worker comes for it as for any other.
    pub(super) fn run_now(&mut self, facts: Facts<'_>) -> Action {
        let planned = self.next_run();
        match &mut self.phase {
            Phase::Waiting { until, .. } => {
                // What is due already keeps what it is due for.
                if planned.is_some_and(|due| due > facts.now) {
                    *until = Until::Instant(facts.now);
                }
                Action::Nothing
            }
            Phase::BackingOff { due, .. } => {
                *due = facts.now.min(*due);
                Action::Nothing
            }
            Phase::Paused { resume: Resume::Waiting { .. } } => {
                self.phase = Phase::Waiting { until: Until::Instant(facts.now), pause: true };
                Action::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { .. } } => {
                self.phase = Phase::BackingOff { due: facts.now, pause: true };
                Action::Nothing
            }
            Phase::WaitingForDependencies => Action::Refused(Refusal::WaitingForDependencies),
            Phase::Running { .. } => Action::Refused(Refusal::Busy),
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Action::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn pause(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match &mut self.phase {
            Phase::Waiting { until, .. } => {
                self.phase = Phase::Paused { resume: Resume::Waiting { until: *until } };
                emit(Transition::Paused);
                Action::Nothing
            }
            Phase::BackingOff { due, .. } => {
                self.phase = Phase::Paused { resume: Resume::BackingOff { due: *due } };
                emit(Transition::Paused);
                Action::Nothing
            }
            Phase::Running { pause, .. } => {
                if !*pause {
                    *pause = true;
                    emit(Transition::Paused);
                }
                Action::Nothing
            }
            Phase::Paused { .. } => Action::Nothing,
            Phase::WaitingForDependencies => Action::Refused(Refusal::WaitingForDependencies),
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Action::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn resume(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
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
                emit(Transition::Resumed);
                Action::Nothing
            }
            Phase::Paused { resume: Resume::BackingOff { due } } => {
                let due = (*due).max(facts.now);
                self.phase = Phase::BackingOff { due, pause: false };
                emit(Transition::Resumed);
                Action::Nothing
            }
            Phase::Running { pause, .. }
            | Phase::Waiting { pause, .. }
            | Phase::BackingOff { pause, .. } => {
                if *pause {
                    *pause = false;
                    emit(Transition::Resumed);
                }
                Action::Nothing
            }
            Phase::WaitingForDependencies => Action::Nothing,
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Action::Refused(Refusal::NotActive),
        }
    }

    pub(super) fn stop(
        &mut self,
        facts: Facts<'_>,
        limit: Nanos,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match &mut self.phase {
            Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. } => {
                emit(Transition::Stopping);
                self.end(facts, Ending::Stopped, limit, false, Hooks::Queued, emit)
            }
            Phase::Running { .. } => {
                emit(Transition::Stopping);
                self.phase = Phase::StopRequested { deadline: limit, start_again: false };
                Action::Nothing
            }
            Phase::StopRequested { deadline, start_again } => {
                *deadline = limit.min(*deadline);
                *start_again = false;
                Action::Nothing
            }
            Phase::Ending { ending, deadline, start_again, .. } => {
                // Its clean-up may be sleeping, and was not told so far if it ended by itself.
                if *ending != Ending::Stopped {
                    emit(Transition::Stopping);
                }
                *deadline = limit.min(*deadline);
                *start_again = false;
                Action::Nothing
            }
            Phase::Registered
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned { .. } => Action::Nothing,
        }
    }
}
