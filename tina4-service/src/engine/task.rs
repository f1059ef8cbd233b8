//! Async functions: how a task executes a run, and an async `on_stop`.
//!
//! Each of them owns the context that its function borrows. It tells the runner when it has ended, whatever
//! ended it: a result, a panic, a request to drop it, or the end of its runtime.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

#[cfg(feature = "testing")]
use crate::engine::injected;
use crate::engine::{crashes, current, user_code};
use crate::service::context::Context;
use crate::service::future::BoxFuture;
use crate::service::instance::Instance;
use crate::service::outcome::Exit;
use crate::service::params::Invocation;
use crate::service::queued_run::{self, QueuedRun};
use crate::service::run_log::RunLogger;
use crate::service::task_listener::TaskListener;
use crate::sys::panics;
use crate::sys::task_pool::Job;
use tina4_service_core::lifecycle::Crash;

/// Executes the run of an async function. Ends at once if it is to be dropped.
impl Job for QueuedRun {
    async fn execute(mut self) {
        self.context.begin_task(self.queued);
        let Self { context, end, .. } = &self;
        let instance = context.instance();
        let invocation = Invocation::new(context);
        let mut body = Body::of_run(context, end.index());
        let result = poll_fn(|cx| {
            let begin = || begin_future(context, &invocation);
            body.poll(cx, begin, |exit| exit.map_crash(crashes::from_error))
        });
        let result = result.await;
        body.log.set_failed(!matches!(&result, Ok(exit) if !matches!(exit, Exit::Crashed(_))));
        let exit = match result {
            Ok(exit) => exit,
            Err(Interrupted::Panicked(crash)) => Exit::Crashed(crash),
            // The result of a dropped run does not matter.
            Err(Interrupted::Dropped) => Exit::Wait,
        };
        drop(body);
        if matches!(exit, Exit::Crashed(_)) {
            let _service = current::enter_nested(&instance.env, end.index());
            user_code::discard_locals(instance);
        }
        let Self { context, mut end, .. } = self;
        drop(context);
        end.report(exit);
    }
}

/// What the task of an async `on_stop` owns. The context is dropped first, for the reason given at
/// [`QueuedRun`].
pub(super) struct CleanUp {
    pub(super) context: Context,
    pub(super) end: CleanUpEnd,
}

/// The async `on_stop` of a service, after its other hooks.
pub(super) async fn clean_up(task: CleanUp) {
    let CleanUp { context, end } = &task;
    let index = end.index;
    let instance = context.instance();
    let invocation = Invocation::new(context);
    let mut body = Body::of_hook(context, index);
    let result = poll_fn(|cx| {
        let begin = || instance.definition.on_stop_future(&invocation);
        body.poll(cx, begin, |result| result.map_err(crashes::from_error_without_prefix))
    });
    let failure = match result.await {
        Ok(result) => result.err(),
        Err(Interrupted::Panicked(crash)) => Some(crash),
        Err(Interrupted::Dropped) => None,
    };
    drop(body);
    let CleanUp { context, mut end } = task;
    let mut failures = std::mem::take(&mut end.failures);
    failures.extend(failure.map(|crash| crash.message));
    let failures = {
        let instance = context.instance();
        let _service = current::enter_nested(&instance.env, index);
        user_code::finish_clean_up(&context, instance, failures)
    };
    drop(context);
    end.report(failures);
}

/// Calls the async function of a service. Called in the first poll of its task.
#[cfg(feature = "tokio")]
fn begin_future<'r>(context: &'r Context, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
    let instance = context.instance();
    #[cfg(feature = "testing")]
    if let Some(fault) = instance.take_injected() {
        return Box::pin(injected::inject_async(instance, fault, invocation));
    }
    instance.definition.future(invocation)
}

/// Why a future has no result.
enum Interrupted {
    Panicked(Box<Crash>),
    Dropped,
}

/// The future of the user's function, and what surrounds each poll of it.
struct Body<'r, T> {
    context: &'r Context,
    instance: &'r Instance,
    index: u32,
    has_span: bool,
    /// Whether the runner may ask to drop it: a run, but not a hook.
    is_droppable: bool,
    /// `None` before the first poll and after the last.
    future: Option<BoxFuture<'r, T>>,
    span: Option<tracing::Span>,
    /// Whether the instance knows the waker.
    is_registered: bool,
    log: RunLogger,
}

impl<'r, T> Body<'r, T> {
    fn of_run(context: &'r Context, index: u32) -> Self {
        // A run of a continuous service may last for months, and has no span.
        let has_span = context.instance().definition.spec().schedule.is_periodic();
        let mut body = Self::of_hook(context, index);
        (body.has_span, body.is_droppable) = (has_span, true);
        body.log = RunLogger::begin(context, index);
        body
    }

    fn of_hook(context: &'r Context, index: u32) -> Self {
        Self {
            context,
            instance: context.instance(),
            index,
            has_span: true,
            is_droppable: false,
            future: None,
            span: None,
            is_registered: false,
            log: RunLogger::off(),
        }
    }

    /// Polls the future, which `begin` creates, and converts its result. The parameters of the function,
    /// destructors, the `Display` of errors and log subscribers are user code as well.
    fn poll<U>(
        &mut self,
        cx: &mut TaskContext<'_>,
        begin: impl FnOnce() -> BoxFuture<'r, T>,
        convert: impl FnOnce(T) -> U,
    ) -> Poll<Result<U, Interrupted>> {
        if self.is_droppable && self.instance.is_drop_requested() {
            return Poll::Ready(Err(Interrupted::Dropped));
        }
        let Self { context, instance, index, has_span, future, span, log, .. } = self;
        let _service = current::enter_nested(&instance.env, *index);
        let _collecting = log.collect();
        let polled = panics::catch(|| {
            let span = span.get_or_insert_with(|| user_code::span(context, instance, *has_span));
            let _entered = span.enter();
            future.get_or_insert_with(begin).as_mut().poll(cx).map(convert)
        });
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Ok(Poll::Pending) if self.is_droppable => {
                self.is_registered = true;
                if self.instance.register_task(cx.waker()) {
                    return Poll::Ready(Err(Interrupted::Dropped));
                }
                Poll::Pending
            }
            Ok(Poll::Pending) => Poll::Pending,
            Err(panic) => Poll::Ready(Err(Interrupted::Panicked(crashes::from_panic(panic)))),
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
        if self.is_registered {
            self.instance.remove_task();
        }
    }
}

/// Reports the end of a clean-up, even if its runtime drops the task.
pub(super) struct CleanUpEnd {
    listener: Option<Arc<dyn TaskListener>>,
    index: u32,
    /// The error texts of the hooks so far.
    failures: Vec<Arc<str>>,
}

impl CleanUpEnd {
    pub(super) fn new(
        index: u32,
        failures: Vec<Arc<str>>,
        listener: Arc<dyn TaskListener>,
    ) -> Self {
        Self { listener: Some(listener), index, failures }
    }

    fn report(&mut self, failures: Vec<Arc<str>>) {
        if let Some(listener) = self.listener.take() {
            listener.clean_up_ended(self.index, failures);
        }
    }
}

impl Drop for CleanUpEnd {
    fn drop(&mut self) {
        if self.listener.is_some() {
            let mut failures = std::mem::take(&mut self.failures);
            failures.push(queued_run::runtime_gone().message);
            self.report(failures);
        }
    }
}
