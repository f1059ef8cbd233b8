//! The task of one job of an async function.
//!
//! It owns the context that the function borrows and the claim of the job. Whatever ends it, the attempt is
//! reported: a result, a panic, a request to drop it, or the end of its runtime.

use std::future::poll_fn;
use std::sync::{Arc, Weak};
use std::task::{Context as TaskContext, Poll};

#[cfg(feature = "testing")]
use crate::engine::injected;
use crate::engine::job_attempt::EndedAttempt;
use crate::engine::work::Completion;
use crate::engine::{crashes, current, job_attempt, user_code};
use crate::service::context::Context;
use crate::service::future::BoxFuture;
use crate::service::instance::Instance;
use crate::service::job_control::JobControl;
use crate::service::job_listener::JobListener;
use crate::service::job_slot::JobSlot;
use crate::service::outcome::Exit;
use crate::service::params::Invocation;
use crate::service::run_log::RunLogger;
use crate::sys::{panics, runtime};
use tina4_service_core::lifecycle::{Crash, RunOutcome};
use tina4_service_queue::RetryRequest;
use tina4_service_queue::consumer::{Consumer, Delivery};

/// Makes a task of one job. `ids`: the index of the service, and the number of the item.
pub(super) fn spawn(
    context: &Context,
    instance: &Instance,
    consumer: &Consumer,
    delivery: Delivery,
    ids: (u32, u32),
) -> Completion {
    let listener = instance.env.job_listener.get().and_then(Weak::upgrade);
    let Some((handle, listener)) = instance.env.runtime.handle().zip(listener) else {
        // The next turn ends the service.
        consumer.finish(delivery, EndedAttempt::BACK.attempt);
        return Completion::ItemEnded(RunOutcome::Stopped, None);
    };
    let (index, number) = ids;
    // A runtime drops the task if it has shut down, perhaps before its first poll.
    let end = JobEnd {
        context: Some(context.of_task()),
        delivery: Some(delivery),
        listener,
        index,
        number,
    };
    runtime::spawn(&handle, run(end));
    Completion::JobSpawned
}

/// The job of an async function. Given back at once if it is to be dropped.
async fn run(mut end: JobEnd) {
    let ended = match (&end.context, &end.delivery) {
        (Some(context), Some(delivery)) => execute(context, delivery, end.index, end.number).await,
        (None, _) | (_, None) => EndedAttempt::BACK,
    };
    end.report(ended);
}

async fn execute(context: &Context, delivery: &Delivery, index: u32, number: u32) -> EndedAttempt {
    let instance = context.instance();
    let decoded = {
        let _service = current::enter_nested(&instance.env, index);
        panics::catch(|| job_attempt::slot(instance, delivery))
    };
    let slot = match decoded {
        Ok(Ok(slot)) => slot,
        Ok(Err(error)) => {
            return EndedAttempt::failed(RunOutcome::Error, RetryRequest::Usual, error);
        }
        Err(panic) => return job_attempt::panicked(&crashes::from_panic(panic)),
    };
    let invocation = Invocation::for_job(context, &slot);
    let mut body = Body::new(context, index, number);
    body.log = RunLogger::begin(context, index);
    let ended = poll_fn(|cx| {
        let begin = || begin(context, &slot, &invocation);
        body.poll(cx, begin, |exit| job_attempt::of_exit(instance, exit))
    });
    let attempt = match ended.await {
        Ended::Returned(attempt) => attempt,
        Ended::Panicked(crash) => job_attempt::panicked(&crash),
        Ended::Dropped => EndedAttempt::BACK,
    };
    let ended = job_attempt::unless_cancelled(context, attempt);
    body.log.set_failed(ended.outcome.is_failure());
    drop(body);
    ended
}

/// Whether the job is to be dropped, because it has exceeded the `timeout`.
fn is_cancelled(context: &Context) -> bool {
    context.job_control().is_some_and(JobControl::is_cancelled)
}

