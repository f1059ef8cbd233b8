//! What systemd is told about the process, and when.
//!
//! The pings of the watchdog are due times of the engine, like those of services: the worker that handles them is
//! the one that would begin the next run. So an engine that stands still sends none, and systemd starts the
//! process anew.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use super::Supervisor;
use super::service_manager::ServiceManager;
use crate::observe::info::is_healthy;
use crate::text::one_line::OneLine;
use tina4_service_core::Nanos;

/// How many services a status names.
const MAX_NAMES: usize = 5;

/// How much longer than the shutdown timeout a stop may take.
const STOP_MARGIN: Duration = Duration::from_secs(2);

impl Supervisor {
    /// From now on, systemd is told about the process.
    pub(crate) fn set_service_manager(&mut self, manager: Option<ServiceManager>) {
        self.service_manager = manager.map(Box::new);
        // Without it, the workers may have nothing more to wait for.
        self.changed = true;
    }

    /// When systemd is to be told something next.
    pub(super) fn service_manager_due(&self) -> Option<Nanos> {
        self.service_manager.as_ref()?.due()
    }

    /// Notes that what systemd was told may not be true any more.
    pub(super) fn note_for_service_manager(&mut self, now: Nanos) {
        if let Some(manager) = &mut self.service_manager {
            manager.note_change(now);
        }
    }

    /// Tells systemd that the process is to end. At once, because that may not take long.
    pub(super) fn tell_service_manager_of_stop(&mut self, now: Nanos) {
        if let Some(manager) = &mut self.service_manager {
            manager.look_at = Some(now);
            self.tell_service_manager(now);
        }
    }

    /// Tells systemd what is due, once the lock is released.
    pub(super) fn tell_service_manager(&mut self, now: Nanos) {
        let Some(mut manager) = self.service_manager.take() else { return };
        let mut message = String::new();
        if manager.look_at.is_some_and(|at| at <= now) {
            manager.look_at = None;
            manager.last_look = now;
            self.look_for_service_manager(&mut manager, &mut message, now);
        }
        if let Some(every) = manager.ping_every
            && manager.next_ping <= now
        {
            message.push_str("WATCHDOG=1\n");
            manager.next_ping = now.saturating_add(every);
        }
        if !message.is_empty() {
            self.deferred.notify(Arc::clone(&manager.socket), message);
        }
        self.service_manager = Some(manager);
    }

    fn look_for_service_manager(
        &mut self,
        manager: &mut ServiceManager,
        message: &mut String,
        now: Nanos,
    ) {
        let readiness = self.readiness(now);
        if readiness.is_ready && !manager.is_ready {
            manager.is_ready = true;
            message.push_str("READY=1\n");
        }
        if let Some(time_left) = self.time_to_stop(now)
            && !manager.is_stopping
        {
            manager.is_stopping = true;
            let micros = time_left.saturating_add(STOP_MARGIN).as_micros();
            let _ = write!(message, "STOPPING=1\nEXTEND_TIMEOUT_USEC={micros}\n");
        }
        let status = self.status_for_service_manager(now);
        if status != manager.status {
            let _ = writeln!(message, "STATUS={status}");
            manager.status = status;
        }
    }

    /// How long the process takes until it ends, if it is asked to; `None`: it is not.
    fn time_to_stop(&self, now: Nanos) -> Option<Duration> {
        if let Some(deadline) = self.shutdown.deadline() {
            return Some(Duration::from_nanos(deadline.saturating_sub(now)));
        }
        #[cfg(feature = "signals")]
        if let Some(signal) = &self.availability.stop_signal {
            let quiesce = Duration::from_nanos(signal.until.saturating_sub(now));
            return Some(quiesce.saturating_add(self.env.shutdown_timeout));
        }
        None
    }

    /// One line about the services, such as `12 services; not healthy: mailer (failed)`.
    fn status_for_service_manager(&self, now: Nanos) -> String {
        let count = self.registry.len();
        let mut status = format!("{count} service{}", if count == 1 { "" } else { "s" });
        if self.shutdown.is_in_progress() {
            let _ = write!(status, ", {} still active, stopping", self.active);
        }
        let mut others = 0;
        let mut named = 0;
        for index in self.registry.indices() {
            let service = self.registry.get(index);
            let (state, is_stuck) = (service.life.state(), self.is_stuck(index, now));
            let crashes = service.life.unrecovered_crashes(service.spec(), now);
            if is_healthy(state, is_stuck, crashes, self.env.unhealthy_after) {
                continue;
            }
            if named == MAX_NAMES {
                others += 1;
                continue;
            }
            let separator = if named == 0 { "; not healthy:" } else { "," };
            let name = OneLine(service.instance.definition.name_str());
            let _ = write!(status, "{separator} {name} ({state})");
            named += 1;
        }
        if others > 0 {
            let _ = write!(status, " and {others} more");
        }
        status
    }
}
