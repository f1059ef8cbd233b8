//! The beginnings and ends of tasks. The ends are reported by the threads of the runtime, which must not block.

use std::sync::{Arc, Weak};

use super::Supervisor;
use super::start::starts_with_all;
#[cfg(feature = "exit-hook")]
use super::supervised::Supervised;
use crate::engine::Engine;
#[cfg(feature = "exit-hook")]
use crate::engine::current;
use crate::engine::pool::work_source::WorkSource;
use crate::engine::work::WorkId;
use crate::observe::stats::Stats;
use crate::service::context::Context;
use crate::service::ended_runs::EndedRun;
use crate::service::instance::Instance;
use crate::service::outcome::Exit;
use crate::service::queued_run::{QueuedRun, RunEnd};
use crate::service::task_listener::TaskListener;
#[cfg(feature = "exit-hook")]
use crate::sys::runtime::{self, Handle};
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Action, Crash, Input, RunKind, State};

/// The maximum number of due runs that are handed over while the lock is held.
const MAX_DUE_RUNS: usize = 64;
/// How often a thread looks for runs that have ended before it releases the lock.
const MAX_LOOKS: usize = 8;

impl TaskListener for Engine {
    fn run_ended(self: Arc<Self>, index: u32, exit: Exit<Box<Crash>>) {
        if !self.ended_runs.add(EndedRun { index, exit }) {
            return;
        }
        // Afterwards wakers are called, which are user code and may block. By then, this thread is not the one
        // that reports any more.
        self.with_nonblocking(|supervisor, mut now| {
            let mut batch = Vec::new();
            for number in 1..=MAX_LOOKS {
                if !self.ended_runs.take(&mut batch, number == MAX_LOOKS) {
                    break;
                }
                if number > 1 {
                    now = supervisor.env.clock.now();
                }
                for EndedRun { index, exit } in batch.drain(..) {
                    supervisor.run_task_ended(index, &exit, now);
                }
            }
        });
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

    /// At the end of the process: the runtime, if the thread that ends it may be the only one that drives it.
    /// `true`: it is known to have driven it; otherwise a task called the end of the process, on a runtime whose
    /// other threads may be blocked. `caller`: see [`Supervisor::begin_process_exit`].
    #[cfg(feature = "exit-hook")]
    pub(crate) fn possibly_unpolled_runtime(
        &self,
        caller: Option<(usize, u32)>,
    ) -> Option<(Handle, bool)> {
        let uses_runtime =
            |service: &Supervised| service.life.state().is_active() && service.is_async();
        if !self.registry.iter().any(uses_runtime) {
            return None;
        }
        let driven_here = self.env.runtime.driven_here().map(|handle| (handle, true));
        let is_in_task = || {
            let (runner, index) = caller?;
            let own = runner == current::runner_id(&self.env);
            // It may have stopped already.
            (own && self.registry.get(index).is_async()).then(|| self.env.runtime.handle())?
        };
        driven_here.or_else(|| Some((is_in_task()?, false)))
    }

    /// Nothing polls the tasks of the runtime any more: treats them like runs whose threads are lost, so that
    /// workers run the plain hooks. Returns the names of the services whose async hooks are not
    /// run.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn declare_tasks_unpolled(&mut self, now: Nanos) -> Vec<String> {
        self.tasks_are_unpolled = true;
        self.env.runtime.forget();
        let has_async_hook = |service: &&Supervised| {
            service.life.state().is_active()
                && service.instance.definition.on_stop_kind() == RunKind::Task
                && (service.instance.has_hooks() || service.has_hook_task())
        };
        let name = |service: &Supervised| service.instance.definition.name_str().to_owned();
        let names = self.registry.iter().filter(has_async_hook).map(name).collect();
        let indices: Vec<_> = self.registry.indices().collect();
        for index in indices {
            self.end_unpolled_task(index, now);
            self.follow_up(now);
        }
        names
    }

