//! The queue services: when a turn of a queue is due, and which jobs are in progress.
//!
//! To its life cycle, a queue service has one run from start to stop. In that time, two kinds of work are
//! given to the workers: turns, in which a worker settles, renews and claims jobs (one at a time), and the
//! claimed jobs. Neither changes the life cycle, but
//!
//! * a turn that fails is the crash of the run, so that the usual backoff follows (rule 137). Jobs in progress
//!   continue, and turns that claim nothing renew and settle their claims during the backoff. If one of them
//!   reaches the engine, or a job is pushed, the backoff is over;
//! * a run that was asked to stop, or to pause, ends once nothing is in progress and everything is settled.
//!
//! Claims are made only while the life cycle is [`Consuming::Claiming`]. The claims themselves are in a
//! [`Consumer`](tina4_service_queue::consumer::Consumer), which has a lock of its own; it is taken under the
//! pool's lock, never the other way round.

use std::sync::Arc;
use std::time::Duration;

use super::Supervisor;
use super::jobs::ActiveItem;
use crate::engine::Engine;
use crate::engine::work::{TurnOutcome, WorkId, WorkKind};
use crate::observe::event::Change;
use crate::observe::run_trigger::RunTrigger;
use crate::service::job_listener::JobListener;
use tina4_service_core::lifecycle::{Action, Consuming, Crash, Input, RunOutcome};
use tina4_service_core::{Exit, Nanos, nanos};
use tina4_service_queue::consumer::{Consumer, Item, Settled, Settlement, TurnReport};
use tina4_service_queue::{End, JobId};

impl Supervisor {
    /// Takes the turn or the item of a queue service that is due, and renews the entry of the service in the
    /// timer queue.
    // perf: cold, like all that the worker calls here, because few services have a queue.
    #[cold]
    pub(super) fn take_jobs(&mut self, index: u32, now: Nanos) -> Option<WorkId> {
        let id = self.next_jobs(index, now);
        if id.is_some() {
            self.rearm(index);
        }
        id
    }

    fn rearm(&mut self, index: u32) {
        let Self { registry, timers, .. } = self;
        let service = registry.get_mut(index);
        let tolerance = service.tolerance();
        service.rearm(index, tolerance, timers);
        service.rearm_jobs(index, timers);
    }

    /// The turn or the item of a queue service that is due.
    fn next_jobs(&mut self, index: u32, now: Nanos) -> Option<WorkId> {
        self.cancel_overdue_jobs(index, now);
        if self.take_item(index, now) {
            return Some(WorkId { index, kind: WorkKind::Job });
        }
        let (jobs, life, instance) = self.registry.get_mut(index).jobs_and_life()?;
        if jobs.due().is_none_or(|due| due > now) {
            return None;
        }
        if let Some(consumer) = instance.queue().and_then(|queue| queue.consumer()) {
            consumer.stops_by(life.stop_deadline().map(Duration::from_nanos));
        }
        (jobs.turn_due, jobs.is_turning, jobs.turn_again) = (None, true, false);
        jobs.turn_claims = jobs.may_claim();
        let kind = if jobs.turn_claims { WorkKind::Turn } else { WorkKind::TurnWithoutClaims };
        Some(WorkId { index, kind })
    }

    /// Cancels the jobs that have exceeded the `timeout` of a service with `on_timeout = "cancel"`.
    fn cancel_overdue_jobs(&mut self, index: u32, now: Nanos) {
        let Self { registry, deferred, .. } = self;
        let service = registry.get_mut(index);
        let Some((jobs, _, instance)) = service.jobs_and_life() else { return };
        let Some((timeout, queue)) = jobs.cancel_after.zip(instance.queue()) else { return };
        let mut stuck = Vec::new();
        for (number, item) in &mut jobs.active {
            if item.cancel_at.is_none_or(|at| at > now) {
                continue;
            }
            let heartbeat = queue.control(*number).map_or(0, |control| control.last_heartbeat());
            let at = item.began.max(heartbeat).saturating_add(timeout);
            item.cancel_at = (at > now).then_some(at);
            if item.cancel_at.is_none() {
                deferred.wake(queue.cancel(*number, instance.definition.run_kind()));
                stuck.push(Duration::from_nanos(now.saturating_sub(item.began)));
            }
        }
        for running_for in stuck {
            self.record(index, Change::Stuck { running_for }, now);
        }
    }

