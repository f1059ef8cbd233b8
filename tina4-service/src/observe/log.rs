//! Log lines for changes.

use std::sync::Arc;
use std::time::SystemTime;

use crate::observe::event::Change;
use crate::observe::log::entry::{Entry, Skipped, Started, StopWaits, TimeOf};
use crate::observe::log::lists::{write_disabled, write_many, write_stopped, write_table};
use crate::observe::log::names::names;
use crate::observe::stop_report::{CANCEL_REMEDY, REMEDY};
use crate::service::error_text::without_backtrace;
use crate::service::instance::Instance;
use crate::sys::log_target::LOG_TARGET;
use crate::text::one_line::OneLine;
use tina4_service_core::duration;

/// Writes a log line. It has no parent span, because the writing thread may be in the span of another service.
macro_rules! line {
    ($level:ident, $($rest:tt)+) => {
        tracing::$level!(target: LOG_TARGET, parent: None, $($rest)+)
    };
}

pub(crate) mod entry;
mod lists;
mod names;
#[cfg(all(test, not(shuttle)))]
pub(crate) mod recorder;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// The name of a service; `None` if a request concerns the runner.
fn named(service: &str) -> Option<&str> {
    Some(service).filter(|service| !service.is_empty())
}

/// A line for the log. It is written after the runner's lock is released, because a log subscriber is
/// user code.
#[derive(Debug)]
pub(crate) struct LogLine {
    /// `None`: it concerns the runner.
    pub(crate) instance: Option<Arc<Instance>>,
    pub(crate) entry: Entry,
}

impl LogLine {
    /// A line that reports that `count` lines were lost.
    pub(crate) fn missed(count: u64) -> Self {
        Self::of_runner(Change::Missed { count })
    }

    /// A line about a change that concerns the runner.
    pub(crate) fn of_runner(change: Change) -> Self {
        Self { instance: None, entry: Entry::Change { change, left_out: 0 } }
    }

    /// To be called once the line has been written or discarded: the first run may wait for the line
    /// that announces the start.
    pub(crate) fn mark_handled(&self) {
        match (&self.instance, &self.entry) {
            (Some(instance), Entry::Started(_)) => instance.set_start_logged(),
            (None, Entry::StartedMany(many)) => {
                many.services.iter().for_each(|(instance, _)| instance.set_start_logged());
            }
            _ => {}
        }
    }

    /// Writes the line at its level. The chapter `logging` lists all lines; a test compares them.
    pub(crate) fn write(&self) {
        let service = self.instance.as_ref().map_or("", |instance| instance.definition.name_str());
        let left_out = |count: &u64| Some(*count).filter(|count| *count > 0);
        match &self.entry {
            Entry::Change { change, left_out: count } => {
                self.write_change(service, change, left_out(count));
            }
            Entry::FirstCrash(change) => {
                self.print(change);
                self.write_change(service, change, None);
            }
            Entry::Started(started) => {
                let Started { schedule, next } = &**started;
                let next = next.map(|next| tracing::field::display(TimeOf(schedule, next)));
                let instance = self.instance.as_ref();
                match instance.and_then(|instance| instance.definition.disabled()) {
                    Some(by) => {
                        let disabled_by = &**by;
                        line!(info, service, %schedule, next, disabled_by, "disabled service started on request");
                    }
                    None => line!(info, service, %schedule, next, "service started"),
                }
            }
            Entry::StartedMany(many) => write_many(many),
            Entry::DisabledMany(instances) => write_disabled(instances),
            Entry::StoppedMany(many) => write_stopped(many),
            Entry::Skipped(skipped) => {
                let Skipped { count, schedule, due, next } = &**skipped;
                let shown = |at: &Option<SystemTime>| {
                    at.map(|at| tracing::field::display(TimeOf(schedule, at)))
                };
                line!(
                    warn,
                    service,
                    count,
                    due = shown(due),
                    next = shown(next),
                    "due times were skipped: no run could begin in time"
                );
            }
            Entry::Recovered { crashes, left_out: count } => {
                line!(
                    info,
                    service,
                    crashes,
                    left_out = left_out(count),
                    "service recovered: a run ended well after crashes"
                );
            }
            Entry::RunsAgain { crashes, left_out: count } => {
                line!(info, service, crashes, left_out = left_out(count), "service runs again");
            }
            Entry::StopWaits(waits) => {
                let StopWaits { services, behind, waited, left } = &**waits;
                line!(
                    info,
                    services = names(services),
                    behind,
                    waited = ?waited,
                    left = ?left,
                    "stop waits for services that have not ended yet"
                );
            }
            Entry::NoticesLost { count } => {
                line!(
                    warn,
                    count,
                    "notices were lost because a hook of `on_change` was too slow; let it hand them over"
                );
            }
            Entry::Table(table) => write_table(table),
        }
    }

    /// Prints the first crash of a service if `run` was called and there is no log.
    fn print(&self, crash: &Change) {
        let (Some(instance), Change::Crashed { cause, .. }) = (&self.instance, crash) else {
            return;
        };
        if let Some(print) = instance.env.crash_printer.get()
            && !tracing::dispatcher::has_been_set()
        {
            let (name, place) = (instance.definition.name_str(), instance.definition.place());
            let cause = OneLine(without_backtrace(cause));
            print(&format!(
                "`{name}` at {place} crashed for the first time: {cause}; install a `tracing` subscriber to see all log lines\n"
            ));
        }
    }

