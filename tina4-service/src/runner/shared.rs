//! The state that the clones of a runner share. Dropping it stops the services.

use std::sync::Arc;

use crate::engine::Engine;
use crate::service::environment::Environment;
use crate::service::settings::SettingsCache;
use crate::sys::fork::Forked;

/// The state that the clones of a [`Runner`](crate::Runner) share.
pub(super) struct Shared {
    pub(super) pool: Arc<Engine>,
    pub(super) env: Arc<Environment>,
    pub(super) settings_cache: SettingsCache,
}

impl Shared {
    /// Asks every service to stop, without waiting.
    pub(super) fn request_stop(&self) {
        if let Ok(pool) = self.pool() {
            let timeout = self.env.shutdown_timeout;
            pool.with(|services, now| services.stop_all(timeout, None, now));
        }
    }

    /// The pool, unless it belongs to the process from which this one was forked.
    pub(super) fn pool(&self) -> Result<&Arc<Engine>, Forked> {
        if self.env.owner.is_another_process() { Err(Forked) } else { Ok(&self.pool) }
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.request_stop();
    }
}
