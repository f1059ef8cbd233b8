//! The snapshot of a service that `services()` returns: state, counts and times.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::error_text::without_backtrace;
use crate::sys::place::Place;
use crate::text::one_line::OneLine;
use crate::time::schedule::Schedule;
use tina4_service_core::duration;
use tina4_service_core::lifecycle::{RunOutcome, State};

use crate::observe::duration_stats::DurationStats;
#[cfg(feature = "queue")]
use crate::observe::queue_info::QueueInfo;
use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;

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
    /// The number of runs begun; of a queue service, the number of attempts at jobs.
    pub runs: u64,
    /// The number of runs that returned an error, panicked or were cancelled.
    pub crashes: u64,
    /// The number of automatic restarts.
    ///
    /// They follow a crash or, with `restart = "always"`, a return.
    pub restarts: u64,
    /// The number of consecutive crashes. With `restart = "always"`, returns count as well. None count once a
    /// run of a continuous service has lasted a minute.
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
    /// When it last failed: a run crashed, an attempt at a job failed, or it returned too often.
    pub last_failure: Option<T>,
    /// When the last successful run ended, one with [`RunOutcome::Ok`].
    pub last_success: Option<T>,
    /// The number of successful runs, those with [`RunOutcome::Ok`].
    pub succeeded: u64,
    /// How long it has been overdue; `None`: it is not.
    ///
    /// It is overdue from the second due time after the start of its last run that ended well; if none has, from
    /// its second due time since it was started. So one missed or failed run is no reason for an alarm, and with `cron`
    /// neither is a weekend. With `delay`, two due times are as far apart as the delay and the longest run. Time in
    /// which it was paused or stopped does not count, and a service that is continuous or has a queue is never
    /// overdue.
    pub overdue: Option<Duration>,
    /// How the last run ended; `None`: none has ended yet.
    pub last_outcome: Option<RunOutcome>,
    /// What made the last run begin, which may be in progress.
    pub last_trigger: Option<RunTrigger>,
    /// Who asked for the last run, and why; `None`: nobody did, or the program itself.
    ///
    /// A run that a request began has a requester if the request was made
    /// [on behalf of somebody](crate::Runner::on_behalf_of): with `run_now`, or as the first run after `start` or
    /// `restart`, unless that waits for a calendar time.
    pub last_requested_by: Option<Requester>,
    /// How long after their due times runs begin, not counting their tolerance.
    pub lateness: DurationStats,
    /// How long runs take.
    pub duration: DurationStats,
    /// Whether it is ready, for the services that depend on it.
    pub ready: bool,
    /// The services that keep it from running: if it is blocked, those that block it; if it waits for
    /// services in its `after` and `requires`, those that are not ready yet.
    pub waits_for: Vec<Cow<'static, str>>,
    /// Why it is disabled or blocked; `None`: it is neither.
    ///
    /// If it is disabled, this is the setting that turned it off, such as
    /// `TINA4_SERVICES__HEARTBEAT__ENABLED=false`.
    pub reason: Option<Arc<str>>,
    /// The groups that it belongs to.
    pub tags: Vec<Cow<'static, str>>,
    /// The settings that the deployment has changed.
    pub overridden: Vec<OverriddenSetting>,
    /// Whether the run in progress exceeded its `timeout`.
    ///
    /// The timeout is counted from the start of the run or from its last `heartbeat`. A run that was
    /// cancelled by `on_timeout = "cancel"` is stuck until it ends.
    pub stuck: bool,
    /// The time since the run in progress called `heartbeat`; `None`: it has not called it.
    pub heartbeat_age: Option<Duration>,
    /// After how many consecutive crashes it is unhealthy; 0: never.
    pub(crate) unhealthy_after: u32,
    /// Its queue, if it works on the jobs of one.
    #[cfg(feature = "queue")]
    pub queue: Option<QueueInfo>,
}

impl<T> ServiceInfo<T> {
    /// Whether nothing is wrong with the service: it is neither failed, nor blocked, nor abandoned, nor stuck,
    /// and does not crash again and again.
    ///
    /// It crashes again and again after three crashes in a row
    /// ([`Builder::unhealthy_after`](crate::Builder::unhealthy_after)), until a run ends well, somebody
    /// [resets](crate::Runner::reset) it, or, if it is continuous, it has run for a minute. That does not
    /// count while it is paused or stopped. With `restart = "always"`, returns count as crashes. A disabled
    /// service is healthy.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        is_healthy(self.state, self.stuck, self.crashes_in_a_row, self.unhealthy_after)
    }
}

/// [`ServiceInfo::is_healthy`].
pub(crate) fn is_healthy(
    state: State,
    is_stuck: bool,
    crashes_in_a_row: u32,
    unhealthy_after: u32,
) -> bool {
    let is_operating = matches!(state, State::Waiting | State::Running | State::BackingOff);
    let crashes_repeatedly =
        is_operating && unhealthy_after > 0 && crashes_in_a_row >= unhealthy_after;
    !is_stuck
        && !crashes_repeatedly
        && !matches!(state, State::Failed | State::Blocked | State::Abandoned)
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
            last_failure: self.last_failure.map(&map),
            last_success: self.last_success.map(&map),
            succeeded: self.succeeded,
            overdue: self.overdue,
            last_outcome: self.last_outcome,
            last_trigger: self.last_trigger,
            last_requested_by: self.last_requested_by,
            lateness: self.lateness,
            duration: self.duration,
            ready: self.ready,
            waits_for: self.waits_for,
            reason: self.reason,
            tags: self.tags,
            overridden: self.overridden,
            stuck: self.stuck,
            heartbeat_age: self.heartbeat_age,
            unhealthy_after: self.unhealthy_after,
            #[cfg(feature = "queue")]
            queue: self.queue,
        }
    }
}

/// One line: name, state, schedule, runs, crashes, stuck or not, overdue or not, what it waits for, what has disabled it, and
/// the start of the last error.
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
        if let Some(overdue) = self.overdue {
            write!(
                f,
                ", overdue for {}",
                duration::format(Duration::from_secs(overdue.as_secs()))
            )?;
        }
        #[cfg(feature = "queue")]
        if let Some(QueueInfo { name, running, counters, backlog }) = &self.queue {
            let (done, failed, dead) = (counters.done, counters.failed, counters.dead);
            write!(f, ", queue: {name}, jobs running: {running}, done: {done}, failed: {failed}")?;
            write!(f, ", died: {dead}")?;
            if let Some(backlog) = backlog {
                write!(f, ", ready: {}, delayed: {}", backlog.ready, backlog.delayed)?;
            }
        }
        for (nth, name) in self.waits_for.iter().enumerate() {
            let verb = if *state == State::Blocked { "blocked by " } else { "waits for " };
            write!(f, ", {}{}", if nth == 0 { verb } else { "" }, OneLine(name))?;
        }
        if let Some(reason) = self.reason.as_ref().filter(|_| *state == State::Disabled) {
            write!(f, ", disabled by {}", OneLine(reason))?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", last error: {}", OneLine(without_backtrace(error)))?;
        }
        Ok(())
    }
}
