//! The ends of tasks. They are reported by the threads of the runtime, which must not block.

use std::sync::Arc;

use super::Supervisor;
use super::start::starts_with_all;
use crate::engine::Engine;
use crate::service::outcome::Exit;
use crate::service::task_listener::TaskListener;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Crash, Input, State};

impl TaskListener for Engine {
    fn run_ended(self: Arc<Self>, index: u32, exit: Exit<Box<Crash>>) {
        self.with_nonblocking(|supervisor, now| supervisor.run_task_ended(index, &exit, now));
    }

    fn clean_up_ended(self: Arc<Self>, index: u32, failures: Vec<Arc<str>>) {
        self.with_nonblocking(|supervisor, now| supervisor.clean_up_ended(index, failures, now));
    }
}

impl Supervisor {
    /// Whether an async service is active. `name`: only this one counts.
    pub(crate) fn has_active_task(&self, name: Option<&str>) -> bool {
        self.registry.iter().any(|service| {
            service.life.state().is_active()
                && name.is_none_or(|name| service.instance.definition.name_str() == name)
                && service.is_async()
        })
    }

    /// Whether a start needs the runtime: of the service with this name, or of all services.
    pub(crate) fn start_needs_runtime(&mut self, name: Option<&str>) -> bool {
        match name {
            Some(name) => {
                let index = self.registry.find(name);
                index.is_some_and(|index| self.registry.get(index).is_async())
            }
            None => {
                self.registry.iter().any(|service| starts_with_all(service) && service.is_async())
            }
        }
    }

    // perf: not a second caller of `complete`, which is inlined into the worker.
    fn run_task_ended(&mut self, index: u32, exit: &Exit<Box<Crash>>, now: Nanos) {
        let service = self.registry.get_mut(index);
        // The result of an abandoned run is discarded.
        if service.life.state() != State::Abandoned {
            let duration = now.saturating_sub(service.life.run_started());
            service.stats.ended(now, duration);
            self.record_run_end(index, duration, now);
        }
        // The next run, or the clean-up, is due now: a worker begins it.
        self.apply(index, Input::RunEnded(exit.as_deref()), now);
    }

    fn clean_up_ended(&mut self, index: u32, failures: Vec<Arc<str>>, now: Nanos) {
        self.record_failed_hooks(index, failures, now);
        self.apply(index, Input::CleanedUp, now);
    }
}
