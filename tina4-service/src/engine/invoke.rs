//! Calls user code: the function of a service, and its clean-up hooks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::engine::work::{Completion, WorkItem, WorkKind};
use crate::engine::{crashes, current};
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::service::outcome::Exit;
use crate::service::params::Invocation;
use crate::sys::panics;
use crate::time::clock::Clock;
use tina4_service_core::lifecycle::Crash;
use tina4_service_core::nanos;

#[cfg(feature = "testing")]
mod injected;

/// How long the first run of an activation waits for the log line about its start. Long enough for a
/// busy machine to schedule the thread that writes the line.
const START_LINE_TIMEOUT: Duration = Duration::from_millis(100);
/// How many times the first run checks for the line before it sleeps between checks.
const POLLS_WITHOUT_SLEEP: u32 = 50;
/// How long it sleeps between two checks.
const POLL_INTERVAL: Duration = Duration::from_micros(200);

/// Executes the work. A panic in user code does not unwind out of this function.
#[inline]
pub(crate) fn perform(item: &WorkItem) -> Completion {
    let WorkItem { kind, index, context } = item;
    let instance = context.instance();
    current::enter(&instance.env, *index);
    let completion = match kind {
        WorkKind::Run => Completion::Ran(run(context, instance)),
        WorkKind::CleanUp => Completion::CleanedUp(clean_up(context, instance)),
    };
    current::leave();
    completion
}

/// Runs `body`, inside the service's span if `has_span` is set. Log subscribers, destructors and the
/// `Display` of errors are user code as well, so everything is inside one `catch`.
fn guarded<T>(
    context: &Context,
    instance: &Instance,
    has_span: bool,
    body: impl FnOnce() -> T,
) -> Result<T, Box<Crash>> {
    let quiet = instance.env.exiting.load(Ordering::Relaxed);
    let caught = panics::catch(|| {
        let span = if quiet || !has_span {
            tracing::Span::none()
        } else {
            // The values are computed inside the macro, because it evaluates its fields only if
            // the span is enabled.
            tracing::info_span!(
                "service",
                name = context.name(),
                run = context.run_info().number,
                lateness = ?context.lateness()
            )
        };
        // perf: one call site, so that the compiler inlines the body here.
        let _entered = span.enter();
        body()
    });
    caught.map_err(crashes::from_panic)
}

/// Waits for at most [`START_LINE_TIMEOUT`] until the log line about the service's start has been
/// written, so that the service's own lines follow it. A log may block forever.
#[cold]
fn wait_for_start_line(instance: &Instance) {
    // The log is not part of the model.
    if cfg!(shuttle) {
        return;
    }
    let (clock, slow) = (Clock::system(), &instance.env.log_is_slow);
    let until = clock.now().saturating_add(nanos(START_LINE_TIMEOUT));
    let mut polls = 0;
    while !instance.is_start_logged() && !slow.load(Ordering::Relaxed) {
        polls += 1;
        if polls < POLLS_WITHOUT_SLEEP {
            crate::sys::sync::yield_now();
        } else if clock.now() < until {
            std::thread::park_timeout(POLL_INTERVAL);
        } else {
            slow.store(true, Ordering::Relaxed);
        }
    }
}

fn run(context: &Context, instance: &Instance) -> Exit<Box<Crash>> {
    if !instance.is_start_logged() {
        wait_for_start_line(instance);
    }
    let body = || {
        #[cfg(feature = "testing")]
        if let Err(cause) = injected::inject(instance) {
            return Exit::Crashed(crashes::from_error(cause));
        }
        instance.definition.call(&Invocation::new(context)).map_crash(crashes::from_error)
    };
    // A run of a continuous service may last for months, and a span that long is useless: most
    // backends see a span only once it is closed.
    let has_span = instance.definition.spec().schedule.is_periodic();
    let exit = guarded(context, instance, has_span, body).unwrap_or_else(Exit::Crashed);
    if matches!(exit, Exit::Crashed(_)) {
        discard_locals(instance);
    }
    exit
}

/// Runs the hooks of the activation that has ended: the registered ones in reverse order of their
/// registration, then the declared one. Returns the error texts of the hooks that failed.
fn clean_up(context: &Context, instance: &Instance) -> Vec<Arc<str>> {
    let mut failures = Vec::new();
    loop {
        let result = if let Some(registered) = instance.pop_hook() {
            guarded(context, instance, true, || {
                (registered.hook)().map_err(crashes::from_error_without_prefix)
            })
        } else if instance.take_on_stop() {
            guarded(context, instance, true, || {
                let invocation = Invocation::new(context);
                instance.definition.on_stop(&invocation).map_err(crashes::from_error_without_prefix)
            })
        } else {
            break;
        };
        failures.extend(result.flatten().err().map(|crash| crash.message));
    }
    discard_locals(instance);
    failures
}

/// Drops the values of `Local` parameters. If a destructor panics, the panic hook reports it.
fn discard_locals(instance: &Instance) {
    let discarded = instance.take_locals();
    let _ = panics::catch(|| drop(discarded));
}