    /// Takes an item from the consumer, and hands it out as the one with the number [`Jobs::last_number`].
    /// `false`: there is none.
    fn take_item(&mut self, index: u32, now: Nanos) -> bool {
        let service = self.registry.get_mut(index);
        let Some((jobs, _, instance)) = service.jobs_and_life() else { return false };
        let Some(queue) = instance.queue().filter(|_| jobs.ready_since.is_some()) else {
            return false;
        };
        let Some(item) = queue.consumer().and_then(Consumer::take) else {
            jobs.ready_since = None;
            return false;
        };
        jobs.last_number = jobs.last_number.wrapping_add(1);
        let number = jobs.last_number;
        let attempt = match &item {
            Item::Job(delivery) => Some((delivery.claim().attempt, delivery.claim().held.id)),
            Item::Dead(_) => None,
        };
        queue.hand_out(number, item);
        let mut run = None;
        if let Some((attempt, job)) = attempt {
            service.stats.began(0, attempt);
            run = Some((service.stats.runs, attempt, job));
        }
        let Some(jobs) = service.jobs_mut() else { return false };
        let cancel_at = jobs.cancel_after.filter(|_| run.is_some());
        let cancel_at = cancel_at.map(|timeout| now.saturating_add(timeout));
        jobs.active.insert(number, ActiveItem { began: now, run, cancel_at });
        if cancel_at.is_some()
            && let Some(queue) = service.instance.queue()
        {
            queue.add_control(number, service.instance.is_stop_requested());
        }
        if let Some((run, ..)) = run
            && self.journal.has_subscribers()
        {
            let (lateness, trigger) = (Duration::ZERO, RunTrigger::Job);
            let change = Change::RunBegan { run, lateness, trigger, by: None };
            self.journal.publish(&self.registry.get(index).instance, &change, now);
        }
        true
    }

    /// Records the end of an item. Returns work that may follow at once.
    #[cold]
    pub(super) fn item_ended(
        &mut self,
        index: u32,
        number: u32,
        (outcome, failure): (RunOutcome, Option<Arc<str>>),
        took: Nanos,
        now: Nanos,
    ) -> Option<WorkId> {
        self.record_item_end(index, number, took, outcome, now);
        if let Some(cause) = failure {
            self.record(index, Change::HookFailed { cause }, now);
        }
        self.continue_jobs(index, now)
    }

    /// Records the end of an item that was a task. A worker does what follows.
    #[cfg(feature = "tokio")]
    fn job_task_ended(
        &mut self,
        index: u32,
        number: u32,
        (outcome, failure): (RunOutcome, Option<Arc<str>>),
        now: Nanos,
    ) {
        let jobs = self.registry.get(index).jobs();
        let began = jobs.and_then(|jobs| jobs.active.get(&number)).map(|item| item.began);
        let took = now.saturating_sub(began.unwrap_or(now));
        self.record_item_end(index, number, took, outcome, now);
        if let Some(cause) = failure {
            self.record(index, Change::HookFailed { cause }, now);
        }
        self.rearm(index);
    }

    fn record_item_end(
        &mut self,
        index: u32,
        number: u32,
        took: Nanos,
        outcome: RunOutcome,
        now: Nanos,
    ) {
        let service = self.registry.get_mut(index);
        let Some(jobs) = service.jobs_mut() else { return };
        let ended = jobs.active.remove(&number);
        jobs.request_turn(now);
        if jobs.cancel_after.is_some()
            && let Some(queue) = service.instance.queue()
        {
            queue.remove_control(number);
        }
        let Some((run, attempt, job)) = ended.and_then(|item| item.run) else { return };
        if !outcome.is_ok() {
            service.record_not_ok(outcome);
        }
        self.remember_job(index, (run, attempt, job), (now, took), outcome);
        let service = self.registry.get_mut(index);
        if service.is_job_task() {
            service.stats.task_ended(now, took);
        } else {
            service.stats.ended(now, took);
        }
        service.count_duration(took);
        if self.journal.wants_run_ends() {
            self.publish_run_end(index, run, took, outcome, now);
        }
    }

