//! The side that faces the workers: what is due, jobs out, reports in.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Deferred, Supervised, Supervisor};
use crate::engine::invoke::{self, Completion, WorkId, WorkItem, WorkKind};
use crate::engine::pool::{Timing, WorkSource};
use crate::observe::event::Change;
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::sys::stop_signal::Sleepers;
use tina4_service_core::Flow;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Action, Input, State};

fn id(index: u32, action: Action) -> Option<WorkId> {
    match action {
        Action::Run { .. } => Some(WorkId { index, kind: WorkKind::Run }),
        Action::CleanUp => Some(WorkId { index, kind: WorkKind::CleanUp }),
        Action::Nothing | Action::Refused(_) => None,
    }
}

impl Supervisor {
    /// Whether the worker that holds the lock has other things to do than to go on with the
    /// service that it has just run.
    fn is_wanted(&self, now: Nanos) -> bool {
        self.timers.peek().is_some_and(|(at, _)| at <= now) || self.has_deferred()
    }
}

impl WorkSource for Supervisor {
    type WorkId = WorkId;
    type WorkItem = WorkItem;
    type Completion = Completion;
    type Deferred = Box<Deferred>;

    fn next_due(&mut self) -> Option<Nanos> {
        let Self { services, timers, .. } = self;
        while let Some((at, index)) = timers.peek() {
            let service = &mut services[index as usize];
            if service.queued == at && service.life.deadline() == Some(at) {
                return Some(at);
            }
            timers.pop();
            if service.queued == at {
                service.queued = Nanos::MAX;
                service.rearm(index, timers);
            }
        }
        None
    }

    fn due_after_next(&self) -> Option<Nanos> {
        self.timers.second()
    }

    #[inline]
    fn take(&mut self, now: Nanos) -> Option<WorkId> {
        while !self.has_deferred() && self.next_due().is_some_and(|due| due <= now) {
            let Some((_, index)) = self.timers.pop() else {
                break;
            };
            self.services[index as usize].queued = Nanos::MAX;
            let action = self.event(index, Input::Due, now);
            if let Some(id) = id(index, action) {
                return Some(id);
            }
        }
        None
    }

    #[inline]
    fn finish(&mut self, item: WorkItem, report: Completion, back: Timing) -> Option<WorkId> {
        let Timing { began, ended, now, may_repeat } = back;
        let index = item.index;
        self.spare = Some(item.context.into_host());
        let service = &mut self.services[index as usize];
        let is_run = matches!(report, Completion::Ran(_));
        // The result of an abandoned run is dropped.
        if is_run && service.life.state() != State::Abandoned {
            let took = ended.saturating_sub(began);
            service.stats.ended(ended, took);
            if !self.subscribers.is_empty() {
                let (run, took) = (service.stats.runs, Duration::from_nanos(took));
                self.tell_subscribers(index, &Change::RunEnded { run, took }, now);
            }
        }
        let action = match report {
            Completion::Ran(exit) => match exit.into_flow() {
                Ok(Flow::Again) if may_repeat && !self.is_wanted(now) => {
                    self.step(index, Input::Repeat, now, None)
                }
                Ok(flow) => self.step(index, Input::Ended(flow), now, None),
                Err(crash) => self.step(index, Input::Crashed(crash.kind), now, Some(&crash)),
            },
            Completion::CleanedUp(failures) => {
                if !failures.is_empty() {
                    let end = self.services[index as usize].end_mut();
                    end.failed_hooks += failures.len() as u64;
                }
                for cause in failures {
                    self.record(index, Change::HookFailed { cause }, now);
                }
                self.step(index, Input::CleanedUp, now, None)
            }
        };
        self.pump(now);
        id(index, action)
    }

    #[inline]
    fn item(&mut self, id: WorkId) -> WorkItem {
        let WorkId { index, kind } = id;
        let service = &self.services[index as usize];
        let host = match self.spare.take() {
            Some(host) if std::ptr::addr_eq(&raw const *host, &raw const *service.instance) => host,
            Some(_) | None => Arc::<Instance>::clone(&service.instance),
        };
        WorkItem { kind, index, context: Context::new(host, service.last_run()) }
    }

    #[inline]
    fn work(item: &WorkItem) -> Completion {
        invoke::perform(item)
    }

    #[cfg(feature = "exit-hook")]
    #[inline]
    fn subject(item: &WorkItem) -> u32 {
        item.index
    }

    fn is_unlimited(&self) -> bool {
        // The thread that ends the process counts, but works no more.
        self.exiting
    }

    #[inline]
    fn usual(&self, id: &WorkId) -> Option<Nanos> {
        match id.kind {
            WorkKind::Run => {
                let Supervised { instance, stats, .. } = self.service(id.index);
                // A continuous service runs on and on, until it has shown otherwise.
                let periodic = || instance.definition.spec().schedule.is_periodic();
                stats.usual().or_else(|| (!periodic()).then_some(Nanos::MAX))
            }
            // A clean-up runs once: nothing is known about it, and it may take its time.
            WorkKind::CleanUp => Some(Nanos::MAX),
        }
    }

    #[cfg(feature = "testing")]
    fn is_run(id: &WorkId) -> bool {
        id.kind == WorkKind::Run
    }

    fn max_work(&self) -> usize {
        self.services.len()
    }

    fn is_over(&mut self) -> bool {
        self.active == 0 && self.next_due().is_none()
    }

    fn has_deferred(&self) -> bool {
        let Deferred { sleepers, discarded, log } = &self.deferred;
        let may_log = !log.is_empty() && !self.logging;
        let may_drop = !discarded.is_empty() && !self.exiting;
        may_log || may_drop || !sleepers.is_empty()
    }

    #[cfg(feature = "signals")]
    fn take_wakes(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.deferred.sleepers)
    }

    #[inline]
    fn deferred(&mut self) -> Option<Box<Deferred>> {
        if self.exiting {
            // Destructors are user code, which the thread that ends the process must not wait for.
            self.deferred.discarded.drain(..).for_each(std::mem::forget);
        }
        if !self.has_deferred() {
            return None;
        }
        let mut taken = std::mem::take(&mut self.deferred);
        if self.logging {
            // One thread writes the log, so that its lines are in the order of what happened.
            std::mem::swap(&mut taken.log, &mut self.deferred.log);
        } else {
            self.logging = !taken.log.is_empty();
        }
        Some(Box::new(taken))
    }

    fn flush(deferred: Box<Deferred>) {
        let Deferred { sleepers, discarded, log } = *deferred;
        sleepers.into_iter().for_each(Sleepers::wake);
        // Destructors and log subscribers are user code: a panic has been reported by the panic
        // hook, and must not end a worker.
        for values in discarded {
            let _ = crate::sys::panics::catch(|| drop(values));
        }
        for line in log {
            let _ = crate::sys::panics::catch(|| line.write());
            line.done();
        }
    }

    fn flushed(&mut self, ordered: bool) {
        if ordered {
            self.logging = false;
            self.env.log_is_slow.store(false, Ordering::Relaxed);
        }
    }

    fn is_ordered(deferred: &Box<Deferred>) -> bool {
        !deferred.log.is_empty()
    }

    fn is_flushed(&self) -> bool {
        !self.logging && self.deferred.log.is_empty()
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn thread_failed(&mut self, error: &io::Error) {
        self.record_of_runner(Change::ThreadFailed { error: error.to_string().into() });
        self.thread_error = Some(io::Error::new(error.kind(), error.to_string()));
    }
}
