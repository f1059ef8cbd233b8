//! Waiting for a service to become ready, and what services wait for.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::{Arc, Weak};

use super::Supervisor;
use crate::engine::Engine;
use crate::engine::control_error::ControlError;
use crate::engine::pool::poll::Poll;
use crate::service::instance::Instance;
use crate::service::ready_listener::ReadyListener;
use crate::text::one_line::OneLine;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Input, State};

/// Of how many services a reason tells why they cannot become ready.
const MAX_REASONS: usize = 3;

impl ReadyListener for Engine {
    fn notified(self: Arc<Self>, service: &str, instance: usize, may_block: bool) {
        let notify = |supervisor: &mut Supervisor, now| supervisor.notified(service, instance, now);
        #[cfg(feature = "tokio")]
        if !may_block {
            return self.with_nonblocking(notify);
        }
        let _ = may_block;
        self.with(notify);
    }
}

/// A wait for a service to become ready.
#[derive(Debug)]
pub(crate) struct ReadyWait {
    index: u32,
    name: String,
    /// The service. The index alone does not identify it, because the service may be unregistered
    /// meanwhile. Weak, because it owns user values.
    instance: Weak<Instance>,
}

impl Supervisor {
    /// The service has called `ctx.ready()`. `instance` is the address of its instance.
    pub(crate) fn notified(&mut self, name: &str, instance: usize, now: Nanos) {
        let index = self.registry.find(name);
        let is_same =
            |index: &u32| Arc::as_ptr(&self.registry.get(*index).instance).addr() == instance;
        if let Some(index) = index.filter(is_same) {
            self.apply(index, Input::Notified, now);
        }
    }

    /// The names of the services that keep this one from running; see
    /// [`Registry::unready_dependencies`](super::registry::Registry::unready_dependencies).
    pub(super) fn names_of_unready_dependencies(&self, index: u32) -> Vec<Cow<'static, str>> {
        let indices = self.registry.unready_dependencies(index).into_iter();
        indices.map(|index| self.registry.get(index).instance.definition.name()).collect()
    }

    /// Why a service is disabled or blocked, if it is.
    pub(super) fn reason(&self, index: u32) -> Option<Arc<str>> {
        let service = self.registry.get(index);
        let state = service.life.state();
        if state == State::Disabled {
            return service.instance.definition.disabled().cloned();
        }
        if state != State::Blocked {
            return None;
        }
        let unready = self.registry.unready_dependencies(index);
        let mut reason = String::new();
        for (nth, index) in unready.iter().take(MAX_REASONS).enumerate() {
            let dependency = self.registry.get(*index);
            let definition = &dependency.instance.definition;
            reason.push_str(if nth == 0 { "" } else { "; " });
            let name = OneLine(definition.name_str());
            let state = dependency.life.state();
            let _ = match (state, definition.disabled()) {
                (State::Registered, _) => write!(reason, "`{name}` has not been started"),
                (State::Disabled, Some(by)) => {
                    write!(reason, "`{name}` is disabled by `{}`", OneLine(by))
                }
                (state, _) => write!(reason, "`{name}` is {state}"),
            };
        }
        if unready.len() > MAX_REASONS {
            let _ = write!(reason, "; and {} more", unready.len() - MAX_REASONS);
        }
        Some(reason.into())
    }

    /// Begins to wait for a service to become ready. The caller must then call
    /// [`Supervisor::ready_result`] until it is ready, and [`Supervisor::end_ready_wait`] once.
    pub(crate) fn begin_ready_wait(
        &mut self,
        name: &str,
        caller: Option<u32>,
    ) -> Result<ReadyWait, ControlError> {
        let index = self.find(name)?;
        if caller == Some(index) && !self.registry.get(index).life.readiness().is_ready() {
            return Err(ControlError::WaitsForItself { name: name.to_owned() });
        }
        self.ready_waiters += 1;
        let instance = Arc::downgrade(&self.registry.get(index).instance);
        Ok(ReadyWait { index, name: name.to_owned(), instance })
    }

    pub(crate) fn end_ready_wait(&mut self) {
        self.ready_waiters -= 1;
    }

    /// Whether the service is ready. `caller`: the service that waits for it, if any.
    pub(crate) fn ready_result(
        &self,
        wait: &ReadyWait,
        caller: Option<u32>,
    ) -> Poll<Result<(), ControlError>> {
        let index = wait.index;
        let name = || wait.name.clone();
        if !self.registry.has(index, &wait.instance) {
            return Poll::Ready(Err(ControlError::Unknown { name: name(), nearest: None }));
        }
        let service = self.registry.get(index);
        let readiness = service.life.readiness();
        if readiness.is_ready() {
            return Poll::Ready(Ok(()));
        }
        let state = service.life.state();
        if state == State::Blocked {
            let by = self.names_of_unready_dependencies(index);
            return Poll::Ready(Err(ControlError::Blocked { name: name(), by }));
        }
        if let Some(reason) = service.instance.definition.disabled()
            && state == State::Disabled
        {
            let reason = Arc::clone(reason);
            return Poll::Ready(Err(ControlError::Disabled { name: name(), reason }));
        }
        if !readiness.may_become_ready() {
            return Poll::Ready(Err(ControlError::NotReady { name: name(), state }));
        }
        // A service that has been asked to stop does not wait for others.
        if caller.is_some_and(|caller| self.registry.get(caller).instance.is_stop_requested()) {
            return Poll::Ready(Err(ControlError::Interrupted { name: name() }));
        }
        Poll::Pending(None)
    }
}
