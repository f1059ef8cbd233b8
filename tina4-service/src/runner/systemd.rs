//! What `run` tells systemd.

use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::supervisor::service_manager::ServiceManager;
use crate::runner::runner::Runner;
use crate::sys::env_vars::process_variables;
use crate::sys::log_target::LOG_TARGET;
use crate::sys::notify_socket::{NotifySocket, watchdog};

/// While it exists, systemd is told about the program.
pub(super) struct Told(Arc<Engine>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.with(|supervisor, _| supervisor.set_service_manager(None));
    }
}

impl Runner {
    /// From now on, systemd is told about the program, unless another program has started it or the builder has
    /// turned it off.
    pub(super) fn tell_systemd(&self) -> Option<Told> {
        let env = &self.shared.env;
        // A virtual clock would make the pings too rare, or too frequent.
        if !env.systemd || env.clock.is_virtual() {
            return None;
        }
        let variables = process_variables();
        let socket = match NotifySocket::open(&variables) {
            Ok(socket) => socket?,
            Err(error) => {
                tracing::error!(target: LOG_TARGET, %error, "systemd cannot be told about this program; check the variable NOTIFY_SOCKET");
                return None;
            }
        };
        let engine = self.engine().ok()?;
        let manager = ServiceManager::new(socket, watchdog(&variables, std::process::id()));
        engine.with(|supervisor, _| supervisor.set_service_manager(Some(manager)));
        Some(Told(Arc::clone(engine)))
    }
}
