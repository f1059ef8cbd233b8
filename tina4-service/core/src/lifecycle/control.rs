//! Requests: start, run now, pause, resume, stop.

use super::action::Action;
use super::dependencies::Dependencies;
use super::end_reason::EndReason;
use super::facts::Facts;
use super::machine::Lifecycle;
use super::phase::{CleanUp, Idle, Lingering, Pause, Phase, Wait};
use super::readiness::Progress;
use super::refusal::Refusal;
use super::transition::Transition;
use crate::nanos::{Nanos, nanos};
use crate::ready::Ready;
use crate::restart::Restarts;
use crate::schedule::Schedule;
use crate::spec::Spec;

impl Lifecycle {
    /// Begins an activation, or, while the service is stopping, requests one.
    pub(super) fn start(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        dependencies: Dependencies,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match &mut self.phase {
            Phase::Idle(_) | Phase::Abandoned(Lingering::Nothing) => {
                self.activation = self.activation.wrapping_add(1).max(1);
                self.progress = Progress::NotReady;
                self.restarts = Restarts::default();
                // While it waits for dependencies, this is from when on it may be overdue.
                self.anchor = first_due(spec, facts);
                emit(Transition::Started);
                match dependencies {
                    // perf: with the due time that is known already, because most services start like this.
                    Dependencies::Met => self.plan_first_run(spec, facts, self.anchor),
                    Dependencies::Pending => {
                        self.phase = Phase::WaitingForDependencies;
                        emit(Transition::WaitsForDependencies);
                    }
                    Dependencies::Unmet => {
                        self.phase = Phase::Blocked;
                        emit(Transition::Blocked);
                    }
                }
                Action::Nothing
            }
            Phase::StopRequested { start_again, .. } | Phase::Ending { start_again, .. } => {
                *start_again = true;
                Action::Nothing
            }
            Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. } => Action::Refused(Refusal::Active),
            Phase::Abandoned(Lingering::Run | Lingering::QueuedCleanUp | Lingering::CleanUp) => {
                Action::Refused(Refusal::Lingering)
            }
        }
    }

    /// Plans the first run of the activation, waits, or is blocked, as the dependencies say.
    pub(super) fn dependencies_changed(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        dependencies: Dependencies,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match self.phase {
            Phase::WaitingForDependencies => match dependencies {
                Dependencies::Met => self.plan_first_run(spec, facts, first_due(spec, facts)),
                Dependencies::Pending => {}
                Dependencies::Unmet => {
                    self.phase = Phase::Blocked;
                    emit(Transition::Blocked);
                }
            },
            Phase::Blocked => match dependencies {
                Dependencies::Met => {
                    emit(Transition::Unblocked);
                    self.plan_first_run(spec, facts, first_due(spec, facts));
                }
                Dependencies::Pending => {
                    self.phase = Phase::WaitingForDependencies;
                    emit(Transition::Unblocked);
                    emit(Transition::WaitsForDependencies);
                }
                Dependencies::Unmet => {}
            },
            Phase::Idle(_)
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        Action::Nothing
    }

    /// Plans the first run of the activation; without a calendar, it is due at `due`, and later by its jitter.
    fn plan_first_run(&mut self, spec: &Spec, facts: &Facts<'_>, due: Nanos) {
        let wait = match &spec.schedule {
            Schedule::Interval(_)
            | Schedule::Delay(_)
            | Schedule::Continuous
            | Schedule::Queue(_) => {
                self.anchor = due;
                Wait::for_due_time(spec, facts, due)
            }
            Schedule::Calendar(calendar, _) => {
                self.planned_by_calendar(spec);
                self.wait_for_first(calendar, spec, facts)
            }
        };
        let wait = if wait.next_wake_up() <= facts.now { wait.exactly() } else { wait };
        self.phase = Phase::Pending { wait, pause: Pause::NotPaused };
    }

    /// The function says that the service is ready. That counts with `ready = "notified"`, unless the
    /// run was cancelled or the activation is ending.
    pub(super) fn notified(&mut self, spec: &Spec) -> Action {
        match self.phase {
            Phase::Pending { .. } | Phase::Running { cancelled: false, .. } => {
                if spec.ready == Some(Ready::Notified) {
                    self.progress = Progress::Ready;
                }
            }
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Running { cancelled: true, .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        Action::Nothing
    }

    /// Undoes a start for which no thread could be spawned.
    pub(super) fn start_failed(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match self.phase {
            Phase::WaitingForDependencies | Phase::Pending { .. } => {
                self.phase = Phase::Idle(Idle::Ended(EndReason::Stopped));
                self.progress = Progress::NotReady;
                emit(Transition::Ended { reason: EndReason::Stopped, start_again: false });
            }
            // A blocked service needs no thread.
            Phase::Blocked
            | Phase::Idle(_)
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        Action::Nothing
    }

    /// Marks a service that the deployment has turned off. How its last activation ended on its own remains
    /// visible.
    pub(super) fn disable(&mut self) -> Action {
        match self.phase {
            Phase::Idle(Idle::Registered | Idle::Disabled | Idle::Ended(EndReason::Stopped)) => {
                self.phase = Phase::Idle(Idle::Disabled);
            }
            Phase::Idle(Idle::Ended(
                EndReason::Cancelled | EndReason::Finished | EndReason::Failed,
            ))
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        Action::Nothing
    }

    /// Makes the next run due now.
    pub(super) fn run_now(&mut self, facts: &Facts<'_>) -> Action {
        let planned = self.next_run();
        match &mut self.phase {
            Phase::Pending { wait, pause: pause @ Pause::Paused } => {
                *wait = match wait {
                    Wait::Due(_)
                    | Wait::DueWithTolerance(_)
                    | Wait::Occurrence { .. }
                    | Wait::ExactOccurrence { .. } => Wait::Due(facts.now),
                    Wait::Backoff(_) => Wait::Backoff(facts.now),
                };
                *pause = Pause::AfterRun;
                Action::Nothing
            }
            Phase::Pending { wait, pause: Pause::NotPaused | Pause::AfterRun } => {
                match wait {
                    Wait::Due(_)
                    | Wait::DueWithTolerance(_)
                    | Wait::Occurrence { .. }
                    | Wait::ExactOccurrence { .. } => {
                        // A run that is already due keeps its due time.
                        let is_due = planned.is_none_or(|due| due <= facts.now);
                        *wait = if is_due { wait.exactly() } else { Wait::Due(facts.now) };
                    }
                    Wait::Backoff(due) => *due = facts.now.min(*due),
                }
                Action::Nothing
            }
            Phase::WaitingForDependencies => Action::Refused(Refusal::WaitingForDependencies),
            Phase::Blocked => Action::Refused(Refusal::Blocked),
            Phase::Running { .. } => Action::Refused(Refusal::Busy),
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Idle(_) | Phase::Abandoned(_) => Action::Refused(Refusal::NotActive),
        }
    }

    /// Ends the backoff at this instant, unless it ends before.
    pub(super) fn shorten_backoff(&mut self, until: Nanos) -> Action {
        match &mut self.phase {
            Phase::Pending { wait, .. } => match wait {
                Wait::Backoff(due) => *due = until.min(*due),
                Wait::Due(_)
                | Wait::DueWithTolerance(_)
                | Wait::Occurrence { .. }
                | Wait::ExactOccurrence { .. } => {}
            },
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => {}
        }
        Action::Nothing
    }

    /// Forgets the failures: the next crash counts as the first one. A service that has failed counts as
    /// stopped, and so does an abandoned one of which nothing is alive any more.
    pub(super) fn reset(&mut self) -> Action {
        match self.phase {
            Phase::Idle(Idle::Ended(EndReason::Failed)) | Phase::Abandoned(Lingering::Nothing) => {
                self.phase = Phase::Idle(Idle::Ended(EndReason::Stopped));
                self.progress = Progress::NotReady;
            }
            Phase::Abandoned(Lingering::Run | Lingering::QueuedCleanUp | Lingering::CleanUp) => {
                return Action::Refused(Refusal::Lingering);
            }
            // It is about to fail, which has not been reported yet.
            Phase::Ending { reason: EndReason::Failed, .. } => {
                return Action::Refused(Refusal::Stopping);
            }
            Phase::Idle(
                Idle::Registered
                | Idle::Disabled
                | Idle::Ended(EndReason::Stopped | EndReason::Cancelled | EndReason::Finished),
            )
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending {
                reason: EndReason::Stopped | EndReason::Cancelled | EndReason::Finished,
                ..
            } => {}
        }
        self.restarts = Restarts::default();
        Action::Nothing
    }

    /// Begins no more runs until resumed, except on request.
    pub(super) fn pause(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match &mut self.phase {
            Phase::Pending { pause, .. } => {
                match pause {
                    Pause::NotPaused | Pause::AfterRun => {
                        *pause = Pause::Paused;
                        emit(Transition::Paused);
                    }
                    Pause::Paused => {}
                }
                Action::Nothing
            }
            Phase::Running { pause_after_run, .. } => {
                if !*pause_after_run {
                    *pause_after_run = true;
                    emit(Transition::Paused);
                }
                Action::Nothing
            }
            Phase::WaitingForDependencies => Action::Refused(Refusal::WaitingForDependencies),
            Phase::Blocked => Action::Refused(Refusal::Blocked),
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Idle(_) | Phase::Abandoned(_) => Action::Refused(Refusal::NotActive),
        }
    }

    /// Ends a pause.
    pub(super) fn resume(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match &mut self.phase {
            Phase::Pending { wait, pause: Pause::Paused } => {
                let before = *wait;
                let wait = match self.wait_after_resume(before, spec, facts) {
                    after if after.next_wake_up() == before.next_wake_up() => before,
                    after if after.next_wake_up() <= facts.now => after.exactly(),
                    after => after,
                };
                self.phase = Phase::Pending { wait, pause: Pause::NotPaused };
                emit(Transition::Resumed);
                Action::Nothing
            }
            Phase::Pending { pause: pause @ Pause::AfterRun, .. } => {
                *pause = Pause::NotPaused;
                emit(Transition::Resumed);
                Action::Nothing
            }
            Phase::Running { pause_after_run, .. } => {
                if *pause_after_run {
                    *pause_after_run = false;
                    emit(Transition::Resumed);
                }
                Action::Nothing
            }
            Phase::Pending { pause: Pause::NotPaused, .. } | Phase::WaitingForDependencies => {
                Action::Nothing
            }
            Phase::StopRequested { .. } | Phase::Ending { .. } => {
                Action::Refused(Refusal::Stopping)
            }
            Phase::Blocked => Action::Refused(Refusal::Blocked),
            Phase::Idle(_) | Phase::Abandoned(_) => Action::Refused(Refusal::NotActive),
        }
    }

    /// What to wait for after a pause. With an interval or a calendar, runs that were due during it are
    /// skipped without being counted, and the schedule continues from now. Any other run that was
    /// due, and a restart whose backoff is over, begins now.
    fn wait_after_resume(&mut self, wait: Wait, spec: &Spec, facts: &Facts<'_>) -> Wait {
        match wait {
            Wait::Due(_)
            | Wait::DueWithTolerance(_)
            | Wait::Occurrence { .. }
            | Wait::ExactOccurrence { .. } => {
                let due = self.due_of(wait);
                match &spec.schedule {
                    // A run that was due during the pause does not begin, even if the tolerance would
                    // still allow it.
                    Schedule::Interval(period) if due < facts.now => {
                        let due = self.grid(*period).next(due, facts.now);
                        Wait::for_due_time(spec, facts, due)
                    }
                    Schedule::Interval(_)
                    | Schedule::Delay(_)
                    | Schedule::Continuous
                    | Schedule::Queue(_) => {
                        if due < facts.now {
                            Wait::Due(facts.now)
                        } else {
                            wait
                        }
                    }
                    Schedule::Calendar(calendar, _) => {
                        self.cron_wait_after_resume(calendar, spec, facts, wait)
                    }
                }
            }
            Wait::Backoff(due) => Wait::Backoff(due.max(facts.now)),
        }
    }

    /// Ends the activation; a run or clean-up still in progress at `new_deadline` is abandoned.
    pub(super) fn stop(
        &mut self,
        facts: &Facts<'_>,
        new_deadline: Nanos,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match &mut self.phase {
            // Jobs that began before an engine failed are still in progress, or are to be settled: wait for them.
            Phase::Pending { .. } if facts.has_jobs => {
                emit(Transition::Stopping);
                self.progress = Progress::NotReady;
                self.request_stop(facts, new_deadline, false, emit)
            }
            Phase::WaitingForDependencies | Phase::Blocked | Phase::Pending { .. } => {
                emit(Transition::Stopping);
                self.end(facts, EndReason::Stopped, new_deadline, false, CleanUp::Queued, emit)
            }
            Phase::Running { cancelled, .. } => {
                let cancelled = *cancelled;
                emit(Transition::Stopping);
                self.progress = Progress::NotReady;
                self.request_stop(facts, new_deadline, cancelled, emit)
            }
            Phase::StopRequested { deadline, dropped, start_again } => {
                *deadline = if *dropped {
                    Self::drop_deadline(*deadline, new_deadline, facts)
                } else {
                    new_deadline.min(*deadline)
                };
                *start_again = false;
                Action::Nothing
            }
            Phase::Ending { reason, deadline, start_again, .. } => {
                match reason {
                    // The clean-up may be sleeping, and is only woken by this transition, which has not
                    // been emitted yet if the activation ended without a stop request.
                    EndReason::Finished | EndReason::Failed => {
                        emit(Transition::Stopping);
                        *deadline = new_deadline.min(*deadline);
                    }
                    EndReason::Stopped => *deadline = new_deadline.min(*deadline),
                    EndReason::Cancelled => {
                        *deadline = Self::drop_deadline(*deadline, new_deadline, facts);
                    }
                }
                *start_again = false;
                Action::Nothing
            }
            Phase::Idle(_) | Phase::Abandoned(_) => Action::Nothing,
        }
    }
}

/// When the first run of an activation is due that begins now, without a calendar and jitter.
fn first_due(spec: &Spec, facts: &Facts<'_>) -> Nanos {
    facts.now.saturating_add(nanos(spec.initial_delay))
}
