//! Cron expressions: the bit masks of the fields, and the civil times that match them.
//!
//! Data flow: text -> [`parse`](Cron::parse) -> [`Cron`] -> matching civil times (here) -> occurrences
//! as instants in a [`Zone`] (`instants.rs`, which resolves DST gaps and overlaps).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::calendar::{DAY, YearMonth, Zone, day_of_week, month_and_day, to_u32};
use crate::instants::{self, CivilTimes};

mod days;
mod error;
mod field;
mod field_kind;
mod parse;
mod part;
#[cfg(test)]
mod tests;

mod value;

pub use days::Days;
pub use error::CronError;

/// The calendar repeats after this many years, so a date that is not found within them never
/// occurs.
const CYCLE_YEARS: u32 = 400;
/// Days in [`CYCLE_YEARS`] years.
const CYCLE_DAYS: i64 = 146_097;

/// A parsed cron expression, which matches at least one date.
///
/// The fields are public so that generated code can build a constant; use [`Cron::parse`] for a
/// string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cron {
    /// The expression as written.
    pub text: Cow<'static, str>,
    /// Seconds: bits 0 to 59.
    pub seconds: u64,
    /// Minutes: bits 0 to 59.
    pub minutes: u64,
    /// Hours: bits 0 to 23.
    pub hours: u32,
    /// Months: bits 1 to 12.
    pub months: u16,
    /// Days of the month and days of the week.
    pub days: Days,
    /// Whether the second, minute or hour field has a `*`, a range or a step.
    ///
    /// A recurring expression runs in both copies of an hour that a DST overlap repeats; a fixed
    /// time of day runs only in the first.
    pub recurring: bool,
}

impl Cron {
    /// The first occurrence strictly after `instant`, in seconds since 1970-01-01 00:00 UTC.
    ///
    /// An occurrence in a DST gap moves to the end of the gap; one in a DST overlap repeats only if
    /// the expression is [recurring](Cron::recurring). `None` if there is none within 400 years, or
    /// `instant` is outside the supported range.
    pub fn next_after<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<i64> {
        instants::next_after(self, instant, zone)
    }

    /// The exact number of occurrences in `from..until`, which are seconds since 1970-01-01 00:00
    /// UTC. The count takes little time even over centuries.
    pub fn count_between<Z: Zone + ?Sized>(&self, from: i64, until: i64, zone: &Z) -> u64 {
        instants::count_between(self, from, until, zone)
    }

    /// The shortest time between two occurrences, ignoring DST changes.
    #[must_use]
    pub fn shortest_interval(&self) -> Duration {
        // Covers a minute of seconds, a day of minutes and years of days. Miri is about a hundred
        // times slower, so under Miri it checks only as many as the tests need.
        const SAMPLES: usize = if cfg!(miri) { 50 } else { 2_000 };
        let mut times = std::iter::successors(self.first_at_or_after(0), |last| {
            self.first_at_or_after(last + 1)
        });
        let mut last = times.next();
        let mut shortest = u64::MAX;
        for time in times.take(SAMPLES) {
            shortest = last.map_or(shortest, |last| shortest.min(time.abs_diff(last)));
            last = Some(time);
        }
        Duration::from_secs(shortest)
    }

    /// The first matching civil time at or after `civil`; `None` if there is none.
    fn first_at_or_after(&self, civil: i64) -> Option<i64> {
        let (day, second) = (civil.div_euclid(DAY), to_u32(civil.rem_euclid(DAY)));
        let (mut month, day_of_month) = month_and_day(day);
        let mut days = self.days_of(month) & bits_from(day_of_month);
        if is_set(days, day_of_month) {
            if let Some(second) = self.time_at_or_after(second) {
                return Some(day * DAY + i64::from(second));
            }
            days &= bits_from(day_of_month + 1);
        }
        for _ in 0..=12 * CYCLE_YEARS {
            if days != 0 {
                let day = month.first_day() + i64::from(days.trailing_zeros()) - 1;
                return Some(day * DAY + i64::from(self.time_at_or_after(0)?));
            }
            month = month.next();
            days = self.days_of(month);
        }
        None
    }

