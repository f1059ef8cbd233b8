//! Log lines for changes.

use std::sync::Arc;

use crate::observe::event::Change;
use crate::observe::stop_report::{CANCEL_REMEDY, REMEDY};
use crate::service::instance::Instance;

/// A line for the log. It is written after the runner's lock is released, because a log subscriber is
/// user code.
#[derive(Debug)]
pub(crate) struct LogLine {
    /// `None`: it concerns the runner.
    pub(crate) instance: Option<Arc<Instance>>,
    pub(crate) change: Change,
}

impl LogLine {
    /// A line that reports that `count` lines were lost.
    pub(crate) fn missed(count: u64) -> Self {
        Self { instance: None, change: Change::Missed { count } }
    }

    /// Whether this kind of change is logged. Runs of services with a schedule have a span instead.
    pub(crate) fn is_logged(change: &Change) -> bool {
        !matches!(
            change,
            Change::Registered
                | Change::Ready
                | Change::RunBegan { .. }
                | Change::RunEnded { .. }
                | Change::Restarted
        )
    }

    /// To be called once the line has been written or discarded: the first run may wait for the line
    /// that announces the start.
    pub(crate) fn mark_handled(&self) {
        if let (Some(instance), Change::Started) = (&self.instance, &self.change) {
            instance.set_start_logged();
        }
    }

    /// Writes the line at its level. It has no parent span, because the writing thread may be in the
    /// span of another service.
    pub(crate) fn write(&self) {
        let service = self.instance.as_ref().map_or("", |instance| instance.definition.name_str());
        match &self.change {
            Change::Started => tracing::info!(parent: None, service, "service started"),
            Change::WaitsFor { services } => {
                let services = services.join(", ");
                tracing::info!(parent: None, service, services, "service waits for others that it depends on");
            }
            Change::LeftOut { services } => {
                let services = services.join(", ");
                tracing::info!(parent: None, service, services, "service does not wait for services that are left out");
            }
            Change::Blocked { by } => {
                let by = by.join(", ");
                tracing::warn!(parent: None, service, by, "service blocked: services that it requires cannot become ready unless they are started; start those");
            }
            Change::Unblocked => tracing::info!(parent: None, service, "service unblocked"),
            Change::Rescheduled { schedule } => {
                tracing::info!(parent: None, service, %schedule, "service rescheduled");
            }
            Change::Unregistered => tracing::info!(parent: None, service, "service unregistered"),
            Change::Stopped => tracing::info!(parent: None, service, "service stopped"),
            Change::Cancelled => {
                tracing::warn!(parent: None, service, "service stopped: its run did not return in time and was dropped; {CANCEL_REMEDY}");
            }
            Change::Finished => tracing::info!(parent: None, service, "service finished"),
            Change::Paused => tracing::info!(parent: None, service, "service paused"),
            Change::Resumed => tracing::info!(parent: None, service, "service resumed"),
            Change::Stopping => tracing::debug!(parent: None, service, "service stopping"),
            Change::Skipped { count } => {
                tracing::warn!(parent: None, service,
                    count,
                    "due times were skipped: no run could begin in time"
                );
            }
            Change::Crashed { in_a_row, cause, restart_in: Some(delay) } => {
                let delay = tracing::field::debug(delay);
                tracing::warn!(parent: None, service, in_a_row, error = %cause, delay, "service crashed; it will be restarted");
            }
            Change::Crashed { in_a_row, cause, restart_in: None } => {
                tracing::warn!(parent: None, service, in_a_row, error = %cause, "service crashed; it will not be restarted");
            }
            Change::Returned { restart_in: Some(delay) } => {
                let delay = tracing::field::debug(delay);
                tracing::warn!(parent: None, service, delay, "service returned; it will be restarted");
            }
            Change::Returned { restart_in: None } => {
                tracing::warn!(parent: None, service, "service returned; it will not be restarted");
            }
            Change::Stuck { running_for } => {
                let running_for = tracing::field::debug(running_for);
                tracing::warn!(parent: None, service,
                    running_for,
                    "service is stuck: its run takes longer than its timeout"
                );
            }
            Change::HookFailed { cause } => {
                tracing::warn!(parent: None, service, error = %cause, "a clean-up hook failed");
            }
            Change::PanickedWhileStopping { cause } => {
                tracing::warn!(parent: None, service, error = %cause, "service panicked after it was asked to stop");
            }
            Change::Failed { cause } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                tracing::error!(parent: None, service, error = %cause, place, "service failed");
            }
            Change::Abandoned { running_for } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                let running_for = tracing::field::debug(running_for);
                tracing::error!(parent: None, service,
                    running_for,
                    place,
                    "service abandoned: it did not stop in time; {REMEDY}"
                );
            }
            Change::StillAlive => {
                tracing::warn!(parent: None, service, "service not started: its abandoned run is still alive");
            }
            Change::LateEnd => {
                tracing::info!(parent: None, service, "abandoned service ended after all")
            }
            Change::ThreadFailed { error } => {
                tracing::error!(parent: None, error = %error, "a worker thread could not be started; the runner will try again");
            }
            Change::SignalReceived { signal } => {
                tracing::info!(parent: None, %signal, "stop signal received");
            }
            Change::Missed { count } => {
                tracing::warn!(parent: None, count, "log lines were lost because the log was too slow; use a non-blocking writer");
            }
            // Not logged; see `is_logged`.
            Change::Registered
            | Change::Ready
            | Change::RunBegan { .. }
            | Change::RunEnded { .. }
            | Change::Restarted => {}
        }
    }
}
