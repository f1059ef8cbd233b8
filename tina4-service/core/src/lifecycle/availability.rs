//! Whether a program has to wait for a service before it is ready for work from outside.

use super::machine::Lifecycle;
use super::readiness::Progress;
use super::state::State;
use crate::nanos::Nanos;
use crate::ready::Ready;
use crate::schedule::Schedule;
use crate::spec::Spec;

/// Why a program is not ready because of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotReady {
    /// It has not been started.
    NotStarted,
    /// It waits for the services that it depends on.
    WaitsForDependencies,
    /// A service that it requires cannot become ready.
    Blocked,
    /// Its first run has not begun.
    BeforeFirstRun,
    /// Its first run is in progress.
    FirstRun,
    /// It has not said that it is ready.
    NotNotified,
    /// A run has crashed, and it has not become ready since.
    Crashed,
    /// It has finished without becoming ready.
    Finished,
    /// It has failed for good.
    Failed,
    /// It was abandoned.
    Abandoned,
}

impl Lifecycle {
    /// Whether the start of a program waits for this service, which was to start with it: it is starting, and neither
    /// a due time nor a request is the reason.
    ///
    /// A crash ends that, unless the service says when it is ready: then only its failure does.
    #[must_use]
    pub fn holds_up_start(&self, spec: &Spec, now: Nanos) -> Option<NotReady> {
        match self.state() {
            State::Registered => Some(NotReady::NotStarted),
            State::Blocked => Some(NotReady::Blocked),
            State::Waiting if self.is_waiting_for_dependencies() => {
                Some(NotReady::WaitsForDependencies)
            }
            State::Waiting | State::Running | State::BackingOff if begins_later(spec) => None,
            State::Waiting | State::Running | State::BackingOff => match self.progress {
                Progress::NotReady => self.before_first_end(spec, now),
                // It waits for its schedule.
                Progress::NotReadyAfterRun if spec.schedule.is_periodic() => None,
                Progress::NotReadyAfterRun => Some(NotReady::NotNotified),
                Progress::CrashedBeforeReady => says_when_ready(spec).then_some(NotReady::Crashed),
                Progress::Ready | Progress::Over => None,
            },
            // It cannot become ready any more, or somebody has paused or stopped it.
            State::Failed
            | State::Abandoned
            | State::Finished
            | State::Paused
            | State::Stopping
            | State::Stopped
            | State::Cancelled
            | State::Disabled => None,
        }
    }

    fn before_first_end(&self, spec: &Spec, now: Nanos) -> Option<NotReady> {
        if self.state() == State::Running {
            return Some(while_running(spec));
        }
        // A run that is planned for later is the schedule's.
        let is_due = self.next_run().is_some_and(|due| due <= now);
        is_due.then_some(NotReady::BeforeFirstRun)
    }

    /// Whether a program that needs this service is without it. One that somebody has paused, stopped or disabled is
    /// not needed. `has_failed`: its activation is ending, or has ended, because it failed for good.
    #[must_use]
    pub fn needed_but_not_ready(&self, spec: &Spec, has_failed: bool) -> Option<NotReady> {
        let is_ready = self.progress == Progress::Ready;
        match self.state() {
            State::Registered => Some(NotReady::NotStarted),
            State::Blocked => Some(NotReady::Blocked),
            State::Failed => Some(NotReady::Failed),
            State::Abandoned => Some(NotReady::Abandoned),
            State::Stopping => has_failed.then_some(NotReady::Failed),
            State::Finished => (!is_ready).then_some(NotReady::Finished),
            State::Waiting if self.is_waiting_for_dependencies() => {
                Some(NotReady::WaitsForDependencies)
            }
            State::Waiting | State::Running | State::BackingOff => match self.progress {
                Progress::Ready => None,
                Progress::CrashedBeforeReady => Some(NotReady::Crashed),
                Progress::NotReadyAfterRun => Some(NotReady::NotNotified),
                Progress::NotReady | Progress::Over if self.state() == State::Running => {
                    Some(while_running(spec))
                }
                Progress::NotReady | Progress::Over => Some(NotReady::BeforeFirstRun),
            },
            State::Paused | State::Stopped | State::Cancelled | State::Disabled => None,
        }
    }
}

/// Whether the service says when it is ready, other than by its first run ending well. Whoever says so means it: a crash
/// is not enough for the start of the program to go on without it.
fn says_when_ready(spec: &Spec) -> bool {
    match spec.ready {
        Some(Ready::Finished | Ready::Notified) => true,
        Some(Ready::Started) | None => false,
    }
}

/// Whether the first run of an activation waits for a time. Then the start of a program does not wait for the run
/// either, or the program would be ready until it begins, and not any more while it is in progress.
fn begins_later(spec: &Spec) -> bool {
    let has_time = match &spec.schedule {
        Schedule::Calendar(..) => true,
        Schedule::Continuous | Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Queue(_) => {
            false
        }
    };
    has_time || !spec.initial_delay.is_zero() || !spec.jitter.is_zero()
}

fn while_running(spec: &Spec) -> NotReady {
    match spec.ready {
        Some(Ready::Notified) => NotReady::NotNotified,
        Some(Ready::Started | Ready::Finished) | None => NotReady::FirstRun,
    }
}
