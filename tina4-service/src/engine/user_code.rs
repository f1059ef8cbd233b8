//! What surrounds every call of user code: the span, and the place where panics are caught.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::engine::crashes;
use crate::service::context::Context;
use crate::service::instance::Instance;
use crate::sys::log_target::LOG_TARGET;
use crate::sys::panics;
use tina4_service_core::lifecycle::Crash;

/// Runs `body`, inside the service's span if `has_span` is set. Log subscribers, destructors and the
/// `Display` of errors are user code as well, so everything is inside one `catch`.
// perf: inlined, so that the call of the function is part of `invoke::run`.
#[inline(always)]
pub(super) fn guarded<T>(
    context: &Context,
    instance: &Instance,
    has_span: bool,
    body: impl FnOnce() -> T,
) -> Result<T, Box<Crash>> {
    let caught = panics::catch(|| {
        let span = span(context, instance, has_span);
        // perf: one call site, so that the compiler inlines the body here.
        let _entered = span.enter();
        body()
    });
    caught.map_err(crashes::from_panic)
}

/// The span of the run, or none.
// perf: see `guarded`.
#[inline(always)]
pub(super) fn span(context: &Context, instance: &Instance, has_span: bool) -> tracing::Span {
    if !has_span || instance.env.exiting.load(Ordering::Relaxed) {
        return tracing::Span::none();
    }
    // The values are computed inside the macro, because it evaluates its fields only if the span is
    // enabled.
    tracing::info_span!(
        target: LOG_TARGET,
        "service",
        name = context.name(),
        run = context.run_info().number,
        lateness = ?context.lateness()
    )
}

/// Runs the registered hooks, and returns the error texts of those that failed.
pub(super) fn run_registered_hooks(context: &Context, instance: &Instance) -> Vec<Arc<str>> {
    let mut failures = Vec::new();
    while let Some(registered) = instance.pop_hook() {
        let result = guarded(context, instance, true, || {
            (registered.hook)().map_err(crashes::from_error_without_prefix)
        });
        failures.extend(result.flatten().err().map(|crash| crash.message));
    }
    failures
}

/// Ends a clean-up: runs the hooks that its hooks have registered, and returns all error texts.
pub(super) fn finish_clean_up(
    context: &Context,
    instance: &Instance,
    mut failures: Vec<Arc<str>>,
) -> Vec<Arc<str>> {
    failures.extend(run_registered_hooks(context, instance));
    discard_locals(instance);
    failures
}

/// Drops the values of `Local` parameters. If a destructor panics, the panic hook reports it.
pub(super) fn discard_locals(instance: &Instance) {
    let discarded = instance.take_locals();
    let _ = panics::catch(|| drop(discarded));
}
