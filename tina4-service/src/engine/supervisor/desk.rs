//! The side that faces the workers: what is due, jobs out, reports in.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Aftermath, Entry, Supervisor};
use crate::engine::invoke::{self, Job, Kind, Report, Task};
use crate::engine::pool::{Back, Desk};
use crate::observe::event::Change;
use crate::service::context::Context;
use tina4_service_core::Flow;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{self, Command, State};

fn task(index: u32, command: Command) -> Option<Task> {
    match command {
        Command::Run { .. } => Some(Task { index, kind: Kind::Run }),
        Command::CleanUp => Some(Task { index, kind: Kind::CleanUp }),
        Command::Nothing | Command::Refused(_) => None,
    }
}

impl Supervisor {
    /// Whether the worker that holds the lock has other things to do than to go on with the
    /// service that it has just run.
    fn is_wanted(&self, now: Nanos) -> bool {
        self.timers.peek().is_some_and(|(at, _)| at <= now) || self.has_aftermath()
    }
}

impl Desk for Supervisor {
    type Task = Task;
    type Job = Job;
    type Report = Report;
    type Aftermath = Box<Aftermath>;

    fn next_due(&mut self) -> Option<Nanos> {
        let Self { entries, timers, .. } = self;
        while let Some((at, index)) = timers.peek() {
            let entry = &mut entries[index as usize];
            if entry.queued == at && entry.life.deadline() == Some(at) {
                return Some(at);
            }
            timers.pop();
            if entry.queued == at {
                entry.queued = Nanos::MAX;
                entry.rearm(index, timers);
            }
        }
        None
    }

    fn due_after_next(&self) -> Option<Nanos> {
        self.timers.second()
    }

    #[inline]
    fn take(&mut self, now: Nanos) -> Option<Task> {
        while !self.has_aftermath() && self.next_due().is_some_and(|due| due <= now) {
            let Some((_, index)) = self.timers.pop() else {
                break;
            };
            self.entries[index as usize].queued = Nanos::MAX;
            let command = self.event(index, lifecycle::Event::Due, now);
            if let Some(task) = task(index, command) {
                return Some(task);
            }
        }
        None
    }

    #[inline]
    fn finish(&mut self, job: Job, report: Report, back: Back) -> Option<Task> {
        let Back { began, ended, now, may_repeat } = back;
        let unit = job.context.into_unit();
        let index = unit.index;
        self.spare = Some(unit);
        let entry = &mut self.entries[index as usize];
        let is_run = matches!(report, Report::Ran(_));
        // The result of an abandoned run is dropped.
        if is_run && entry.life.state() != State::Abandoned {
            let took = ended.saturating_sub(began);
            entry.stats.ended(ended, took);
            if !self.subscribers.is_empty() {
                let (run, took) = (entry.stats.runs, Duration::from_nanos(took));
                self.tell_subscribers(index, &Change::RunEnded { run, took }, now);
            }
        }
        let command = match report {
            Report::Ran(exit) => match exit.into_flow() {
                Ok(Flow::Again) if may_repeat && !self.is_wanted(now) => {
                    self.step(index, lifecycle::Event::Repeat, now, None)
                }
                Ok(flow) => self.step(index, lifecycle::Event::Ended(flow), now, None),
                Err(crash) => {
                    self.step(index, lifecycle::Event::Crashed(crash.kind), now, Some(&crash))
                }
            },
            Report::CleanedUp(failures) => {
                if !failures.is_empty() {
                    let end = self.entries[index as usize].end_mut();
                    end.failed_hooks += failures.len() as u64;
                }
                for cause in failures {
                    self.record(index, Change::HookFailed { cause }, now);
                }
                self.step(index, lifecycle::Event::CleanedUp, now, None)
            }
        };
        self.pump(now);
        task(index, command)
    }

    #[inline]
    fn job(&mut self, task: Task) -> Job {
        let Task { index, kind } = task;
        let entry = &self.entries[index as usize];
        let unit = match self.spare.take() {
            Some(unit) if unit.index == index => unit,
            Some(_) | None => Arc::clone(&entry.unit),
        };
        Job { kind, context: Context::new(unit, entry.last_run()) }
    }

    #[inline]
    fn work(job: &Job) -> Report {
        invoke::perform(job)
    }

    #[cfg(feature = "exit-hook")]
    #[inline]
    fn subject(job: &Job) -> u32 {
        job.context.unit().index
    }

    fn is_unlimited(&self) -> bool {
        // The thread that ends the process counts, but works no more.
        self.exiting
    }

    #[inline]
    fn usual(&self, task: &Task) -> Option<Nanos> {
        match task.kind {
            Kind::Run => {
                let Entry { unit, stats, .. } = self.entry(task.index);
                // A continuous service runs on and on, until it has shown otherwise.
                let periodic = || unit.definition.spec().schedule.is_periodic();
                stats.usual().or_else(|| (!periodic()).then_some(Nanos::MAX))
            }
            // A clean-up runs once: nothing is known about it, and it may take its time.
            Kind::CleanUp => Some(Nanos::MAX),
        }
    }

    #[cfg(feature = "testing")]
    fn is_run(task: &Task) -> bool {
        task.kind == Kind::Run
    }

    fn most_jobs(&self) -> usize {
        self.entries.len()
    }

    fn is_over(&mut self) -> bool {
        self.active == 0 && self.next_due().is_none()
    }

    fn has_aftermath(&self) -> bool {
        let Aftermath { wakes, forgotten, log } = &self.aftermath;
        let may_log = !log.is_empty() && !self.logging;
        let may_drop = !forgotten.is_empty() && !self.exiting;
        may_log || may_drop || !wakes.is_empty()
    }

    #[cfg(feature = "signals")]
    fn take_wakes(&mut self) -> impl Sized + use<> {
        std::mem::take(&mut self.aftermath.wakes)
    }

    #[inline]
    fn aftermath(&mut self) -> Option<Box<Aftermath>> {
        if self.exiting {
            // Destructors are user code, which the thread that ends the process must not wait for.
            self.aftermath.forgotten.drain(..).for_each(std::mem::forget);
        }
        if !self.has_aftermath() {
            return None;
        }
        let mut taken = std::mem::take(&mut self.aftermath);
        if self.logging {
            // One thread writes the log, so that its lines are in the order of what happened.
            std::mem::swap(&mut taken.log, &mut self.aftermath.log);
        } else {
            self.logging = !taken.log.is_empty();
        }
        Some(Box::new(taken))
    }

    fn settle(aftermath: Box<Aftermath>) {
        let Aftermath { wakes, forgotten, log } = *aftermath;
        drop(wakes);
        // Destructors and log subscribers are user code: a panic has been reported by the panic
        // hook, and must not end a worker.
        for values in forgotten {
            let _ = crate::sys::panics::catch(|| drop(values));
        }
        for line in log {
            let _ = crate::sys::panics::catch(|| line.write());
            line.done();
        }
    }

    fn settled(&mut self, in_order: bool) {
        if in_order {
            self.logging = false;
            self.env.log_is_slow.store(false, Ordering::Relaxed);
        }
    }

    fn is_in_order(aftermath: &Box<Aftermath>) -> bool {
        !aftermath.log.is_empty()
    }

    fn is_settled(&self) -> bool {
        !self.logging && self.aftermath.log.is_empty()
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn thread_failed(&mut self, error: &io::Error) {
        self.record_of_runner(Change::ThreadFailed { error: error.to_string().into() });
        self.thread_error = Some(io::Error::new(error.kind(), error.to_string()));
    }
}
