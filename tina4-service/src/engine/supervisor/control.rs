//! Requests to one service, and the answers to them.

use std::sync::{Arc, Weak};
use std::time::Duration;

use super::Supervisor;
use crate::engine::control_error::ControlError;
use crate::engine::pool::poll::Poll;
use crate::observe::event::Change;
use crate::observe::stop_report::Stopped;
use crate::service::instance::Instance;
#[cfg(feature = "run-log")]
use crate::service::run_log::store::Logs;
use tina4_service_core::lifecycle::{Action, Input, Refusal, State};
use tina4_service_core::{Nanos, nanos};

/// The immediate answer to a request to stop.
#[derive(Clone, Debug)]
pub(crate) enum StopResponse {
    /// The service is stopping.
    Pending(PendingStop),
    /// There was nothing to stop.
    Answered(Stopped),
}

/// A stop in progress, to wait for with [`Supervisor::stop_result`].
#[derive(Clone, Debug)]
pub(crate) struct PendingStop {
    pub(crate) index: u32,
    /// The service. The index alone does not identify it: the service may be unregistered while somebody
    /// waits for its stop. Weak, because it owns user values.
    instance: Weak<Instance>,
    activation: u32,
    requested: Nanos,
}

impl Supervisor {
    /// The index of the service with this name. The caller adds the most similar known name to the
    /// error, without the lock.
    pub(super) fn find(&self, name: &str) -> Result<u32, ControlError> {
        let unknown = || ControlError::Unknown { name: name.to_owned(), nearest: None };
        self.registry.find(name).ok_or_else(unknown)
    }