    /// The work of this service that is due, for the worker that has just done some of it.
    fn continue_jobs(&mut self, index: u32, now: Nanos) -> Option<WorkId> {
        let id = if self.deferred.is_pending() { None } else { self.next_jobs(index, now) };
        self.rearm(index);
        id
    }

    /// Records the end of a turn. Returns work that may follow at once.
    #[cold]
    pub(super) fn turn_ended(
        &mut self,
        index: u32,
        outcome: TurnOutcome,
        now: Nanos,
    ) -> Option<WorkId> {
        let jobs = self.registry.get_mut(index).jobs_mut()?;
        jobs.is_turning = false;
        let turn_again = std::mem::take(&mut jobs.turn_again);
        let crash = match outcome.result {
            Ok(report) => {
                let is_over = report.reached_engine && jobs.consuming == Consuming::BackingOff;
                let next = report.next.map(|next| now.saturating_add(nanos(next)));
                jobs.turn_due = if turn_again { Some(now) } else { next };
                jobs.ready_since = (report.ready > 0 && jobs.may_begin_items()).then_some(now);
                self.record_report(index, report, now);
                if is_over {
                    self.shorten_backoff(index, now);
                }
                None
            }
            Err(crash) => Some(crash),
        };
        let action = match crash {
            None => {
                self.give_up_late_ends(index);
                self.end_run_if_idle(index, now)
            }
            Some(crash) => self.turn_failed(index, &crash, now),
        };
        self.follow_up(now);
        if let Action::CleanUp = action {
            return Some(WorkId { index, kind: WorkKind::CleanUp });
        }
        self.continue_jobs(index, now)
    }

    /// A stop gives up what the engine could not settle, although it works, if the next turn would be too late: as in
    /// [`turn_failed`](Self::turn_failed). Otherwise a job that another transaction has locked would make the service one
    /// that is abandoned.
    fn give_up_late_ends(&mut self, index: u32) {
        let service = self.registry.get_mut(index);
        let Some((jobs, life, instance)) = service.jobs_and_life() else { return };
        let next_and_deadline = jobs.turn_due.zip(life.stop_deadline());
        if next_and_deadline.is_some_and(|(next, deadline)| next >= deadline)
            && !jobs.is_active()
            && let Some(consumer) = instance.queue().and_then(|queue| queue.consumer())
        {
            consumer.forget_ended();
        }
    }

    /// Ends the run of a service that was asked to stop or to pause, once all its jobs are settled.
    fn end_run_if_idle(&mut self, index: u32, now: Nanos) -> Action {
        let service = self.registry.get_mut(index);
        let Some((jobs, _, instance)) = service.jobs_and_life() else { return Action::Nothing };
        let consumer = instance.queue().and_then(|queue| queue.consumer());
        let is_idle = !jobs.may_claim()
            && !jobs.is_active()
            && jobs.ready_since.is_none()
            && !jobs.turn_again
            && !consumer.is_some_and(Consumer::is_unsettled);
        if !is_idle {
            return Action::Nothing;
        }
        let exit = match jobs.consuming {
            // The next run begins when the service is resumed.
            Consuming::Pausing => Exit::Again,
            Consuming::Stopping | Consuming::Abandoned => Exit::Wait,
            Consuming::Claiming
            | Consuming::BackingOff
            | Consuming::Paused
            | Consuming::Nothing => return Action::Nothing,
        };
        self.step(index, Input::RunEnded(exit), now)
    }

    /// The engine seems to work again.
    fn shorten_backoff(&mut self, index: u32, now: Nanos) {
        let Some(jobs) = self.registry.get(index).jobs() else { return };
        let until = jobs.shortened_backoff(now);
        self.step(index, Input::ShortenBackoff { until }, now);
    }

