//! The state that all handles of a runner share, and what keeps its services running.

use std::sync::Arc;

use crate::engine::Engine;
use crate::service::environment::Environment;
use crate::sys::fork::Forked;

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

/// Held by the handles that keep the services running: all but those from
/// [`Context::runner`](crate::Context::runner). Dropping the last one stops the services.
pub(super) struct KeepRunning(pub(super) Shared);

impl Drop for KeepRunning {
    fn drop(&mut self) {
        self.0.request_stop();
    }
}
