//! The state that the clones of a runner share. Dropping it stops the services.

use std::sync::Arc;

use crate::engine::Engine;
use crate::service::environment::Environment;
use crate::service::settings::SettingsCache;
use crate::sys::fork::Forked;

/// The state that the clones of a [`Runner`](crate::Runner) share.
pub(super) struct Shared {
    pub(super) engine: Arc<Engine>,
    pub(super) env: Arc<Environment>,
    pub(super) settings_cache: SettingsCache,
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

impl Drop for Shared {
    fn drop(&mut self) {
        self.request_stop();
    }
}