/// Calls the async function. Called in the first poll of its task.
fn begin<'r>(
    context: &'r Context,
    _slot: &'r JobSlot,
    invocation: &'r Invocation<'r>,
) -> BoxFuture<'r, Exit> {
    let instance = context.instance();
    #[cfg(feature = "testing")]
    if let Some(fault) = instance.take_injected() {
        return Box::pin(injected::inject_async(instance, fault, invocation));
    }
    instance.definition.future(invocation)
}

/// How the future of an item has ended.
pub(super) enum Ended<T> {
    Returned(T),
    Panicked(Box<Crash>),
    /// It was dropped, because it was asked to end.
    Dropped,
}

/// The future of the user's function for an item, and what surrounds each poll of it.
pub(super) struct Body<'r, T> {
    context: &'r Context,
    instance: &'r Instance,
    index: u32,
    number: u32,
    /// `None` before the first poll and after the last.
    future: Option<BoxFuture<'r, T>>,
    span: Option<tracing::Span>,
    log: RunLogger,
}

impl<'r, T> Body<'r, T> {
    pub(super) fn new(context: &'r Context, index: u32, number: u32) -> Self {
        let instance = context.instance();
        let log = RunLogger::off();
        Self { context, instance, index, number, future: None, span: None, log }
    }

    /// Polls the future, which `begin` creates, and converts its result. The parameters of the function,
    /// destructors, the `Display` of errors and log subscribers are user code as well.
    pub(super) fn poll<U>(
        &mut self,
        cx: &mut TaskContext<'_>,
        begin: impl FnOnce() -> BoxFuture<'r, T>,
        convert: impl FnOnce(T) -> U,
    ) -> Poll<Ended<U>> {
        let Self { context, instance, index, number, future, span, log } = self;
        if instance.is_drop_requested() || is_cancelled(context) {
            return Poll::Ready(Ended::Dropped);
        }
        let _service = current::enter_nested(&instance.env, *index);
        let _collecting = log.collect();
        let polled = panics::catch(|| {
            let span = span.get_or_insert_with(|| user_code::span(context, instance, true));
            let _entered = span.enter();
            future.get_or_insert_with(begin).as_mut().poll(cx).map(convert)
        });
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Ended::Returned(value)),
            Ok(Poll::Pending) => {
                // Registered before the request is read again, as for a run: see `Instance::drop_run`.
                if let Some(queue) = instance.queue() {
                    drop(queue.register_task(*number, cx.waker().clone()));
                }
                if instance.is_drop_requested() || is_cancelled(context) {
                    return Poll::Ready(Ended::Dropped);
                }
                Poll::Pending
            }
            Err(panic) => Poll::Ready(Ended::Panicked(crashes::from_panic(panic))),
        }
    }
}

/// Drops the future and the span. If a destructor panics, the panic hook reports it.
impl<T> Drop for Body<'_, T> {
    fn drop(&mut self) {
        let _service = current::enter_nested(&self.instance.env, self.index);
        let _collecting = self.log.collect();
        let (future, span) = (self.future.take(), self.span.take());
        let _ = panics::catch(|| drop(future));
        let _ = panics::catch(|| drop(span));
        if let Some(queue) = self.instance.queue() {
            drop(queue.remove_task(self.number));
        }
    }
}

/// Reports the end of a job, even if its runtime drops the task: then it is given back.
struct JobEnd {
    /// `None` once it was reported, like the delivery.
    context: Option<Context>,
    delivery: Option<Delivery>,
    listener: Arc<dyn JobListener>,
    index: u32,
    number: u32,
}

impl JobEnd {
    fn report(&mut self, ended: EndedAttempt) {
        let Some((context, delivery)) = self.context.take().zip(self.delivery.take()) else {
            return;
        };
        let queue = context.instance().queue();
        if let Some(consumer) = queue.and_then(|queue| queue.consumer()) {
            consumer.finish(delivery, ended.attempt);
        }
        // Before the report, because the runner is an owner of the service until then.
        drop(context);
        Arc::clone(&self.listener).job_ended(self.index, self.number, ended.outcome, None);
    }
}

impl Drop for JobEnd {
    fn drop(&mut self) {
        self.report(EndedAttempt::BACK);
    }
}