    fn write_change(&self, service: &str, change: &Change, left_out: Option<u64>) {
        match change {
            Change::Disabled { reason } => {
                line!(info, service, reason = &**reason, "service disabled");
            }
            Change::Selected { selected, total, by } => {
                let by = &**by;
                line!(info, selected, total, by, "{selected} of {total} services run here ({by})");
            }
            Change::WaitsFor { services } => {
                let services = names(services);
                line!(info, service, services, "service waits for others that it depends on");
            }
            Change::LeftOut { services } => {
                let services = names(services);
                line!(
                    info,
                    service,
                    services,
                    "service does not wait for services that are left out or disabled"
                );
            }
            Change::Blocked { by, reason } => {
                let (by, reason) = (names(by), &**reason);
                line!(
                    warn,
                    service,
                    by,
                    reason,
                    "service blocked: services that it requires cannot become ready unless they are started; start those"
                );
            }
            Change::Unblocked => line!(info, service, "service unblocked"),
            Change::Rescheduled { schedule } => {
                line!(info, service, %schedule, "service rescheduled");
            }
            Change::Unregistered => line!(info, service, "service unregistered"),
            Change::Stopped => line!(info, service, "service stopped"),
            Change::Cancelled => {
                line!(
                    warn,
                    service,
                    "service stopped: its run did not return in time and was dropped; {CANCEL_REMEDY}"
                );
            }
            Change::Finished => line!(info, service, "service finished"),
            Change::Requested { request, by } => {
                let (by, reason) = (by.name(), by.reason());
                line!(info, service = named(service), %request, by, reason, "request received");
            }
            Change::Refused { request, by, error } => {
                let (by, reason) = (by.name(), by.reason());
                line!(info, service = named(service), %request, by, reason, error = %error, "request refused");
            }
            Change::Reset => line!(info, service, "failures of the service forgotten"),
            Change::Paused => line!(info, service, "service paused"),
            Change::Resumed => line!(info, service, "service resumed"),
            Change::Stopping => line!(debug, service, "service stopping"),
            Change::Crashed { in_a_row, cause, restart_in: Some(restart_in) } => {
                let restart_in = tracing::field::debug(restart_in);
                line!(warn, service, in_a_row, error = %cause, restart_in, left_out, "service crashed; it will be restarted");
            }
            Change::Crashed { in_a_row, cause, restart_in: None } => {
                line!(warn, service, in_a_row, error = %cause, left_out, "service crashed; it will not be restarted");
            }
            Change::Returned { restart_in: Some(restart_in) } => {
                let restart_in = tracing::field::debug(restart_in);
                line!(
                    warn,
                    service,
                    restart_in,
                    left_out,
                    "service returned; it will be restarted"
                );
            }
            Change::Returned { restart_in: None } => {
                line!(warn, service, left_out, "service returned; it will not be restarted");
            }
            Change::Stuck { running_for } => {
                let running_for = tracing::field::debug(running_for);
                line!(
                    warn,
                    service,
                    running_for,
                    left_out,
                    "service is stuck: its run takes longer than its timeout"
                );
            }
            Change::HookFailed { cause } => {
                line!(warn, service, error = %cause, "a clean-up hook failed");
            }
            Change::PanickedWhileStopping { cause } => {
                line!(warn, service, error = %cause, "service panicked after it was asked to stop");
            }
            Change::Failed { cause } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                line!(error, service, error = %cause, place, "service failed");
            }
            Change::Abandoned { running_for } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                let running_for = tracing::field::debug(running_for);
                line!(
                    error,
                    service,
                    running_for,
                    place,
                    "service abandoned: it did not stop in time; {REMEDY}"
                );
            }
            Change::StillAlive => {
                line!(warn, service, "service not started: its abandoned run is still alive");
            }
            Change::LateEnd => {
                line!(info, service, "abandoned service ended after all")
            }
            #[cfg(feature = "queue")]
            Change::JobFailed { job, attempt, error, again_in } => {
                let again_in = tracing::field::debug(again_in);
                line!(warn, service, %job, attempt, error = %error, again_in, left_out, "a job failed; it will be tried again");
            }
            #[cfg(feature = "queue")]
            Change::JobDied { job, error } => {
                line!(error, service, %job, error = %error, "a job is dead; correct the cause, then put it back or delete it");
            }
            #[cfg(feature = "queue")]
            Change::JobReturned { job } => {
                line!(info, service, %job, "a job was given back");
            }
            #[cfg(feature = "queue")]
            Change::JobLost { job, attempt } => {
                line!(warn, service, %job, attempt, left_out, "the claim of a job was lost, and the job runs again; the engine could not be reached in time, or the process was paused");
            }
            Change::ThreadFailed { error } => {
                line!(error, error = %error, "a worker thread could not be started; the runner will try again");
            }
            Change::SignalReceived { signal } => {
                line!(info, %signal, "stop signal received");
            }
            Change::Quiescing { quiesce } => {
                let quiesce = duration::format(*quiesce);
                line!(info, %quiesce, "the program is not ready any more; its services stop after the quiesce time, or at another signal");
            }
            Change::Missed { count } => {
                line!(
                    warn,
                    count,
                    "log lines were lost because the log was too slow; use a non-blocking writer"
                );
            }
            // These have an entry of their own, or are not logged: see `log_change`.
            Change::Started
            | Change::Skipped { .. }
            | Change::Registered
            | Change::Ready
            | Change::RunBegan { .. }
            | Change::RunEnded { .. }
            | Change::Restarted => {}
        }
    }
}