    /// If nothing polls the tasks, ends the one of this service, once the service is asked to stop.
    #[cfg(feature = "exit-hook")]
    pub(super) fn end_unpolled_task(&mut self, index: u32, now: Nanos) {
        let service = self.registry.get_mut(index);
        if !self.tasks_are_unpolled || service.life.stop_deadline().is_none() {
            return;
        }
        let is_task = service.instance.definition.run_kind() == RunKind::Task;
        if is_task && service.life.running_since().is_some() {
            self.step(index, Input::ThreadLost, now);
        } else if service.has_hook_task() && service.life.is_executing() {
            service.end_mut().has_hook_task = false;
            self.record_failed_hooks(index, vec![runtime::NOT_POLLED.into()], now);
            self.step(index, Input::ThreadLost, now);
        }
    }

    /// Adds other runs of async services that are due to the queue of the task pool. Returns the run that the worker
    /// is to execute instead of `first`. It adds this one itself, and that wakes the tasks for all of them.
    // perf: together, because the tasks that execute the first runs would compete with the worker for the lock.
    #[inline(never)]
    pub(super) fn add_due_tasks(&mut self, first: WorkId, now: Nanos) -> WorkId {
        let mut last = first;
        // In virtual time, runs begin one after another.
        let has_to_wait = !self.registry.get(first.index).instance.is_start_logged();
        if self.env.clock.is_virtual() || has_to_wait || !self.is_task_due(now) {
            return last;
        }
        let mut runs = Vec::new();
        let tasks = self.env.runtime.tasks();
        let listener = self.env.task_listener.get().and_then(Weak::upgrade);
        let Some((tasks, listener)) = tasks.zip(listener) else { return last };
        while runs.len() < MAX_DUE_RUNS && !self.deferred.is_pending() && self.is_task_due(now) {
            let Some((_, index)) = self.timers.pop() else { break };
            self.registry.get_mut(index).queued = Nanos::MAX;
            match self.apply(index, Input::Due, now) {
                Action::Run { .. } => {
                    let service = self.registry.get(last.index);
                    let host = Arc::<Instance>::clone(&service.instance);
                    let context = Context::new(host, service.last_run());
                    let end = RunEnd::new(last.index, Arc::clone(&listener));
                    runs.push(QueuedRun { context, queued: now, end });
                    last = WorkId { index, ..last };
                }
                // It is checked again later. Nothing else follows while a service waits for its due time.
                Action::Nothing | Action::CleanUp | Action::Refused(_) => {}
            }
        }
        if self.deferred.is_pending() || self.changed {
            // The last step has caused effects that the worker has to carry out before. They may block, so
            // the other runs must not wait for them.
            self.deferred.call_first(move || tasks.push_all(runs));
        } else {
            // The runtime may have been replaced, because it is gone. Without the lock, because that reports
            // their ends.
            self.deferred.discard(tasks.add(runs));
        }
        last
    }

    /// Whether the first service in the timer queue is async and due for a run, and no worker has to wait for the log
    /// line about its start.
    fn is_task_due(&mut self, now: Nanos) -> bool {
        if self.next_due().is_none_or(|due| due > now && !self.may_begin_early(now)) {
            return false;
        }
        self.timers.peek().is_some_and(|(_, index)| {
            let service = self.registry.get(index);
            service.instance.definition.run_kind() == RunKind::Task
                && matches!(service.life.state(), State::Waiting | State::BackingOff)
                && service.instance.is_start_logged()
        })
    }

    // perf: not a second caller of `complete`, which is inlined into the worker.
    fn run_task_ended(&mut self, index: u32, exit: &Exit<Box<Crash>>, now: Nanos) {
        let service = self.registry.get_mut(index);
        let duration = now.saturating_sub(service.life.run_started());
        if service.life.state() == State::Running && !matches!(exit, Exit::Crashed(_)) {
            if service.stats.must_look(now) {
                self.remember_return(index, (now, duration), Stats::task_ended);
            } else {
                service.stats.task_ended(now, duration);
                service.count_duration(duration);
            }
            self.record_run_end(index, duration, now);
        } else {
            let times = (now, duration);
            self.record_unusual_end(index, times, exit.as_deref(), Stats::task_ended, now);
        }
        // The next run, or the clean-up, is due now: a worker begins it.
        self.apply(index, Input::RunEnded(exit.as_deref()), now);
    }

    fn clean_up_ended(&mut self, index: u32, failures: Vec<Arc<str>>, now: Nanos) {
        self.record_failed_hooks(index, failures, now);
        self.apply(index, Input::CleanedUp, now);
    }
}
