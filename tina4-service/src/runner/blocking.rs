//! Calls that block on a thread of a tokio runtime.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
use crate::engine::control_error::ControlError;
use crate::engine::pool::poll::Poll;
use crate::engine::supervisor::Supervisor;
use crate::sys::log_target::LOG_TARGET;
#[cfg(feature = "tokio")]
use crate::sys::runtime;
use tina4_service_core::Nanos;

/// [`Engine::wait_for`](crate::engine::pool::Pool::wait_for), which works on the threads of runtimes, too.
pub(super) fn wait_for<T>(
    engine: &Arc<Engine>,
    condition: impl FnMut(&mut Supervisor, Nanos) -> Poll<T>,
) -> T {
    #[cfg(feature = "tokio")]
    return runtime::block(|| engine.wait_for(condition));
    #[cfg(not(feature = "tokio"))]
    engine.wait_for(condition)
}

/// [`Engine::wait_for_log`](crate::engine::pool::Pool::wait_for_log), unless that would keep the tasks of a
/// runtime from making progress: the log may wait for them.
pub(super) fn wait_for_log(engine: &Arc<Engine>, timeout: Duration) {
    #[cfg(feature = "tokio")]
    if !runtime::is_only_thread() {
        runtime::block(|| engine.wait_for_log(timeout));
    }
    #[cfg(not(feature = "tokio"))]
    engine.wait_for_log(timeout);
}

/// The error of a call that would block the only thread that executes async services.
#[cold]
pub(super) fn blocks_runtime(call: &'static str) -> ControlError {
    #[cfg(feature = "tokio")]
    return ControlError::BlocksRuntime { call };
    #[cfg(not(feature = "tokio"))]
    unreachable!("without the feature `tokio`, no service is async, so `{call}` may block")
}

/// Reports that a call that returns no error has returned without waiting.
#[cold]
pub(super) fn report_refusal(call: &'static str) {
    tracing::error!(
        target: LOG_TARGET,
        "`{call}` has ended its wait: it blocks the only thread of the tokio runtime that executes async \
         services, which would make no progress; await `{call}_async` instead"
    );
}
