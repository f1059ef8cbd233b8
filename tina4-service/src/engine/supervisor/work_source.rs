//! The supervisor as the pool's source of work.

use std::io;
use std::sync::Arc;

use super::Supervisor;
use super::supervised::Supervised;
use crate::engine::invoke;
use crate::engine::pool::deferred::DeferredQueue;
use crate::engine::pool::work_source::{Timing, WorkSource};
use crate::engine::work::{Completion, WorkId, WorkItem, WorkKind};
use crate::observe::event::Change;
use crate::observe::stats::Stats;
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
                #[cfg(feature = "tokio")]
                RunKind::Task => WorkKind::Task,
                // Without the feature `tokio`, no run is a task.
                #[cfg(not(feature = "tokio"))]
                RunKind::Task => WorkKind::Run,
            };
            Some(WorkId { index, kind })
        }
        Action::CleanUp => Some(WorkId { index, kind: WorkKind::CleanUp }),
        Action::Nothing | Action::Refused(_) => None,
    }
}

/// How long the next run is expected to keep a worker busy, as long as there are no measurements.
fn unmeasured_duration(service: &Supervised, kind: WorkKind) -> Option<Nanos> {
    match kind {
        // A continuous service is expected to keep running until measurements show otherwise.
        WorkKind::Run => {
            let is_periodic = service.instance.definition.spec().schedule.is_periodic();
            (!is_periodic).then_some(Nanos::MAX)
        }
        // The worker only hands it over.
        #[cfg(feature = "tokio")]
        WorkKind::Task => Some(0),
        #[cfg(feature = "queue")]
        WorkKind::Job => service.is_job_task().then_some(0),
        // An engine may block.
        #[cfg(feature = "queue")]
        WorkKind::Turn | WorkKind::TurnWithoutClaims => Some(Nanos::MAX),
        WorkKind::CleanUp => Some(Nanos::MAX),
    }
}

impl Supervisor {
    /// Whether there is other work for the worker that has just run a service and holds the lock.
    fn has_other_work(&self, now: Nanos) -> bool {
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        if self.service_manager_due().is_some_and(|due| due <= now) {
            return true;
        }
        self.timers.peek().is_some_and(|(due, _)| due <= now) || self.deferred.is_pending()
    }

    /// Drops the worker's share of the host of work that a task executes. The work may have ended already, and its
    /// service may have been removed since; then the host is the last owner of user values.
    #[cfg(feature = "tokio")]
    fn release_host(&mut self, index: u32, host: Arc<dyn Host>) {
        let registered = &self.registry.get(index).instance;
        if !std::ptr::addr_eq(&raw const *host, &raw const **registered) {
            self.deferred.discard(Some(host));
        }
    }

