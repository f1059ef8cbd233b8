//! What is known about each service.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::error_text::without_backtrace;
use crate::service::registration::Place;
use crate::text::one_line::OneLine;
use crate::time::schedule::Schedule;
use tina4_service_core::lifecycle::State;

use crate::observe::duration_stats::DurationStats;

/// Everything known about one service at one instant; made by [`services`](crate::services).
///
/// `T` is the type of its instants: [`SystemTime`], and `TestTime` in the test kit.
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
    /// What it is doing.
    pub state: State,
    /// Since when.
    pub since: T,
    /// When it runs next, if that is known.
    pub next_due: Option<T>,
    /// Runs begun since it became known.
    pub runs: u64,
    /// Runs that returned an error or panicked.
    pub crashes: u64,
    /// Runs begun because one before had crashed.
    pub restarts: u64,
    /// Crashes since the last recovery; with `restart = "always"`, returns count as well.
    pub crashes_in_a_row: u32,
    /// Due times left out: a run was in progress, or the machine slept.
    pub skipped: u64,
    /// When the last run began.
    pub last_start: Option<T>,
    /// When the last finished run ended.
    pub last_end: Option<T>,
    /// How long the last finished run took.
    pub last_duration: Option<Duration>,
    /// The last crash: the error with its sources, or the panic with its place. See
    /// [`Change::Crashed`](crate::Change::Crashed) for how long it may be.
    pub last_error: Option<Arc<str>>,
    /// How late runs begin.
    pub lateness: DurationStats,
    /// How long runs take.
    pub duration: DurationStats,
    /// A run takes longer than its `timeout`, and has not called `heartbeat` since.
    pub stuck: bool,
    /// How long ago the running body called `heartbeat`; `None`: not in this run.
    pub heartbeat_age: Option<Duration>,
}

impl<T> ServiceInfo<T> {
    /// Whether nothing is wrong: neither failed, nor abandoned, nor stuck.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.stuck && !matches!(self.state, State::Failed | State::Abandoned)
    }
}

#[cfg(feature = "testing")]
impl ServiceInfo {
    /// The same, with its instants in another form.
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
            stuck: self.stuck,
            heartbeat_age: self.heartbeat_age,
        }
    }
}

/// One line: name, state, schedule, runs, crashes, and the beginning of the last error.
///
/// Whatever the error says, it stays one line: line breaks and other control characters are shown
/// as escapes, a backtrace is left out, and so is what exceeds 200 characters.
impl<T> fmt::Display for ServiceInfo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, schedule, runs, crashes, .. } = self;
        let name = OneLine(name);
        write!(f, "{name}: {state}, {schedule}, {runs} runs, {crashes} crashes")?;
        if self.stuck {
            f.write_str(", stuck")?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", last error: {}", OneLine(without_backtrace(error)))?;
        }
        Ok(())
    }
}
