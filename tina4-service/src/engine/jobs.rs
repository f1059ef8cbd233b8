//! Calls the engine of a queue service, its function for each job, and its `on_dead`.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "testing")]
use crate::engine::injected;
use crate::engine::job_attempt::EndedAttempt;
use crate::engine::user_code::guarded;
use crate::engine::work::{Completion, TurnOutcome};
use crate::engine::{crashes, job_attempt};
#[cfg(feature = "tokio")]
use crate::engine::{job_task, report_task};
use crate::service::context::Context;
#[cfg(feature = "testing")]
use crate::service::instance::InjectedFault;
use crate::service::instance::Instance;
use crate::service::job_slot::JobSlot;
use crate::service::outcome::Cause;
use crate::service::params::Invocation;
#[cfg(feature = "tokio")]
use crate::service::queued_run::runtime_gone;
use crate::service::run_log::RunLogger;
use crate::sys::panics;
use tina4_service_core::CrashKind;
use tina4_service_core::lifecycle::{RunKind, RunOutcome};
use tina4_service_queue::consumer::{Delivery, Item};
use tina4_service_queue::{DeadJob, RetryRequest};

/// The error of a turn without an engine. `check` finds that before the start.
const NO_ENGINE: &str =
    "no `Queues` were provided; call `provide(Queues::new(..))` before the start";

/// Executes a turn of the queue. The engine may be code of others, so a panic in it is caught.
// perf: cold, like `run`, so that neither is inlined where plain runs are executed.
#[cold]
pub(super) fn turn(context: &Context, instance: &Instance, may_claim: bool) -> Completion {
    let result = panics::catch(|| {
        let begun = instance.queue().and_then(|queue| {
            let (consumer, was_told) = queue.begin_turn(context.host())?;
            Some((queue, consumer, was_told))
        });
        let Some((queue, consumer, was_told)) = begun else {
            return Err(crashes::from_error(Cause::new(NO_ENGINE)));
        };
        let clock = &instance.env.clock;
        #[cfg(feature = "tokio")]
        if instance.definition.run_kind() == RunKind::Task && instance.env.runtime.is_gone() {
            // Gives back what the runtime has dropped. If that fails, the claims end with their leases.
            let given_back = consumer.turn(Duration::from_nanos(clock.now()), false).is_ok();
            let mut crash = runtime_gone();
            // Tasks that the runtime has not dropped yet, or only during this turn: their jobs are given back by
            // the turn after the backoff. In this order, because a job that runs becomes unsettled when it ends.
            if consumer.running() > 0 || given_back && consumer.is_unsettled() {
                crash.kind = CrashKind::Transient;
            }
            return Err(crash);
        }
        let now = Duration::from_nanos(clock.now());
        let is_poll = may_claim && !was_told;
        let take_turn = || if is_poll { consumer.poll(now) } else { consumer.turn(now, may_claim) };
        let turned = match panics::catch(take_turn) {
            Ok(turned) => turned.map_err(|error| crashes::from_error(Cause::new(error))),
            Err(panic) => Err(crashes::from_panic(panic)),
        };
        let ended = clock.now();
        // A turn with nothing to do says nothing about the engine.
        let is_over = match &turned {
            Ok(report) if !report.reached_engine => false,
            Ok(_) => queue.record_turn(true, ended),
            Err(_) => queue.record_turn(false, ended),
        };
        turned
            .map(|mut report| {
                // From the end of the turn, which may have taken a while.
                let took = Duration::from_nanos(ended).saturating_sub(now);
                report.next = report.next.map(|next| next.saturating_sub(took));
                report
            })
            .map_err(|mut crash| {
                // Jobs in progress have to end before the service does.
                if is_over && consumer.running() == 0 {
                    crash.kind = CrashKind::Permanent;
                }
                crash
            })
    });
    let result = result.unwrap_or_else(|panic| Err(crashes::from_panic(panic)));
    Completion::Turned(Box::new(TurnOutcome { result }))
}

/// Runs the item with this number: calls the function for a job, or `on_dead` for a dead one.
#[cold]
pub(super) fn run(context: &Context, instance: &Instance, index: u32, number: u32) -> Completion {
    let ended = |outcome| Completion::ItemEnded(outcome, None);
    let Some(queue) = instance.queue() else { return ended(RunOutcome::Stopped) };
    let Some((consumer, item)) = queue.consumer().zip(queue.receive(number)) else {
        return ended(RunOutcome::Stopped);
    };
    let delivery = match item {
        Item::Job(delivery) => *delivery,
        Item::Dead(dead) => {
            #[cfg(feature = "tokio")]
            if instance.definition.on_dead_kind() == RunKind::Task {
                return report_task::spawn(context, instance, consumer, dead, (index, number));
            }
            let failure = report_dead(context, instance, dead);
            consumer.reported();
            // No run was counted for it.
            return Completion::ItemEnded(RunOutcome::Ok, failure);
        }
    };
    #[cfg(feature = "testing")]
    if let Some(InjectedFault::Kill) = instance.next_injected() {
        let _ = instance.take_injected();
        consumer.forget(delivery);
        return ended(RunOutcome::Abandoned);
    }
    match instance.definition.run_kind() {
        RunKind::Call => {
            let call = || {
                let attempt = call(context, instance, &delivery);
                job_attempt::unless_cancelled(context, attempt)
            };
            let has_failed = |ended: &EndedAttempt| ended.outcome.is_failure();
            let EndedAttempt { attempt, outcome } =
                RunLogger::of_call(context, index, call, has_failed);
            consumer.finish(delivery, attempt);
            ended(outcome)
        }
        #[cfg(feature = "tokio")]
        RunKind::Task => job_task::spawn(context, instance, consumer, delivery, (index, number)),
        // Without the feature `tokio`, no job is a task.
        #[cfg(not(feature = "tokio"))]
        RunKind::Task => {
            let _ = index;
            consumer.finish(delivery, EndedAttempt::BACK.attempt);
            ended(RunOutcome::Stopped)
        }
    }
}

/// Calls the plain function for one job.
fn call(context: &Context, instance: &Instance, delivery: &Delivery) -> EndedAttempt {
    let body = || {
        #[cfg(feature = "testing")]
        if let Err(cause) = injected::inject(instance) {
            return job_attempt::failed(instance, cause);
        }
        match job_attempt::slot(instance, delivery) {
            Err(error) => EndedAttempt::failed(RunOutcome::Error, RetryRequest::Usual, error),
            Ok(slot) => {
                let invocation = Invocation::for_job(context, &slot);
                job_attempt::of_exit(instance, instance.definition.call(&invocation))
            }
        }
    };
    guarded(context, instance, true, body).unwrap_or_else(|crash| job_attempt::panicked(&crash))
}

/// Tells `on_dead` of a dead job. Returns the error text if it fails.
fn report_dead(context: &Context, instance: &Instance, dead: DeadJob) -> Option<Arc<str>> {
    let on_dead = instance.definition.on_dead()?;
    let slot = JobSlot::new(Box::new(dead));
    let result = guarded(context, instance, true, || {
        let invocation = Invocation::for_job(context, &slot);
        on_dead.call(&invocation).map_err(crashes::from_error_without_prefix)
    });
    result.flatten().err().map(|crash| crash.message)
}
