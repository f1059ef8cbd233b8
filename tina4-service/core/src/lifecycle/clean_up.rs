//! How an activation ends: after its clean-up, or abandoned if its last run or clean-up takes too
//! long.

use super::action::Action;
use super::end_reason::EndReason;
use super::facts::Facts;
use super::machine::Lifecycle;
use super::phase::{CleanUp, Idle, Lingering, Phase};
use super::readiness::Progress;
use super::run_kind::RunKind;
use super::transition::Transition;
use crate::nanos::{Nanos, nanos};
use crate::spec::Spec;

/// How long a dropped task and the clean-up after it may take before they are abandoned. Less than the
/// second after which the process ends under `run`.
const DROP_GRACE: Nanos = 500_000_000;

impl Lifecycle {
    /// Ends the activation, after its clean-up if there is one.
    pub(super) fn end(
        &mut self,
        facts: &Facts<'_>,
        reason: EndReason,
        deadline: Nanos,
        start_again: bool,
        clean_up: CleanUp,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        self.phase = Phase::Ending { reason, clean_up, deadline, start_again };
        match reason {
            // If it is ready, it remains ready: its work is done.
            EndReason::Finished if self.progress == Progress::Ready => {}
            EndReason::Finished | EndReason::Failed => self.progress = Progress::Over,
            EndReason::Stopped | EndReason::Cancelled => self.progress = Progress::NotReady,
        }
        if !facts.has_hooks {
            return self.cleaned_up(emit);
        }
        match clean_up {
            // A queued clean-up is due now, and `since` is its due time, even if the state was
            // `Stopping` before.
            CleanUp::Queued => {
                self.since = facts.now;
                Action::Nothing
            }
            CleanUp::Running => Action::CleanUp,
        }
    }

    /// Handles the end of the clean-up: ends the activation, or reports that an abandoned one has
    /// ended late.
    pub(super) fn cleaned_up(&mut self, emit: &mut impl FnMut(Transition)) -> Action {
        match self.phase {
            Phase::Ending { reason, start_again, .. } => {
                self.phase = Phase::Idle(Idle::Ended(reason));
                emit(Transition::Ended { reason, start_again });
            }
            Phase::Abandoned(Lingering::CleanUp) => {
                self.phase = Phase::Abandoned(Lingering::Nothing);
                emit(Transition::LateEnd);
            }
            // No clean-up is in progress.
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Abandoned(Lingering::Run | Lingering::QueuedCleanUp | Lingering::Nothing) => {}
        }
        Action::Nothing
    }

    /// Asks the run in progress to return by `deadline`. If that has passed already, which happens to the
    /// later services of a shutdown, a task is dropped at once, with what is left of the time for that: all
    /// services of a shutdown share it. A task that was `cancelled` is being dropped already, and the stop
    /// does not undo that.
    pub(super) fn request_stop(
        &mut self,
        facts: &Facts<'_>,
        deadline: Nanos,
        cancelled: bool,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let dropped = (cancelled || deadline < facts.now) && self.kind == RunKind::Task;
        let deadline = if dropped { deadline.saturating_add(DROP_GRACE) } else { deadline };
        self.phase = Phase::StopRequested { deadline, dropped, start_again: false };
        if dropped && !cancelled {
            emit(Transition::RunDropped);
        }
        Action::Nothing
    }

    /// The deadline of a task that is being dropped, and of the clean-up after it, once another stop is to
    /// end by `new_deadline`. What has begun keeps its time.
    pub(super) fn drop_deadline(deadline: Nanos, new_deadline: Nanos, facts: &Facts<'_>) -> Nanos {
        deadline.min(new_deadline.max(facts.now).saturating_add(DROP_GRACE))
    }

    /// Abandons the run or clean-up in progress if the deadline of the stop has passed. A task is dropped
    /// first.
    pub(super) fn expired(
        &mut self,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let (lingering, failed) = match self.phase {
            Phase::StopRequested { deadline, dropped: false, start_again }
                if deadline <= facts.now && self.kind == RunKind::Task =>
            {
                let deadline = facts.now.saturating_add(DROP_GRACE);
                self.phase = Phase::StopRequested { deadline, dropped: true, start_again };
                emit(Transition::RunDropped);
                return Action::Nothing;
            }
            Phase::StopRequested { deadline, .. } if deadline <= facts.now => {
                (Lingering::Run, false)
            }
            Phase::Ending { reason, clean_up, deadline, .. } if deadline <= facts.now => {
                let lingering = match clean_up {
                    CleanUp::Queued => Lingering::QueuedCleanUp,
                    CleanUp::Running => Lingering::CleanUp,
                };
                (lingering, reason == EndReason::Failed)
            }
            // No stop is in progress, or there is time left.
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => return Action::Nothing,
        };
        self.phase = Phase::Abandoned(lingering);
        emit(Transition::Abandoned { failed });
        Action::Nothing
    }

    /// Handles a run or clean-up that will never return: queues the clean-up for another worker.
    pub(super) fn thread_lost(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match self.phase {
            Phase::Running { .. } => {
                let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                self.end(facts, EndReason::Stopped, deadline, false, CleanUp::Queued, emit)
            }
            Phase::StopRequested { deadline, .. } => {
                self.end(facts, EndReason::Stopped, deadline, false, CleanUp::Queued, emit)
            }
            Phase::Ending { reason, deadline, .. } => {
                self.end(facts, reason, deadline, false, CleanUp::Queued, emit)
            }
            Phase::Abandoned(Lingering::Run | Lingering::CleanUp) => {
                self.phase = Phase::Abandoned(if facts.has_hooks {
                    Lingering::QueuedCleanUp
                } else {
                    Lingering::Nothing
                });
                self.since = facts.now;
                Action::Nothing
            }
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Abandoned(Lingering::QueuedCleanUp | Lingering::Nothing) => Action::Nothing,
        }
    }
}
