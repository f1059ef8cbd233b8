//! Removing services from a runner.

use std::sync::{Arc, Weak};

use super::Supervisor;
use super::control::{PendingStop, StopResponse};
use crate::engine::control_error::ControlError;
use crate::engine::pool::poll::Poll;
use crate::observe::event::Change;
use crate::observe::stop_report::Stopped;
use crate::service::instance::Instance;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::State;

/// A request to remove a service, to be answered with [`Supervisor::unregister_result`].
#[derive(Debug)]
pub(crate) struct Removal {
    index: u32,
    name: String,
    /// The service. The index alone does not identify it, because somebody else may remove it first.
    /// Weak, because it owns user values.
    instance: Weak<Instance>,
    /// The stop that has to end first.
    stop: Option<PendingStop>,
    /// How the service stopped.
    stopped: Option<Stopped>,
}

impl Supervisor {
    /// Begins to remove a service.
    pub(crate) fn begin_unregister(
        &mut self,
        name: &str,
        caller: Option<u32>,
        now: Nanos,
    ) -> Result<Removal, ControlError> {
        let index = self.find(name)?;
        self.may_unregister(index, caller, now)?;
        let instance = Arc::downgrade(&self.registry.get(index).instance);
        Ok(Removal { index, name: name.to_owned(), instance, stop: None, stopped: None })
    }

    /// Removes the service once it has stopped; asks it to stop first.
    ///
    /// Somebody may start the service again between the end of its stop and this call, which then stops
    /// it once more.
    pub(crate) fn unregister_result(
        &mut self,
        removal: &mut Removal,
        caller: Option<u32>,
        now: Nanos,
    ) -> Poll<Result<Stopped, ControlError>> {
        let Removal { index, name, instance, stop, stopped } = removal;
        let index = *index;
        let name = || name.clone();
        loop {
            if !self.registry.has(index, instance) {
                return Poll::Ready(Err(ControlError::Unknown { name: name(), nearest: None }));
            }
            if let Some(pending) = stop {
                match self.stop_result(pending, caller, now) {
                    Poll::Pending(deadline) => return Poll::Pending(deadline),
                    Poll::Ready(Stopped::Abandoned { age, place }) => {
                        let error = ControlError::StillAlive { name: name(), age, place };
                        return Poll::Ready(Err(error));
                    }
                    Poll::Ready(Stopped::Requested) => {
                        return Poll::Ready(Err(ControlError::Interrupted { name: name() }));
                    }
                    Poll::Ready(ended @ (Stopped::Ended { .. } | Stopped::NotActive { .. })) => {
                        stopped.get_or_insert(ended);
                        *stop = None;
                    }
                }
            }
            if let Err(error) = self.may_unregister(index, caller, now) {
                return Poll::Ready(Err(error));
            }
            match self.begin_stop(index, now) {
                StopResponse::Pending(pending) => {
                    *stop = Some(pending);
                    self.follow_up(now);
                }
                StopResponse::Answered(answer) => {
                    self.remove(index, now);
                    return Poll::Ready(Ok(stopped.take().unwrap_or(answer)));
                }
            }
        }
    }

    /// Whether a service may be removed once it has stopped.
    fn may_unregister(
        &self,
        index: u32,
        caller: Option<u32>,
        now: Nanos,
    ) -> Result<(), ControlError> {
        let service = self.registry.get(index);
        let name = || service.instance.definition.name_str().to_owned();
        if caller == Some(index) {
            return Err(ControlError::UnregistersItself { name: name() });
        }
        if service.life.is_lingering() {
            let (age, place) = (service.executing_for(now), service.instance.definition.place());
            return Err(ControlError::StillAlive { name: name(), age, place });
        }
        // A blocked one waits for this service, and would wait forever.
        let needs_it = |dependent: &&u32| {
            let state = self.registry.get(**dependent).life.state();
            **dependent != index && (state.is_active() || state == State::Blocked)
        };
        let by: Vec<_> = service.dependents().iter().filter(needs_it).collect();
        if by.is_empty() {
            return Ok(());
        }
        let by = by.into_iter().map(|index| self.registry.get(*index).instance.definition.name());
        Err(ControlError::InUse { name: name(), by: by.collect() })
    }

    /// Removes a service that has ended.
    fn remove(&mut self, index: u32, now: Nanos) {
        self.record(index, Change::Unregistered, now);
        self.forget_runs(index);
        #[cfg(feature = "run-log")]
        self.env.run_log.forget(index);
        let instance = self.registry.remove(index, &self.env);
        self.note_removal(index);
        let is_same =
            |host: &mut Arc<_>| std::ptr::addr_eq(Arc::as_ptr(host), Arc::as_ptr(&instance));
        drop(self.last_host.take_if(is_same));
        self.deferred.discard(Some(instance));
    }
}
