//! The shape of a change: its kind, and its fields.

use serde_core::ser::SerializeMap;

use super::values::{Seconds, Text};
use crate::observe::event::Change;

/// Writes the kind of a change and its fields.
pub(super) fn write_change<M: SerializeMap>(
    change: &Change,
    object: &mut M,
) -> Result<(), M::Error> {
    object.serialize_entry("change", change.kind())?;
    match change {
        Change::Registered
        | Change::Unregistered
        | Change::Started
        | Change::Unblocked
        | Change::Ready
        | Change::Restarted
        | Change::Reset
        | Change::Paused
        | Change::Resumed
        | Change::Stopping
        | Change::Stopped
        | Change::Cancelled
        | Change::Finished
        | Change::LateEnd
        | Change::StillAlive => Ok(()),
        Change::Rescheduled { schedule } => object.serialize_entry("schedule", &**schedule),
        Change::Disabled { reason } => object.serialize_entry("reason", &**reason),
        Change::WaitsFor { services } | Change::LeftOut { services } => {
            object.serialize_entry("services", services)
        }
        Change::Blocked { by, reason } => {
            object.serialize_entry("by", by)?;
            object.serialize_entry("reason", &**reason)
        }
        Change::RunBegan { run, lateness, trigger, by } => {
            object.serialize_entry("run", run)?;
            object.serialize_entry("trigger", &Text(trigger))?;
            object.serialize_entry("lateness_seconds", &Seconds(*lateness))?;
            object.serialize_entry("by", by)
        }
        Change::RunEnded { run, took, outcome, trigger, by } => {
            object.serialize_entry("run", run)?;
            object.serialize_entry("trigger", &Text(trigger))?;
            object.serialize_entry("outcome", &Text(outcome))?;
            object.serialize_entry("took_seconds", &Seconds(*took))?;
            object.serialize_entry("by", by)
        }
        Change::Requested { request, by } => {
            object.serialize_entry("request", &Text(request))?;
            object.serialize_entry("by", by)
        }
        Change::Refused { request, by, error } => {
            object.serialize_entry("request", &Text(request))?;
            object.serialize_entry("by", by)?;
            object.serialize_entry("error", &**error)
        }
        Change::Skipped { count } | Change::Missed { count } => {
            object.serialize_entry("count", count)
        }
        Change::Crashed { in_a_row, cause, restart_in } => {
            object.serialize_entry("in_a_row", in_a_row)?;
            object.serialize_entry("cause", &**cause)?;
            object.serialize_entry("restart_in_seconds", &restart_in.map(Seconds))
        }
        Change::Returned { restart_in } => {
            object.serialize_entry("restart_in_seconds", &restart_in.map(Seconds))
        }
        Change::Stuck { running_for } | Change::Abandoned { running_for } => {
            object.serialize_entry("running_for_seconds", &Seconds(*running_for))
        }
        Change::HookFailed { cause }
        | Change::PanickedWhileStopping { cause }
        | Change::Failed { cause } => object.serialize_entry("cause", &**cause),
        #[cfg(feature = "queue")]
        Change::JobFailed { job, attempt, error, again_in } => {
            object.serialize_entry("job", &Text(job))?;
            object.serialize_entry("attempt", attempt)?;
            object.serialize_entry("error", &**error)?;
            object.serialize_entry("again_in_seconds", &Seconds(*again_in))
        }
        #[cfg(feature = "queue")]
        Change::JobDied { job, error } => {
            object.serialize_entry("job", &Text(job))?;
            object.serialize_entry("error", &**error)
        }
        #[cfg(feature = "queue")]
        Change::JobReturned { job } => object.serialize_entry("job", &Text(job)),
        #[cfg(feature = "queue")]
        Change::JobLost { job, attempt } => {
            object.serialize_entry("job", &Text(job))?;
            object.serialize_entry("attempt", attempt)
        }
        Change::ThreadFailed { error } => object.serialize_entry("error", &**error),
        Change::SignalReceived { signal } => object.serialize_entry("signal", &Text(signal)),
        Change::Quiescing { quiesce } => {
            object.serialize_entry("quiesce_seconds", &Seconds(*quiesce))
        }
        Change::Selected { selected, total, by } => {
            object.serialize_entry("selected", selected)?;
            object.serialize_entry("total", total)?;
            object.serialize_entry("by", &**by)
        }
    }
}
