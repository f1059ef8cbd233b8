//! When a service runs: the declared schedule together with what its time zone means here.

use std::fmt;
use std::time::{Duration, SystemTime};

use tina4_service_core::Schedule as Declared;
#[cfg(feature = "cron")]
use tina4_service_core::{Cron, CronError, Timezone, TimezoneError};

use crate::time::wall::{wall_seconds, wall_time};
use crate::time::zone::{Zone, write_utc};

/// When a service runs. It can be used alone, without a runner.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tina4_service::Schedule;
///
/// let every_minute = Schedule::interval(Duration::from_secs(60));
/// let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(12 * 3_600);
/// assert_eq!(every_minute.next_after(noon), Some(noon + Duration::from_secs(60)));
/// ```
#[derive(Clone, Debug)]
pub struct Schedule {
    declared: Declared,
    /// For calendar time.
    zone: Option<Zone>,
}

impl Schedule {
    pub(crate) fn new(declared: Declared, zone: Option<Zone>) -> Self {
        Self { declared, zone }
    }

    /// Called once; runs until it returns.
    #[must_use]
    pub const fn continuous() -> Self {
        Self { declared: Declared::Continuous, zone: None }
    }

    /// A fixed rate: due at the anchor and every `period` after it.
    ///
    /// Compared with [`Schedule::delay`]: the length of a run does not move the next one.
    #[must_use]
    pub const fn interval(period: Duration) -> Self {
        Self { declared: Declared::Interval(period), zone: None }
    }

    /// A fixed pause between the end of a run and the start of the next.
    ///
    /// Compared with [`Schedule::interval`]: a long run moves everything after it.
    #[must_use]
    pub const fn delay(pause: Duration) -> Self {
        Self { declared: Declared::Delay(pause), zone: None }
    }

    /// Calendar time: a cron expression in a time zone, which is `"local"`, `"UTC"` or an IANA
    /// name.
    ///
    /// The expression has five fields (minute, hour, day of the month, month, day of the week), or
    /// six with the second first; or it is `@hourly`, `@daily` (`@midnight`), `@weekly`,
    /// `@monthly`, `@yearly` (`@annually`), `@every_minute` or `@every_second`. A field takes `*`,
    /// values, ranges (`9-17`; `22-2` wraps round), steps (`*/15`, `0-30/10`; `5/15` goes on to the
    /// end) and lists of these; months and days of the week also have names (`JAN`, `MON`), and
    /// Sunday is `0` and `7`. Days of the month take `L` (the last), `L-3`, `LW` (the last from
    /// Monday to Friday) and `15W` (the one nearest to it); days of the week `5L` (the last Friday)
    /// and `MON#2`. `?` is `*` in these two. If both day fields say something, either is enough, as
    /// in crontab(5), unless one of them starts with `*`. Case does not matter.
    ///
    /// When the clocks change: a time that is skipped runs once, at the first instant after the
    /// gap (a gap of more than three hours runs nothing); in a repeated hour a fixed time runs
    /// once, and an expression with `*`, a range or a step in its second, minute or hour runs both
    /// times.
    ///
    /// # Errors
    ///
    /// The expression cannot be read, or never comes; the time zone is not known here.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tina4_service::Schedule;
    ///
    /// let schedule = Schedule::cron("0 8 * * MON-FRI", "UTC").unwrap();
    /// // 1970 began on a Thursday.
    /// let eight = SystemTime::UNIX_EPOCH + Duration::from_secs(8 * 3_600);
    /// assert_eq!(schedule.next_after(SystemTime::UNIX_EPOCH), Some(eight));
    ///
    /// let error = Schedule::cron("0 25 * * *", "UTC").unwrap_err();
    /// assert_eq!(error.to_string(), "`25` is not an hour; write 0 to 23");
    /// ```
    #[cfg(feature = "cron")]
    pub fn cron(expression: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let cron = Cron::parse(expression).map_err(ScheduleError::Expression)?;
        let timezone = Timezone::parse(timezone).map_err(ScheduleError::Timezone)?;
        let zone = Zone::find(&timezone, None).map_err(ScheduleError::UnknownTimezone)?;
        Ok(Self { declared: Declared::Cron(cron, timezone), zone: Some(zone) })
    }

    /// The first due time strictly after `instant`; for an interval or a delay `instant` is the
    /// anchor, or the end of a run.
    ///
    /// `None` if there is none: a continuous service has no due times, a period of zero makes no
    /// progress, and time itself has an end.
    #[must_use]
    pub fn next_after(&self, instant: SystemTime) -> Option<SystemTime> {
        match (&self.declared, &self.zone) {
            (Declared::Interval(step) | Declared::Delay(step), _) => {
                instant.checked_add(*step).filter(|next| *next > instant)
            }
            (Declared::Cron(cron, _), Some(zone)) => {
                cron.next_after(wall_seconds(instant), zone).and_then(wall_time)
            }
            (Declared::Continuous, _) | (Declared::Cron(..), None) => None,
        }
    }

    /// The next `count` due times after `instant`; fewer if there are no more.
    ///
    /// For a delay, as if every run took no time at all.
    #[must_use]
    pub fn upcoming(&self, instant: SystemTime, count: usize) -> Vec<SystemTime> {
        std::iter::successors(self.next_after(instant), |last| self.next_after(*last))
            .take(count)
            .collect()
    }

    pub(crate) fn is_calendar(&self) -> bool {
        match self.declared {
            Declared::Cron(..) => true,
            Declared::Continuous | Declared::Interval(_) | Declared::Delay(_) => false,
        }
    }

    /// Writes a due time, in the time zone if there is one.
    pub(crate) fn write_time(&self, f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
        match (&self.declared, &self.zone) {
            (Declared::Cron(cron, _), Some(zone)) => {
                zone.write(f, at, cron.clock_change(wall_seconds(at), zone))
            }
            (Declared::Continuous | Declared::Interval(_) | Declared::Delay(_), _)
            | (Declared::Cron(..), None) => write_utc(f, at),
        }
    }
}

/// In words: `every 30s`, `5s after each run`, `continuous`, `0 8 * * * (Europe/Berlin)`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.declared.fmt(f)
    }
}

/// Why there is no such schedule.
///
/// Its text is `problem; remedy`; with `{:#}` it also shows where a cron expression is wrong.
#[cfg(feature = "cron")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The expression cannot be read, or never comes.
    Expression(CronError),
    /// No machine knows such a time zone.
    Timezone(TimezoneError),
    /// This machine knows no such time zone: what is wrong and what to do.
    UnknownTimezone(Box<str>),
}

#[cfg(feature = "cron")]
impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(error) => error.fmt(f),
            Self::Timezone(error) => error.fmt(f),
            Self::UnknownTimezone(problem) => f.write_str(problem),
        }
    }
}

#[cfg(feature = "cron")]
impl std::error::Error for ScheduleError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Expression(error) => Some(error),
            Self::Timezone(error) => Some(error),
            Self::UnknownTimezone(_) => None,
        }
    }
}