    /// The number of matching civil times in `from..until`.
    fn count(&self, from: i64, until: i64) -> u64 {
        if from >= until {
            return 0;
        }
        let (first, last) = (from.div_euclid(DAY), until.div_euclid(DAY));
        let before = |civil: i64| match self.matches_day(civil.div_euclid(DAY)) {
            true => self.times_before(to_u32(civil.rem_euclid(DAY))),
            false => 0,
        };
        // Counts whole days, adds the times of the last day before `until`, and subtracts those of
        // the first day before `from`.
        self.count_days(first, last) * self.times_before(to_u32(DAY)) + before(until) - before(from)
    }

    fn count_days(&self, from: i64, until: i64) -> u64 {
        if until - from > CYCLE_DAYS {
            let cycles = (until - from) / CYCLE_DAYS;
            let rest = self.count_days(from + cycles * CYCLE_DAYS, until);
            return self.count_days(from, from + CYCLE_DAYS) * cycles.unsigned_abs() + rest;
        }
        let (mut month, day_of_month) = month_and_day(from);
        let (last, end) = month_and_day(until);
        let mut days = self.days_of(month) & bits_from(day_of_month);
        let mut count = 0;
        while month != last {
            count += u64::from(days.count_ones());
            month = month.next();
            days = self.days_of(month);
        }
        count + u64::from((days & !bits_from(end)).count_ones())
    }

    fn matches_day(&self, day: i64) -> bool {
        let (month, day_of_month) = month_and_day(day);
        is_set(self.days_of(month), day_of_month)
    }

    /// The matching days of a month, as bits 1 to 31.
    fn days_of(&self, month: YearMonth) -> u32 {
        if is_set(u32::from(self.months), month.month) {
            self.days.of(month.len(), day_of_week(month.first_day()))
        } else {
            0
        }
    }

    /// The first matching second of a matching day, at or after `second`.
    fn time_at_or_after(&self, second: u32) -> Option<u32> {
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let time = |hour: u32, minute: u32, second: u32| hour * 3_600 + minute * 60 + second;
        let hours = u64::from(self.hours);
        if is_set64(hours, hour) {
            if is_set64(self.minutes, minute)
                && let Some(second) = next_bit(self.seconds, second)
            {
                return Some(time(hour, minute, second));
            }
            if let Some(minute) = next_bit(self.minutes, minute + 1) {
                return Some(time(hour, minute, self.seconds.trailing_zeros()));
            }
        }
        let hour = next_bit(hours, hour + 1)?;
        Some(time(hour, self.minutes.trailing_zeros(), self.seconds.trailing_zeros()))
    }

    /// The number of matching times before second `second` of a matching day.
    fn times_before(&self, second: u32) -> u64 {
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let below = |mask: u64, end: u32| u64::from((mask & !(u64::MAX << end)).count_ones());
        let (hours, minutes) = (u64::from(self.hours), self.minutes);
        let (per_minute, minutes_per_hour) =
            (u64::from(self.seconds.count_ones()), u64::from(minutes.count_ones()));
        let mut count = below(hours, hour) * minutes_per_hour * per_minute;
        if is_set64(hours, hour) {
            count += below(minutes, minute) * per_minute;
            if is_set64(minutes, minute) {
                count += below(self.seconds, second);
            }
        }
        count
    }
}

impl CivilTimes for Cron {
    fn recurs(&self) -> bool {
        self.recurring
    }

    fn first_at_or_after(&self, civil: i64) -> Option<i64> {
        self.first_at_or_after(civil)
    }

    fn count(&self, from: i64, until: i64) -> u64 {
        self.count(from, until)
    }
}

/// The expression as written, on one line, with one space between its fields.
impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, field) in self.text.split_ascii_whitespace().enumerate() {
            f.write_str(if nth == 0 { "" } else { " " })?;
            f.write_str(field)?;
        }
        Ok(())
    }
}

fn is_set(mask: u32, index: u32) -> bool {
    mask >> index & 1 == 1
}

fn is_set64(mask: u64, index: u32) -> bool {
    mask >> index & 1 == 1
}

fn bits_from(index: u32) -> u32 {
    u32::MAX.checked_shl(index).unwrap_or(0)
}

fn next_bit(mask: u64, from: u32) -> Option<u32> {
    let rest = mask & u64::MAX.checked_shl(from).unwrap_or(0);
    (rest != 0).then(|| rest.trailing_zeros())
}
