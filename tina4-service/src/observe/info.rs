//! The snapshot of a service that `services()` returns: state, counts and times.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::error_text::without_backtrace;
use crate::sys::place::Place;
use crate::text::one_line::OneLine;
use crate::time::schedule::Schedule;
use tina4_service_core::lifecycle::State;

use crate::observe::duration_stats::DurationStats;

/// A snapshot of one service, as [`services`](crate::services) returns it.
///
/// `T` is the type of its instants: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceInfo<T = SystemTime> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// File and line of the attribute, or of `Service::new`.
    pub place: Place,
    /// The path of its function.
    pub function: &'static str,
    /// Its schedule; `Display` prints it in words.
    pub schedule: Schedule,
    /// Its state.
    pub state: State,
    /// When it entered this state, began its run, or became due for clean-up, whichever was last.
    pub since: T,
    /// The next due time, if it is known.
    pub next_due: Option<T>,
    /// The number of runs begun.
    pub runs: u64,
    /// The number of runs that returned an error, panicked or were cancelled.
    pub crashes: u64,
    /// The number of automatic restarts.
    ///
    /// They follow a crash or, with `restart = "always"`, a return.
    pub restarts: u64,
    /// The number of consecutive crashes. With `restart = "always"`, returns count as well.
    pub crashes_in_a_row: u32,
    /// The number of due times skipped; see [`Change::Skipped`](crate::Change::Skipped).
    pub skipped: u64,
    /// When the last run began.
    pub last_start: Option<T>,
    /// When the last finished run ended.
    pub last_end: Option<T>,
    /// The duration of the last finished run.
    pub last_duration: Option<Duration>,
    /// The cause of the last crash, or a text that says that the service returned too often.
    ///
    /// The cause is the error with its sources, or the panic message and its location; for a cancelled
    /// run it begins with `cancelled: `. See
    /// [`Change::Crashed`](crate::Change::Crashed) for its limits.
    pub last_error: Option<Arc<str>>,
    /// How long after their due times runs begin, not counting their tolerance.
    pub lateness: DurationStats,
    /// How long runs take.
    pub duration: DurationStats,
    /// Whether it is ready, for the services that depend on it.
    pub ready: bool,
    /// The services that keep it from running: if it is blocked, those that block it; if it waits for
    /// services in its `after` and `requires`, those that are not ready yet.
    pub waits_for: Vec<Cow<'static, str>>,
    /// Whether the run in progress exceeded its `timeout`.
    ///
    /// The timeout is counted from the start of the run or from its last `heartbeat`. A run that was
    /// cancelled by `on_timeout = "cancel"` is stuck until it ends.
    pub stuck: bool,
    /// The time since the run in progress called `heartbeat`; `None`: it has not called it.
    pub heartbeat_age: Option<Duration>,
}

impl<T> ServiceInfo<T> {
    /// Whether the service is neither failed, nor blocked, nor abandoned, nor stuck.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.stuck && !matches!(self.state, State::Failed | State::Blocked | State::Abandoned)
    }
}

#[cfg(feature = "testing")]
impl ServiceInfo {
    /// Converts the instants.
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> ServiceInfo<T> {
        ServiceInfo {
            name: self.name,
            place: self.place,
            function: self.function,
            schedule: self.schedule,
            state: self.state,
            since: map(self.since),
            next_due: self.next_due.map(&map),
            runs: self.runs,
            crashes: self.crashes,
            restarts: self.restarts,
            crashes_in_a_row: self.crashes_in_a_row,
            skipped: self.skipped,
            last_start: self.last_start.map(&map),
            last_end: self.last_end.map(&map),
            last_duration: self.last_duration,
            last_error: self.last_error,
            lateness: self.lateness,
            duration: self.duration,
            ready: self.ready,
            waits_for: self.waits_for,
            stuck: self.stuck,
            heartbeat_age: self.heartbeat_age,
        }
    }
}

/// One line: name, state, schedule, runs, crashes, stuck or not, what it waits for, and the start of the
/// last error.
///
/// The error never breaks the line: control characters are escaped, a backtrace is omitted, and the
/// text is truncated to 200 characters.
impl<T> fmt::Display for ServiceInfo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, schedule, runs, crashes, .. } = self;
        let name = OneLine(name);
        write!(f, "{name}: {state}, {schedule}, runs: {runs}, crashes: {crashes}")?;
        if self.stuck {
            f.write_str(", stuck")?;
        }
        for (nth, name) in self.waits_for.iter().enumerate() {
            let verb = if *state == State::Blocked { "blocked by " } else { "waits for " };
            write!(f, ", {}{}", if nth == 0 { verb } else { "" }, OneLine(name))?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", last error: {}", OneLine(without_backtrace(error)))?;
        }
        Ok(())
    }
}