    /// By when a service needs its next wake-up.
    #[inline]
    fn next_service_due(&mut self) -> Option<Nanos> {
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
                #[cfg(feature = "queue")]
                service.rearm_jobs(index, timers);
            }
        }
        None
    }

    /// Whether the first service in the timer queue may begin its run, thanks to its tolerance.
    // perf: not inlined, because a worker asks for it only before it waits.
    #[inline(never)]
    pub(super) fn may_begin_early(&self, now: Nanos) -> bool {
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
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        if let Some(due) = self.service_manager_due() {
            return Some(self.next_service_due().map_or(due, |service| service.min(due)));
        }
        self.next_service_due()
    }

    fn first_due(&mut self) -> Option<(Nanos, u32)> {
        let first = self.next_service_due().and_then(|_| self.timers.peek());
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        if let Some(due) = self.service_manager_due() {
            let manager = (due, u32::MAX);
            return Some(first.map_or(manager, |service| service.min(manager)));
        }
        first
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
            #[cfg(all(target_os = "linux", feature = "systemd"))]
            if self.service_manager_due().is_some_and(|due| due <= now) {
                self.tell_service_manager(now);
                continue;
            }
            let Some((_, index)) = self.timers.pop() else {
                break;
            };
            self.registry.get_mut(index).queued = Nanos::MAX;
            #[cfg(feature = "queue")]
            if self.registry.get(index).jobs().is_some()
                && let Some(id) = self.take_jobs(index, now)
            {
                return Some(id);
            }
            let action = self.apply(index, Input::Due, now);
            if let Some(id) = work(index, action) {
                #[cfg(feature = "tokio")]
                if id.kind == WorkKind::Task {
                    return Some(self.add_due_tasks(id, now));
                }
                return Some(id);
            }
        }
        None
    }

    #[inline]
    fn begin(&mut self, id: WorkId) -> WorkItem {
        let WorkId { index, kind } = id;
        let service = self.registry.get(index);
        #[cfg(feature = "queue")]
        if let WorkKind::Turn | WorkKind::TurnWithoutClaims | WorkKind::Job = kind {
            return service.begin_jobs(index, kind);
        }
        let host = match self.last_host.take() {
            Some(host) if std::ptr::addr_eq(&raw const *host, &raw const *service.instance) => host,
            Some(_) | None => Arc::<Instance>::clone(&service.instance),
        };
        WorkItem {
            kind,
            index,
            #[cfg(feature = "queue")]
            number: 0,
            context: Context::new(host, service.last_run()),
        }
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
            // perf: an arm of its own, so that other runs do not ask whether they have crashed.
            Completion::Ran(Exit::Crashed(crash)) => {
                self.last_host = Some(host);
                let times = (ended, ended.saturating_sub(began));
                let exit = Exit::Crashed(&*crash);
                self.record_unusual_end(index, times, exit, Stats::ended, now);
                self.step(index, Input::RunEnded(exit), now)
            }
            Completion::Ran(exit) => {
                self.last_host = Some(host);
                let duration = ended.saturating_sub(began);
                let service = self.registry.get_mut(index);
                if service.life.state() == State::Running {
                    if service.stats.must_look(ended) {
                        self.remember_return(index, (ended, duration), Stats::ended);
                    } else {
                        service.stats.ended(ended, duration);
                        service.count_duration(duration);
                    }
                    self.record_run_end(index, duration, now);
                } else {
                    let times = (ended, duration);
                    self.record_unusual_end(index, times, exit.as_deref(), Stats::ended, now);
                }
                let is_repeat =
                    matches!(exit, Exit::Again) && may_repeat && !self.has_other_work(now);
                let input =
                    if is_repeat { Input::Repeat } else { Input::RunEnded(exit.as_deref()) };
                self.step(index, input, now)
            }
            #[cfg(feature = "tokio")]
            Completion::Queued => {
                #[cfg(feature = "exit-hook")]
                if matches!(item.kind, WorkKind::CleanUp) {
                    self.registry.get_mut(index).end_mut().has_hook_task = true;
                    // That nothing polls tasks may have become known while the other hooks ran.
                    self.end_unpolled_task(index, now);
                    self.follow_up(now);
                }
                self.release_host(index, host);
                return None;
            }
            #[cfg(feature = "queue")]
            Completion::Turned(outcome) => {
                self.last_host = Some(host);
                return self.turn_ended(index, *outcome, now);
            }
            #[cfg(all(feature = "queue", feature = "tokio"))]
            Completion::JobSpawned => {
                self.release_host(index, host);
                return None;
            }
            #[cfg(feature = "queue")]
            Completion::ItemEnded(outcome, failure) => {
                self.last_host = Some(host);
                let took = ended.saturating_sub(began);
                return self.item_ended(index, item.number, (outcome, failure), took, now);
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
        let service = self.registry.get(id.index);
        // A clean-up runs once, so there are no samples, and it may take a long time. So may a turn of a queue.
        if !Self::is_run(id) {
            #[cfg(feature = "queue")]
            if matches!(id.kind, WorkKind::Turn) && service.polls_in_passing() {
                return Some(0);
            }
            return Some(Nanos::MAX);
        }
        service.stats.expected_duration().or_else(|| unmeasured_duration(service, id.kind))
    }

    fn is_run(id: &WorkId) -> bool {
        match id.kind {
            WorkKind::Run => true,
            #[cfg(feature = "tokio")]
            WorkKind::Task => true,
            #[cfg(feature = "queue")]
            WorkKind::Job => true,
            #[cfg(feature = "queue")]
            WorkKind::Turn | WorkKind::TurnWithoutClaims => false,
            WorkKind::CleanUp => false,
        }
    }

    fn in_progress(&self) -> Vec<String> {
        let executing = self.registry.iter().filter(|service| service.is_executing());
        executing.map(|service| service.instance.definition.name_str().to_owned()).collect()
    }

    fn max_concurrency(&self) -> usize {
        let services = self.registry.len();
        #[cfg(feature = "queue")]
        let services = services.saturating_add(self.registry.job_slots());
        services
    }

    fn ignores_thread_limit(&self) -> bool {
        // The thread that ends the process counts towards the limit, but no longer executes work.
        self.exiting
    }

    fn is_finished(&mut self) -> bool {
        self.active == 0 && self.next_due().is_none()
    }

    fn next_look(&self) -> Option<Nanos> {
        self.next_notice_look()
    }

    fn look(&mut self, now: Nanos) {
        self.look_for_notices(now);
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
