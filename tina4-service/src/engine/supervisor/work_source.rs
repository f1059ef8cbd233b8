//! The supervisor as the pool's source of work.

use std::io;
use std::sync::Arc;

use super::Supervisor;
use crate::engine::invoke;
use crate::engine::pool::deferred::DeferredQueue;
use crate::engine::pool::work_source::{Timing, WorkSource};
use crate::engine::work::{Completion, WorkId, WorkItem, WorkKind};
use crate::observe::event::Change;
use crate::service::context::Context;
#[cfg(feature = "tokio")]
use crate::service::host::Host;
use crate::service::instance::Instance;
use tina4_service_core::lifecycle::{Action, Input, RunKind, State};
use tina4_service_core::{Exit, Nanos};

/// The work that an action asks for.
fn work(index: u32, action: Action) -> Option<WorkId> {
    match action {
        Action::Run { kind, .. } => {
            let kind = match kind {
                RunKind::Call => WorkKind::Run,
                RunKind::Task => WorkKind::Task,
            };
            Some(WorkId { index, kind })
        }
        Action::CleanUp => Some(WorkId { index, kind: WorkKind::CleanUp }),
        Action::Nothing | Action::Refused(_) => None,
    }
}

impl Supervisor {
    /// Whether there is other work for the worker that has just run a service and holds the lock.
    fn has_other_work(&self, now: Nanos) -> bool {
        self.timers.peek().is_some_and(|(due, _)| due <= now) || self.deferred.is_pending()
    }

    /// Drops the host of a run that has become a task. The task may have ended already, and its service may
    /// have been removed since; then the host is the last owner of user values.
    #[cfg(feature = "tokio")]
    fn release_host(&mut self, index: u32, host: Arc<dyn Host>) {
        let registered = &self.registry.get(index).instance;
        if !std::ptr::addr_eq(&raw const *host, &raw const **registered) {
            self.deferred.discard(Some(host));
        }
    }

    /// Whether the first service in the timer queue may begin its run, thanks to its tolerance.
    // perf: not inlined, because a worker asks for it only before it waits.
    #[inline(never)]
    fn may_begin_early(&self, now: Nanos) -> bool {
        self.timers.peek().is_some_and(|(_, index)| {
            self.registry.get(index).life.next_wake_up().is_some_and(|at| at <= now)
        })
    }
}

impl WorkSource for Supervisor {
    type WorkId = WorkId;
    type WorkItem = WorkItem;
    type Completion = Completion;

    fn next_due(&mut self) -> Option<Nanos> {
        let Self { registry, timers, .. } = self;
        while let Some((due, index)) = timers.peek() {
            let service = registry.get_mut(index);
            if service.is_current(due) {
                return Some(due);
            }
            timers.pop();
            if service.queued == due {
                service.queued = Nanos::MAX;
                service.rearm(index, service.tolerance(), timers);
            }
        }
        None
    }

    fn due_after_next(&self) -> Option<Nanos> {
        self.timers.second_due()
    }

    fn is_due(&mut self, now: Nanos) -> bool {
        self.next_due().is_some_and(|due| due <= now || self.may_begin_early(now))
    }

    #[inline]
    fn take_due(&mut self, now: Nanos) -> Option<WorkId> {
        while !self.deferred.is_pending()
            && self.next_due().is_some_and(|due| due <= now || self.may_begin_early(now))
        {
            let Some((_, index)) = self.timers.pop() else {
                break;
            };
            self.registry.get_mut(index).queued = Nanos::MAX;
            let action = self.apply(index, Input::Due, now);
            if let Some(id) = work(index, action) {
                return Some(id);
            }
        }
        None
    }

    #[inline]
    fn begin(&mut self, id: WorkId) -> WorkItem {
        let WorkId { index, kind } = id;
        let service = self.registry.get(index);
        let host = match self.last_host.take() {
            Some(host) if std::ptr::addr_eq(&raw const *host, &raw const *service.instance) => host,
            Some(_) | None => Arc::<Instance>::clone(&service.instance),
        };
        WorkItem { kind, index, context: Context::new(host, service.last_run()) }
    }

    #[inline]
    fn execute(item: &WorkItem) -> Completion {
        invoke::perform(item)
    }

    #[inline]
    fn complete(
        &mut self,
        item: WorkItem,
        completion: Completion,
        timing: Timing,
    ) -> Option<WorkId> {
        let Timing { began, ended, now, may_repeat } = timing;
        let index = item.index;
        let host = item.context.into_host();
        let action = match completion {
            Completion::Ran(exit) => {
                self.last_host = Some(host);
                let service = self.registry.get_mut(index);
                // The result of an abandoned run is discarded.
                if service.life.state() != State::Abandoned {
                    let duration = ended.saturating_sub(began);
                    service.stats.ended(ended, duration);
                    self.record_run_end(index, duration, now);
                }
                let is_repeat =
                    matches!(exit, Exit::Again) && may_repeat && !self.has_other_work(now);
                let input =
                    if is_repeat { Input::Repeat } else { Input::RunEnded(exit.as_deref()) };
                self.step(index, input, now)
            }
            #[cfg(feature = "tokio")]
            Completion::Spawned => {
                self.release_host(index, host);
                return None;
            }
            Completion::CleanedUp(failures) => {
                self.last_host = Some(host);
                self.record_failed_hooks(index, failures, now);
                self.step(index, Input::CleanedUp, now)
            }
        };
        self.follow_up(now);
        work(index, action)
    }

    #[cfg(feature = "exit-hook")]
    #[inline]
    fn service_index(item: &WorkItem) -> u32 {
        item.index
    }

    #[inline]
    fn expected_duration(&self, id: &WorkId) -> Option<Nanos> {
        match id.kind {
            WorkKind::Run => {
                let service = self.registry.get(id.index);
                // A continuous service is expected to keep running until measurements show otherwise.
                let schedule = || &service.instance.definition.spec().schedule;
                let unmeasured = || (!schedule().is_periodic()).then_some(Nanos::MAX);
                service.stats.expected_duration().or_else(unmeasured)
            }
            // The worker only spawns it.
            WorkKind::Task => Some(0),
            // A clean-up runs once, so there are no samples, and it may take a long time.
            WorkKind::CleanUp => Some(Nanos::MAX),
        }
    }

    fn is_run(id: &WorkId) -> bool {
        match id.kind {
            WorkKind::Run | WorkKind::Task => true,
            WorkKind::CleanUp => false,
        }
    }

    fn in_progress(&self) -> Vec<String> {
        let executing = self.registry.iter().filter(|service| service.life.is_executing());
        executing.map(|service| service.instance.definition.name_str().to_owned()).collect()
    }

    fn max_concurrency(&self) -> usize {
        self.registry.len()
    }

    fn ignores_thread_limit(&self) -> bool {
        // The thread that ends the process counts towards the limit, but no longer executes work.
        self.exiting
    }

    fn is_finished(&mut self) -> bool {
        self.active == 0 && self.next_due().is_none()
    }

    fn deferred(&self) -> &DeferredQueue {
        &self.deferred
    }

    fn deferred_mut(&mut self) -> &mut DeferredQueue {
        &mut self.deferred
    }

    fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn spawn_failed(&mut self, error: &io::Error) {
        let change = Change::ThreadFailed { error: error.to_string().into() };
        self.journal.record_for_runner(change, &mut self.deferred);
        self.spawn_error = Some(io::Error::new(error.kind(), error.to_string()));
    }
}
