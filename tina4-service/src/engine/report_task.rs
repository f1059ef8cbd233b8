//! The task of an async `on_dead`, which is told of one dead job.
//!
//! It owns the context that the function borrows. Its end is always reported. If the function did not end by itself,
//! that is reported too.

use std::future::poll_fn;
use std::sync::{Arc, Weak};

use crate::engine::crashes;
use crate::engine::job_task::{Body, Ended};
use crate::engine::work::Completion;
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::service::job_listener::JobListener;
use crate::service::job_slot::JobSlot;
use crate::service::params::Invocation;
use crate::service::params::hook::DynHook;
use crate::sys::runtime;
use tina4_service_core::lifecycle::RunOutcome;
use tina4_service_queue::DeadJob;
use tina4_service_queue::consumer::Consumer;

/// The error of an `on_dead` that was dropped, because the `stop_timeout` was over, or its runtime has shut down.
const DROPPED: &str =
    "`on_dead` was dropped before it had ended; the list of dead jobs has the job";

/// Makes a task of the report of a dead job. `ids`: the index of the service, and the number of the item.
pub(super) fn spawn(
    context: &Context,
    instance: &Instance,
    consumer: &Consumer,
    dead: DeadJob,
    ids: (u32, u32),
) -> Completion {
    let listener = instance.env.job_listener.get().and_then(Weak::upgrade);
    let Some((handle, listener)) = instance.env.runtime.handle().zip(listener) else {
        consumer.reported();
        return Completion::ItemEnded(RunOutcome::Ok, Some(DROPPED.into()));
    };
    let (index, number) = ids;
    // A runtime drops the task if it has shut down, perhaps before its first poll.
    let end = ReportEnd { context: Some(context.of_task()), listener, index, number };
    runtime::spawn(&handle, run(end, dead));
    Completion::JobSpawned
}

async fn run(mut end: ReportEnd, dead: DeadJob) {
    let failure = match &end.context {
        Some(context) => execute(context, dead, end.index, end.number).await,
        None => None,
    };
    end.report(failure);
}

/// Calls the function. Returns the error text if it fails.
async fn execute(context: &Context, dead: DeadJob, index: u32, number: u32) -> Option<Arc<str>> {
    let on_dead: &dyn DynHook = context.instance().definition.on_dead()?;
    let slot = JobSlot::new(Box::new(dead));
    let invocation = Invocation::for_job(context, &slot);
    let mut body = Body::new(context, index, number);
    let ended = poll_fn(|cx| {
        let begin = || on_dead.future(&invocation);
        body.poll(cx, begin, |result| result.map_err(crashes::from_error_without_prefix))
    });
    match ended.await {
        Ended::Returned(result) => result.err().map(|crash| crash.message),
        Ended::Panicked(crash) => Some(crash.message),
        Ended::Dropped => Some(DROPPED.into()),
    }
}

/// Reports the end of an `on_dead`, even if its runtime drops the task.
struct ReportEnd {
    /// `None` once it was reported.
    context: Option<Context>,
    listener: Arc<dyn JobListener>,
    index: u32,
    number: u32,
}

impl ReportEnd {
    fn report(&mut self, failure: Option<Arc<str>>) {
        let Some(context) = self.context.take() else { return };
        let queue = context.instance().queue();
        if let Some(consumer) = queue.and_then(|queue| queue.consumer()) {
            consumer.reported();
        }
        // Before the report, because the runner is an owner of the service until then.
        drop(context);
        // No run was counted for it.
        let outcome = RunOutcome::Ok;
        Arc::clone(&self.listener).job_ended(self.index, self.number, outcome, failure);
    }
}

impl Drop for ReportEnd {
    fn drop(&mut self) {
        self.report(Some(DROPPED.into()));
    }
}