    /// A turn could not reach the engine. In a run, that is a crash. While there are claims to renew or to settle,
    /// it is tried again soon, whatever the backoff is. A stop gives up shortly before its deadline: what is not
    /// settled by then ends with its lease.
    fn turn_failed(&mut self, index: u32, crash: &Crash, now: Nanos) -> Action {
        let service = self.registry.get_mut(index);
        let Some((jobs, life, instance)) = service.jobs_and_life() else { return Action::Nothing };
        let retry_at = jobs.turn_failed(now);
        jobs.turn_due = Some(retry_at);
        match jobs.consuming {
            Consuming::Claiming | Consuming::Pausing => {
                let action = self.step(index, Input::RunEnded(Exit::Crashed(crash)), now);
                // The step has asked for a turn at once, or there is nothing to do for one.
                let service = self.registry.get_mut(index);
                if let Some((jobs, _, instance)) = service.jobs_and_life() {
                    jobs.turn_due = jobs.has_work(instance).then_some(retry_at);
                }
                action
            }
            Consuming::Stopping | Consuming::Abandoned => {
                let is_in_time = life.stop_deadline().is_some_and(|deadline| retry_at < deadline);
                let consumer = instance.queue().and_then(|queue| queue.consumer());
                if let Some(consumer) = consumer.filter(|_| !is_in_time && !jobs.is_active()) {
                    consumer.forget_ended();
                }
                self.end_run_if_idle(index, now)
            }
            Consuming::BackingOff | Consuming::Paused | Consuming::Nothing => Action::Nothing,
        }
    }

    /// Reports what a turn has settled.
    fn record_report(&mut self, index: u32, report: TurnReport, now: Nanos) {
        for Settled { id, attempt, settlement } in report.settled {
            let change = match settlement {
                Settlement::Ended(End::Done | End::Kept) => continue,
                Settlement::Ended(End::Again { delay, error }) => Change::JobFailed {
                    job: id,
                    attempt,
                    error: self.record_job_error(index, id, &error, now),
                    again_in: delay,
                },
                Settlement::Ended(End::Dead { error }) => Change::JobDied {
                    job: id,
                    error: self.record_job_error(index, id, &error, now),
                },
                Settlement::Ended(End::Back) => Change::JobReturned { job: id },
                Settlement::Stale => Change::JobLost { job: id, attempt },
            };
            self.record(index, change, now);
        }
        let died: Vec<(JobId, String)> = report.lost_for_good;
        for (job, error) in died {
            let error = self.record_job_error(index, job, &error, now);
            self.record(index, Change::JobDied { job, error }, now);
        }
    }

    fn record_job_error(&mut self, index: u32, job: JobId, error: &str, now: Nanos) -> Arc<str> {
        let error: Arc<str> = error.into();
        self.remember_job_error(index, job, &error);
        let service = self.registry.get_mut(index);
        service.record_failure(now);
        service.failures_mut().last_error = Some(Arc::clone(&error));
        error
    }

    /// A job was pushed. `instance` is the address of the service's instance.
    fn jobs_may_be_ready(&mut self, name: &str, instance: usize, now: Nanos) {
        let Some(index) = self.registry.find(name) else { return };
        let service = self.registry.get_mut(index);
        if Arc::as_ptr(&service.instance).addr() != instance {
            return;
        }
        let Some(jobs) = service.jobs_mut() else { return };
        match jobs.consuming {
            // If all jobs run that may, the end of one of them brings the next turn.
            Consuming::Claiming => {
                if jobs.active.len() < jobs.concurrency {
                    jobs.request_turn(now);
                    self.rearm(index);
                }
            }
            // Whoever has pushed it has reached the engine.
            Consuming::BackingOff => self.shorten_backoff(index, now),
            Consuming::Pausing
            | Consuming::Stopping
            | Consuming::Paused
            | Consuming::Abandoned
            | Consuming::Nothing => {}
        }
    }
}

impl JobListener for Engine {
    fn jobs_may_be_ready(self: Arc<Self>, service: &str, instance: usize) {
        self.with_nonblocking(|supervisor, now| {
            supervisor.jobs_may_be_ready(service, instance, now);
        });
    }

    #[cfg(feature = "tokio")]
    fn job_ended(
        self: Arc<Self>,
        index: u32,
        item: u32,
        outcome: RunOutcome,
        failure: Option<Arc<str>>,
    ) {
        self.with_nonblocking(|supervisor, now| {
            supervisor.job_task_ended(index, item, (outcome, failure), now);
        });
    }
}
