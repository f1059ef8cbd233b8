//! The public type `Schedule`: a declared schedule, and its time zone as found on this machine.

use std::fmt;
use std::time::{Duration, SystemTime};

#[cfg(feature = "cron")]
use tina4_service_core::{Anchor, AnchorError, Anchored, Cron, CronError, TimezoneError};
use tina4_service_core::{Calendar, Schedule as CoreSchedule, Timezone};

use crate::time::wall::{wall_seconds, wall_time};
use crate::time::zone::{Zone, write_utc};

/// A schedule determines when a service runs; it can be used without a runner.
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
    declared: CoreSchedule,
    /// The time zone of a calendar schedule.
    zone: Option<Zone>,
}

impl Schedule {
    pub(crate) fn new(declared: CoreSchedule, zone: Option<Zone>) -> Self {
        Self { declared, zone }
    }

    /// The schedule without its time zone, and the time zone for a service of a runner in which
    /// `"local"` means `local`.
    ///
    /// # Errors
    ///
    /// The time zone is unknown to this machine, or the anchor is in a gap of `local`: the problem and its
    /// remedy.
    pub(crate) fn resolve_in(
        self,
        local: Option<&Zone>,
    ) -> Result<(CoreSchedule, Option<Zone>), String> {
        let Self { declared, zone } = self;
        let CoreSchedule::Calendar(calendar, timezone) = &declared else {
            return Ok((declared, zone));
        };
        if zone.is_none() {
            return Err(format!(
                "its time zone `{timezone}` is unknown to this machine; use a schedule with another one"
            ));
        }
        if *timezone != Timezone::Local {
            return Ok((declared, zone));
        }
        match (calendar, local) {
            (Calendar::Anchored(anchored), Some(local)) => {
                let checked = anchored.check_in(&Timezone::Local, local);
                checked.map_err(|error| error.to_string())?;
            }
            (Calendar::Anchored(_), None) | (Calendar::Cron(_), _) => {}
        }
        let zone = local.cloned().or(zone);
        Ok((declared, zone))
    }

    /// The function is called when the service starts, and runs until it returns.
    #[must_use]
    pub const fn continuous() -> Self {
        Self { declared: CoreSchedule::Continuous, zone: None }
    }

    /// A fixed rate: due when the service starts and every `period` after that.
    ///
    /// Unlike with [`Schedule::delay`], a long run does not postpone the next one.
    #[must_use]
    pub const fn interval(period: Duration) -> Self {
        Self { declared: CoreSchedule::Interval(period), zone: None }
    }

    /// A fixed delay between the end of a run and the start of the next.
    ///
    /// Unlike with [`Schedule::interval`], a long run postpones all later ones.
    #[must_use]
    pub const fn delay(pause: Duration) -> Self {
        Self { declared: CoreSchedule::Delay(pause), zone: None }
    }

