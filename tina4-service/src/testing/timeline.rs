//! Formats events as text for snapshots.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use tina4_service_core::duration;

use crate::observe::event::{Change, Event};
use crate::observe::event_log::EventLogState;
use crate::service::error_text::without_backtrace;
use crate::text::one_line::OneLine;
use crate::time::zone::Zone;

/// Writes one line per change: the time, the service, and the change.
///
/// If the change right after the beginning of a run is its end, at the same instant, both are written
/// on one line.
pub(super) fn write(log: &EventLogState, zone: &Zone) -> String {
    let mut lines = String::new();
    if log.discarded > 0 {
        let _ = writeln!(lines, "({} earlier changes were discarded)", log.discarded);
    }
    let width = log.events.iter().map(|event| event.service.len()).max().unwrap_or(0);
    let mut events = log.events.iter().peekable();
    while let Some(event) = events.next() {
        let includes_end = events.next_if(|next| is_instant_run(event, next)).is_some();
        let Event { service, at, change } = event;
        let (at, change) = (time(zone, *at), ChangeText { change, includes_end });
        let _ = writeln!(lines, "{at}  {service:width$}  {change}");
    }
    lines
}

fn time(zone: &Zone, at: SystemTime) -> String {
    struct Time<'a>(&'a Zone, SystemTime);
    impl fmt::Display for Time<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.write_time(f, self.1)
        }
    }
    Time(zone, at).to_string()
}

/// Whether these are the two ends of a run that took no time.
fn is_instant_run(began: &Event, ended: &Event) -> bool {
    match (&began.change, &ended.change) {
        (Change::RunBegan { run: began_run, .. }, Change::RunEnded { run, took, .. }) => {
            began.service == ended.service && began_run == run && took.is_zero()
        }
        _ => false,
    }
}

/// A change as text.
struct ChangeText<'a> {
    change: &'a Change,
    /// Whether the change is the beginning of a run, and its end is written with it.
    includes_end: bool,
}

impl fmt::Display for ChangeText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.change {
            Change::Started => f.write_str("started"),
            Change::WaitsFor { services } => write!(f, "waits for {}", list(services)),
            Change::LeftOut { services } => {
                write!(f, "does not wait for {}, left out", list(services))
            }
            Change::Blocked { by, reason: _ } => write!(f, "blocked by {}", list(by)),
            Change::Disabled { reason } => write!(f, "disabled by {reason}"),
            Change::Selected { selected, total, by } => {
                write!(f, "{selected} of {total} services run here ({by})")
            }
            Change::Registered => f.write_str("registered"),
            Change::Rescheduled { schedule } => write!(f, "rescheduled: {schedule}"),
            Change::Unregistered => f.write_str("unregistered"),
            Change::Unblocked => f.write_str("unblocked"),
            Change::Ready => f.write_str("ready"),
            Change::RunBegan { run, lateness, trigger: _, by } => {
                write!(f, "run {run}")?;
                if !lateness.is_zero() {
                    write!(f, ", {} late", duration::format(*lateness))?;
                }
                if let Some(by) = by {
                    write!(f, " for {by}")?;
                }
                f.write_str(if self.includes_end { "" } else { " begins" })
            }
            Change::RunEnded { run, took, outcome: _, trigger: _, by: _ } => {
                write!(f, "run {run} ends after {}", duration::format(*took))
            }
            Change::Skipped { count: 1 } => f.write_str("1 due time skipped"),
            Change::Skipped { count } => write!(f, "{count} due times skipped"),
            Change::Crashed { in_a_row, cause, restart_in } => {
                write!(f, "crash {in_a_row}: {}", one_line(cause))?;
                restart(f, *restart_in)
            }
            Change::Returned { restart_in } => {
                f.write_str("returned")?;
                restart(f, *restart_in)
            }
            Change::Restarted => f.write_str("restarted"),
            Change::Stuck { running_for } => {
                write!(f, "stuck, running for {}", duration::format(*running_for))
            }
            Change::Requested { request, by } => write!(f, "{request} requested by {by}"),
            Change::Refused { request, by, error } => {
                write!(f, "{request} by {by} refused: {}", one_line(error))
            }
            Change::Reset => f.write_str("reset"),
            Change::Paused => f.write_str("paused"),
            Change::Resumed => f.write_str("resumed"),
            Change::Stopping => f.write_str("stopping"),
            Change::HookFailed { cause } => write!(f, "clean-up hook failed: {}", one_line(cause)),
            Change::PanickedWhileStopping { cause } => {
                write!(f, "panicked while stopping: {}", one_line(cause))
            }
            Change::Stopped => f.write_str("stopped"),
            Change::Cancelled => f.write_str("cancelled"),
            Change::Finished => f.write_str("finished"),
            Change::Failed { cause } => write!(f, "failed: {}", one_line(cause)),
            Change::Abandoned { running_for } => {
                write!(f, "abandoned, running for {}", duration::format(*running_for))
            }
            Change::LateEnd => f.write_str("ended late"),
            Change::StillAlive => f.write_str("not started: its abandoned run is still alive"),
            #[cfg(feature = "queue")]
            Change::JobFailed { job, attempt, error, again_in } => {
                write!(f, "job {job}, attempt {attempt} failed: {}", one_line(error))?;
                write!(f, "; again in {}", duration::format(*again_in))
            }
            #[cfg(feature = "queue")]
            Change::JobDied { job, error } => write!(f, "job {job} died: {}", one_line(error)),
            #[cfg(feature = "queue")]
            Change::JobReturned { job } => write!(f, "job {job} given back"),
            #[cfg(feature = "queue")]
            Change::JobLost { job, attempt } => write!(f, "job {job}, attempt {attempt} lost"),
            Change::SignalReceived { signal } => write!(f, "{signal} received"),
            Change::ThreadFailed { error } => write!(f, "thread not started: {}", one_line(error)),
            Change::Quiescing { quiesce } => {
                write!(f, "not ready, services stop in {}", duration::format(*quiesce))
            }
            Change::Missed { count } => write!(f, "{count} events missed"),
        }
    }
}

/// The text of a cause on one line, without a backtrace, which depends on the environment.
fn one_line(cause: &str) -> OneLine<'_> {
    OneLine(without_backtrace(cause))
}

/// The names of services, separated by commas.
fn list(names: &[Cow<'static, str>]) -> String {
    names.join(", ")
}

fn restart(f: &mut fmt::Formatter<'_>, restart_in: Option<Duration>) -> fmt::Result {
    match restart_in {
        Some(delay) => write!(f, "; restart in {}", duration::format(delay)),
        None => f.write_str("; no restart"),
    }
}
