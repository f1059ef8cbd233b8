//! A change of the schedule.

use super::action::Action;
use super::cron_state::CronState;
use super::facts::Facts;
use super::machine::Lifecycle;
use super::occurrence::seconds_of;
use super::phase::{Pause, Phase, Wait};
use super::readiness::Progress;
use super::transition::Transition;
use crate::nanos::{Nanos, nanos};
use crate::ready::Ready;
use crate::schedule::Schedule;
use crate::spec::Spec;

impl Lifecycle {
    /// Follows a new schedule from now on; `spec` contains it. The first due time of an interval or a
    /// delay is one period from now.
    ///
    /// A run that is due already and a restart still begin. Any other planned run is replaced.
    pub(super) fn rescheduled(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        // While a run of a calendar schedule is due, it is known by its due time only.
        let due_now = self.due_already(facts.now);
        match &spec.schedule {
            Schedule::Interval(period) => {
                self.anchor = facts.now.saturating_add(nanos(*period));
                self.cron_state = None;
            }
            Schedule::Delay(_) | Schedule::Continuous | Schedule::Queue(_) => {
                self.cron_state = None
            }
            Schedule::Calendar(..) => {
                let handled_through = seconds_of(facts.wall);
                self.cron_state = Some(Box::new(CronState { handled_through, ..CronState::NEW }));
            }
        }
        match self.phase {
            Phase::Pending {
                wait:
                    Wait::Due(_)
                    | Wait::DueWithTolerance(_)
                    | Wait::Occurrence { .. }
                    | Wait::ExactOccurrence { .. },
                pause,
            } => {
                let wait = match due_now {
                    Some(due) => Wait::Due(due),
                    None => self.next_due(spec, facts),
                };
                self.phase = Phase::Pending { wait, pause };
                self.planned_by_calendar(spec);
            }
            // The schedule applies after the restart or the run.
            Phase::Pending { wait: Wait::Backoff(_), .. } | Phase::Running { .. } => {
                self.planned_by_calendar(spec);
            }
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        emit(Transition::Rescheduled);
        Action::Nothing
    }

    /// When the run was due that is to begin now, if there is one. A paused service has none: what it
    /// planned before the change is replaced.
    fn due_already(&self, now: Nanos) -> Option<Nanos> {
        match self.phase {
            Phase::Pending { wait, pause: Pause::NotPaused | Pause::AfterRun } => {
                Some(self.due_of(wait)).filter(|due| *due <= now)
            }
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

    /// A service with a calendar schedule is ready as soon as a run is planned, unless it has to say so
    /// itself.
    pub(super) fn planned_by_calendar(&mut self, spec: &Spec) {
        match spec.schedule {
            Schedule::Calendar(..) if spec.ready != Some(Ready::Notified) => {
                self.progress = Progress::Ready;
            }
            Schedule::Calendar(..)
            | Schedule::Interval(_)
            | Schedule::Delay(_)
            | Schedule::Continuous
            | Schedule::Queue(_) => {}
        }
    }
}