    /// The occurrences of a cron expression in a time zone.
    ///
    /// The time zone is `"local"`, `"UTC"` or an IANA name. The expression has five fields (minute,
    /// hour, day of the month, month, day of the week), or six, of which the first is for seconds; or
    /// it is one of `@hourly`, `@daily` (`@midnight`), `@weekly`, `@monthly`, `@yearly` (`@annually`),
    /// `@every_minute` and `@every_second`.
    ///
    /// A field takes `*`, values, ranges (`9-17`; `22-2` wraps around), steps (`*/15`, `0-30/10`;
    /// `5/15` continues to the end of the field) and lists of these. Months and days of the week also
    /// have names (`JAN`, `MON`), and Sunday is `0` or `7`. Days of the month also take `L` (the last
    /// day), `L-3`, `LW` (the last day from Monday to Friday) and `15W` (the day from Monday to Friday
    /// nearest to the 15th). Days of the week also take `5L` (the last Friday) and `MON#2` (the second
    /// Monday). `?` means `*` in these two fields. If both day fields are restricted, a day matches if
    /// either field does, unless one of them starts with `*`; then both must match, as in crontab(5).
    /// Case does not matter.
    ///
    /// DST: a run that is due in a gap takes place once, at the first instant after the gap (not at all
    /// if the gap is longer than three hours). In an overlap, a fixed time occurs once; an expression
    /// with `*`, a range or a step in its second, minute or hour field occurs both times.
    ///
    /// # Errors
    ///
    /// The expression cannot be parsed, or has no occurrence; the time zone is unknown to this machine.
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
        Ok(Self {
            declared: CoreSchedule::Calendar(Calendar::Cron(cron), timezone),
            zone: Some(zone),
        })
    }

    /// A fixed rate on the wall clock of a time zone: every `period`, before and after the anchor.
    ///
    /// The anchor is a civil date and time, such as `"2026-01-02 09:00"`, or a time of day, such as
    /// `"00:00"`, also with seconds; the time zone is `"local"`, `"UTC"` or an IANA name. There are two
    /// kinds of period:
    ///
    /// * a multiple of 24 hours counts civil days: with a period of 14 days, every second Friday at nine
    ///   o'clock. Unless the period is a single day, the anchor needs a date.
    /// * whole seconds that divide 24 hours give the same times every day: with a period of 90 minutes
    ///   and the anchor `"00:00"`, 16 times a day from midnight on.
    ///
    /// [`Schedule::cron`] can express many others, such as every month.
    ///
    /// DST: a run that is due in a gap takes place once, at the first instant after the gap (not at all
    /// if the gap is longer than three hours). In an overlap, a period of days occurs once, in the first
    /// pass, and a shorter one occurs both times.
    ///
    /// Unlike with [`Schedule::interval`], all programs with the same anchor and time zone have the same
    /// due times, no matter when they started.
    ///
    /// # Errors
    ///
    /// The anchor cannot be parsed, is in a gap of the time zone, or has no date where one is needed;
    /// the period is of neither kind; the time zone is unknown to this machine.
    ///
    /// ```
    /// use std::time::{Duration, SystemTime};
    /// use tina4_service::Schedule;
    ///
    /// let hours = |count: u64| Duration::from_secs(count * 3_600);
    /// let schedule = Schedule::anchored(hours(8), "06:00", "UTC").unwrap();
    /// assert_eq!(
    ///     schedule.upcoming(SystemTime::UNIX_EPOCH, 3),
    ///     [6, 14, 22].map(|hour| SystemTime::UNIX_EPOCH + hours(hour)),
    /// );
    ///
    /// let error = Schedule::anchored(hours(48), "06:00", "UTC").unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "`06:00` does not say on which days an `interval` of `2days` is due; \
    ///      add the date of one, such as `2026-01-02 06:00`",
    /// );
    /// ```
    #[cfg(feature = "cron")]
    pub fn anchored(period: Duration, anchor: &str, timezone: &str) -> Result<Self, ScheduleError> {
        let anchor = Anchor::parse(anchor).map_err(ScheduleError::Anchor)?;
        let anchored = Anchored::new(period, anchor).map_err(ScheduleError::Anchor)?;
        let timezone = Timezone::parse(timezone).map_err(ScheduleError::Timezone)?;
        let zone = Zone::find(&timezone, None).map_err(ScheduleError::UnknownTimezone)?;
        anchored.check_in(&timezone, &zone).map_err(ScheduleError::Anchor)?;
        Ok(Self {
            declared: CoreSchedule::Calendar(Calendar::Anchored(anchored), timezone),
            zone: Some(zone),
        })
    }

    /// The first due time strictly after `instant`.
    ///
    /// For an interval, `instant` is the first due time or a later one; for a delay, the end of a run.
    ///
    /// `None` if there is none: the schedule is continuous or a queue, its period is zero, its expression has no
    /// further occurrence, or the time would be out of the range of `SystemTime`.
    #[must_use]
    pub fn next_after(&self, instant: SystemTime) -> Option<SystemTime> {
        match (&self.declared, &self.zone) {
            (CoreSchedule::Interval(step) | CoreSchedule::Delay(step), _) => {
                instant.checked_add(*step).filter(|next| *next > instant)
            }
            (CoreSchedule::Calendar(calendar, _), Some(zone)) => {
                calendar.next_after(wall_seconds(instant), zone).and_then(wall_time)
            }
            (CoreSchedule::Continuous | CoreSchedule::Queue(_), _)
            | (CoreSchedule::Calendar(..), None) => None,
        }
    }

    /// The next `count` due times after `instant`; fewer if there are no more.
    ///
    /// For a delay, they are computed as if runs took no time.
    #[must_use]
    pub fn upcoming(&self, instant: SystemTime, count: usize) -> Vec<SystemTime> {
        std::iter::successors(self.next_after(instant), |last| self.next_after(*last))
            .take(count)
            .collect()
    }

    /// Whether due times lie on the wall clock.
    /// The schedule without its time zone.
    #[cfg(feature = "serde")]
    pub(crate) fn declared(&self) -> &CoreSchedule {
        &self.declared
    }

    /// The kind of schedule in a word or two, such as `interval`.
    pub(crate) fn kind(&self) -> &'static str {
        self.declared.kind()
    }

    pub(crate) fn is_calendar(&self) -> bool {
        match self.declared {
            CoreSchedule::Calendar(..) => true,
            CoreSchedule::Continuous
            | CoreSchedule::Interval(_)
            | CoreSchedule::Delay(_)
            | CoreSchedule::Queue(_) => false,
        }
    }

    /// Writes a due time, in the time zone of the schedule, or in UTC if it has none.
    pub(crate) fn write_time(&self, f: &mut fmt::Formatter<'_>, at: SystemTime) -> fmt::Result {
        match (&self.declared, &self.zone) {
            (CoreSchedule::Calendar(calendar, _), Some(zone)) => {
                zone.write(f, at, calendar.clock_change(wall_seconds(at), zone))
            }
            (
                CoreSchedule::Continuous
                | CoreSchedule::Interval(_)
                | CoreSchedule::Delay(_)
                | CoreSchedule::Queue(_),
                _,
            )
            | (CoreSchedule::Calendar(..), None) => write_utc(f, at),
        }
    }
}

/// Prints the schedule in readable form: `every 30s`, `5s after each run`, `continuous`,
/// `0 8 * * * (Europe/Berlin)`, `every 1h 30m anchored at 00:00 (local)`.
impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.declared.fmt(f)
    }
}

/// Why [`Schedule::cron`] or [`Schedule::anchored`] failed.
///
/// The text is `problem; remedy`; with `{:#}` it also shows where a cron expression is wrong.
#[cfg(feature = "cron")]
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ScheduleError {
    /// The expression cannot be parsed, or has no occurrence.
    Expression(CronError),
    /// The anchor cannot be parsed, or does not fit its period or its time zone.
    Anchor(AnchorError),
    /// The text is not the name of a time zone.
    Timezone(TimezoneError),
    /// The time zone is unknown to this machine. Contains the problem and its remedy.
    UnknownTimezone(Box<str>),
}

#[cfg(feature = "cron")]
impl fmt::Display for ScheduleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expression(error) => error.fmt(f),
            Self::Anchor(error) => error.fmt(f),
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
            Self::Anchor(error) => Some(error),
            Self::Timezone(error) => Some(error),
            Self::UnknownTimezone(_) => None,
        }
    }
}