    /// The index of the service with this name, if there is one.
    #[cfg(feature = "tokio")]
    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        self.registry.find(name)
    }

    pub(crate) fn request(
        &mut self,
        name: &str,
        input: Input<'_>,
        now: Nanos,
    ) -> Result<(), ControlError> {
        let index = self.find(name)?;
        match self.apply(index, input, now) {
            Action::Refused(refusal) => return Err(self.refusal_error(index, refusal, now)),
            Action::Nothing | Action::Run { .. } | Action::CleanUp => {}
        }
        if input == Input::RunNow {
            let by = self.requester_of(index);
            self.registry.get_mut(index).record_run_request(by);
        }
        Ok(())
    }

    pub(super) fn refusal_error(&self, index: u32, refusal: Refusal, now: Nanos) -> ControlError {
        let service = self.registry.get(index);
        let name = service.instance.definition.name_str().to_owned();
        match refusal {
            // `Active` does not get here: `start` treats an active service as success.
            Refusal::Active | Refusal::NotActive => {
                let state = service.life.state();
                let disabled = service.instance.definition.disabled();
                match disabled.filter(|_| state == State::Disabled) {
                    Some(reason) => ControlError::Disabled { name, reason: Arc::clone(reason) },
                    None => ControlError::NotActive { name, state },
                }
            }
            Refusal::WaitingForDependencies => ControlError::WaitingForDependencies { name },
            Refusal::Blocked => {
                ControlError::Blocked { name, by: self.names_of_unready_dependencies(index) }
            }
            Refusal::Busy => ControlError::Busy { name },
            Refusal::Stopping => ControlError::Stopping { name },
            Refusal::Lingering => ControlError::StillAlive {
                name,
                age: service.executing_for(now),
                place: service.instance.definition.place(),
            },
        }
    }

    /// Forgets the failures of one service.
    pub(crate) fn reset(&mut self, name: &str, now: Nanos) -> Result<(), ControlError> {
        let index = self.find(name)?;
        let service = self.registry.get(index);
        let has_failed = service.last_failure().is_some()
            || service.life.consecutive_crashes() > 0
            || matches!(service.life.state(), State::Failed | State::Abandoned);
        self.request(name, Input::Reset, now)?;
        let service = self.registry.get_mut(index);
        service.forget_failure();
        if service.instance.definition.disabled().is_some() {
            self.apply(index, Input::Disable, now);
        }
        if has_failed {
            self.record(index, Change::Reset, now);
        }
        Ok(())
    }

    /// The log lines of the runs of one service, which the caller reads without the lock.
    #[cfg(feature = "run-log")]
    pub(crate) fn run_log(&self, name: &str) -> Result<Logs, ControlError> {
        Ok(self.env.run_log.read(self.find(name)?))
    }

    /// Asks one service to stop.
    pub(crate) fn request_stop(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<StopResponse, ControlError> {
        let index = self.find(name)?;
        let response = self.begin_stop(index, now);
        self.follow_up(now);
        Ok(response)
    }

    /// Asks one service to stop. The caller must handle the follow-ups.
    pub(super) fn begin_stop(&mut self, index: u32, now: Nanos) -> StopResponse {
        let service = self.registry.get_mut(index);
        let (state, place) = (service.life.state(), service.instance.definition.place());
        if !state.is_active() && state != State::Blocked {
            return StopResponse::Answered(if service.life.is_executing() {
                Stopped::Abandoned { age: service.executing_for(now), place }
            } else {
                Stopped::NotActive { state }
            });
        }
        let activation = service.life.activation();
        let deadline = now.saturating_add(nanos(service.instance.definition.spec().stop_timeout));
        service.record_stop_request(now);
        self.step(index, Input::Stop { deadline }, now);
        let instance = Arc::downgrade(&self.registry.get(index).instance);
        StopResponse::Pending(PendingStop { index, instance, activation, requested: now })
    }

    /// Asks one service to stop and to start again. Returns the stop to wait for, if it was active.
    pub(crate) fn request_restart(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Option<PendingStop>, ControlError> {
        // A service that could not start again is not stopped.
        let index = self.find_startable(name)?;
        // Defer follow-ups until after the start, so that dependents keep waiting for it.
        match self.begin_stop(index, now) {
            StopResponse::Pending(pending) => {
                // If no run and no clean-up was left, the service has stopped already, and this
                // starts it. Otherwise this records that the service is to start again.
                self.start(name, now)?;
                Ok(Some(pending))
            }
            StopResponse::Answered(_) => self.start(name, now).map(|()| None),
        }
    }

    /// The result of a stop. `caller`: the service that waits for it, if any.
    pub(crate) fn stop_result(
        &mut self,
        pending: &PendingStop,
        caller: Option<u32>,
        now: Nanos,
    ) -> Poll<Stopped> {
        let PendingStop { index, instance, activation, requested } = pending;
        let (index, activation) = (*index, *activation);
        let ended = |at: Nanos| Stopped::Ended {
            after: Duration::from_nanos(at.saturating_sub(*requested)),
        };
        if !self.registry.has(index, instance) {
            return Poll::Ready(ended(now));
        }
        let is_late = |deadline| deadline <= now;
        if self.registry.get(index).life.stop_deadline().is_some_and(is_late) {
            self.apply(index, Input::Expired, now);
        }
        let service = self.registry.get(index);
        let is_same_activation = service.life.activation() == activation;
        if is_same_activation && service.life.state() == State::Abandoned {
            let place = service.instance.definition.place();
            return Poll::Ready(Stopped::Abandoned { age: service.executing_for(now), place });
        }
        if !is_same_activation || !service.life.state().is_active() {
            return Poll::Ready(ended(service.ended_at().unwrap_or(now)));
        }
        // Two services that stop each other would wait forever, so a run that has itself been asked
        // to return, because of a stop or of its timeout, does not wait.
        if caller.is_some_and(|caller| self.registry.get(caller).instance.is_stop_requested()) {
            return Poll::Ready(Stopped::Requested);
        }
        let deadline = service.life.stop_deadline();
        Poll::Pending(deadline.into_iter().chain(self.log_slow_stop(index, now)).min())
    }
}
