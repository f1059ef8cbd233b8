//! The state that all handles of a runner share, and what keeps its services running.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::pool::poll::Poll;
use crate::engine::supervisor::Supervisor;
use crate::runner::blocking::wait_for;
use crate::service::environment::Environment;
use crate::sys::fork::Forked;
#[cfg(feature = "tokio")]
use crate::sys::runtime;
use tina4_service_core::Nanos;

/// The state that the handles of a [`Runner`](crate::Runner) share.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) env: Arc<Environment>,
}

impl Shared {
    /// Asks every service to stop, without waiting.
    pub(super) fn request_stop(&self) {
        if let Ok(engine) = self.engine() {
            let timeout = self.env.shutdown_timeout;
            engine.with(|supervisor, now| supervisor.stop_all(timeout, None, now));
        }
    }

    /// The engine, unless it belongs to the process from which this one was forked.
    pub(super) fn engine(&self) -> Result<&Arc<Engine>, Forked> {
        if self.env.owner.is_another_process() { Err(Forked) } else { Ok(&self.engine) }
    }
}

impl Shared {
    /// Waits until `condition` is ready. `None`: an async service is active, and this thread is the only one
    /// that executes it, so the wait would never end. That is checked with the condition, because another
    /// service may start it during the wait.
    #[cfg(feature = "tokio")]
    pub(super) fn wait_for<T>(
        &self,
        mut condition: impl FnMut(&mut Supervisor, Nanos) -> Poll<T>,
    ) -> Option<T> {
        let drives = self.drives_async_services();
        wait_for(&self.engine, |supervisor, now| {
            if drives && supervisor.has_active_task(None) {
                return Poll::Ready(None);
            }
            match condition(supervisor, now) {
                Poll::Ready(value) => Poll::Ready(Some(value)),
                Poll::Pending(until) => Poll::Pending(until),
            }
        })
    }

    /// Waits until `condition` is ready. Without the feature `tokio`, no service is async.
    #[cfg(not(feature = "tokio"))]
    pub(super) fn wait_for<T>(
        &self,
        condition: impl FnMut(&mut Supervisor, Nanos) -> Poll<T>,
    ) -> Option<T> {
        Some(wait_for(&self.engine, condition))
    }

    /// Whether a call that blocks this thread would wait forever for this service, if it is async, because the
    /// thread is the one that executes it.
    #[cfg(feature = "tokio")]
    pub(super) fn would_wait_forever(&self, service: &str) -> bool {
        self.drives_async_services()
            && self.engine.with(|supervisor, _| supervisor.has_active_task(Some(service)))
    }

    /// Whether this thread is the only one that executes the async services.
    #[cfg(feature = "tokio")]
    pub(super) fn drives_async_services(&self) -> bool {
        // A forked child has none of the parent's runtime, and its lock may have been held at the fork.
        let handle = self.engine().ok().and_then(|_| self.env.runtime.handle());
        handle.is_some_and(|handle| runtime::is_driven_by_this_thread(&handle))
    }
}

/// Held by the handles that keep the services running: all but those from
/// [`Context::runner`](crate::Context::runner). Dropping the last one stops the services.
pub(super) struct KeepRunning(pub(super) Shared);

impl Drop for KeepRunning {
    fn drop(&mut self) {
        self.0.request_stop();
    }
}
