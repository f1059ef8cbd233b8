//! The key `anchor`: its text, and the due times of an interval on the wall clock.
//!
//! Data flow: text -> [`Anchor::parse`] -> [`Anchor`], with the interval -> [`Anchored`], whose civil
//! times form a grid -> instants in a [`Zone`] (`instants.rs`, which resolves DST gaps and overlaps).

use std::fmt;
use std::time::Duration;

use crate::calendar::{DAY, YearMonth, Zone, month_and_day, to_u32};
use crate::duration;
use crate::instants::{self, CivilTimes};
use crate::timezone::Timezone;

mod error;
#[cfg(test)]
mod tests;

pub use error::AnchorError;

/// [`DAY`], to compare with durations.
const DAY_LENGTH: u64 = DAY.unsigned_abs();

/// A civil time on the grid of an interval: a time of day, with or without a date.
///
/// The fields are public so that generated code can build a constant; use [`Anchor::parse`] for a
/// string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchor {
    /// The date, as the number of days since 1970-01-01; `None` if only the time of day is given.
    pub day: Option<i64>,
    /// The time of day, in seconds since midnight.
    pub second: u32,
}

/// A fixed rate on the wall clock: every `period`, before and after the anchor.
///
/// The period is a multiple of 24 hours, and then counts civil days; or it divides 24 hours, and
/// then gives the same times every day.
///
/// The fields are public so that generated code can build a constant; use [`Anchored::new`]
/// elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// The time from one due time to the next, on a wall clock without clock changes.
    pub period: Duration,
    /// A civil time on the grid.
    pub anchor: Anchor,
}

impl Anchor {
    /// Parses a civil date and time, `2026-01-02 09:00`, or a time of day, `09:00`; the time may
    /// have seconds.
    ///
    /// # Errors
    ///
    /// Returns an error if the text has another form, or the date or time does not exist.
    ///
    /// ```
    /// use tina4_service_core::Anchor;
    ///
    /// assert_eq!(Anchor::parse("9:00").unwrap(), Anchor { day: None, second: 9 * 3_600 });
    /// assert_eq!(Anchor::parse("1970-01-02 00:00:30").unwrap(), Anchor { day: Some(1), second: 30 });
    /// assert_eq!(
    ///     Anchor::parse("2026-02-29 09:00").unwrap_err().to_string(),
    ///     "`29` is not a day of 2026-02; write 01 to 28",
    /// );
    /// ```
    pub fn parse(text: &str) -> Result<Self, AnchorError> {
        let words: Vec<&str> = text.split_ascii_whitespace().collect();
        match *words {
            [] => Err(AnchorError::Empty),
            [date] if date_parts(date).is_some() => {
                read_date(date, text)?;
                Err(AnchorError::NoTime(date.to_owned()))
            }
            [time] => Ok(Self { day: None, second: read_time(time, text)? }),
            [date, time] => {
                let day = read_date(date, text)?;
                Ok(Self { day: Some(day), second: read_time(time, text)? })
            }
            [_, _, _, ..] => Err(malformed(text)),
        }
    }

    /// The civil time. Without a date it is that of day 0: a grid that needs no date contains the
    /// same time on every day.
    fn civil(self) -> i64 {
        self.day.unwrap_or(0) * DAY + i64::from(self.second)
    }
}

/// Reads a date as the number of days since 1970-01-01. `text` is the whole anchor.
fn read_date(date: &str, text: &str) -> Result<i64, AnchorError> {
    let [year, month, day] = date_parts(date).ok_or_else(|| malformed(text))?;
    if !(1..=12).contains(&month) {
        return Err(AnchorError::Month(month));
    }
    let month = YearMonth { year: year.into(), month };
    if !(1..=month.len()).contains(&day) {
        return Err(AnchorError::Day { year, month: month.month, day, last: month.len() });
    }
    Ok(month.first_day() + i64::from(day) - 1)
}

/// Reads a time of day as seconds since midnight. `text` is the whole anchor.
fn read_time(time: &str, text: &str) -> Result<u32, AnchorError> {
    match time_parts(time).ok_or_else(|| malformed(text))? {
        [hour, _, _] if hour > 23 => Err(AnchorError::Hour(hour)),
        [_, minute, _] if minute > 59 => Err(AnchorError::Minute(minute)),
        [_, _, second] if second > 59 => Err(AnchorError::Second(second)),
        [hour, minute, second] => Ok(hour * 3_600 + minute * 60 + second),
    }
}

/// Year, month and day of a text in the form of a date.
fn date_parts(text: &str) -> Option<[u32; 3]> {
    let (year, rest) = text.split_once('-')?;
    let (month, day) = rest.split_once('-')?;
    Some([number(year, 4..=4)?, number(month, 2..=2)?, number(day, 2..=2)?])
}

/// Hour, minute and second of a text in the form of a time.
fn time_parts(text: &str) -> Option<[u32; 3]> {
    let (hour, rest) = text.split_once(':')?;
    let (minute, second) = rest.split_once(':').unwrap_or((rest, "00"));
    // The hour may have one digit, as people write it.
    Some([number(hour, 1..=2)?, number(minute, 2..=2)?, number(second, 2..=2)?])
}

/// A number with that many digits.
fn number(text: &str, digits: std::ops::RangeInclusive<usize>) -> Option<u32> {
    let is_number = digits.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

/// The error about a text that does not have the form of an anchor.
fn malformed(text: &str) -> AnchorError {
    let text = text.trim();
    // RFC 3339 separates date and time with a `T`.
    if let Some((date, time)) = text.split_once(['T', 't'])
        && date_parts(date).is_some()
        && time_parts(time).is_some()
    {
        return AnchorError::Separator {
            found: text.to_owned(),
            corrected: format!("{date} {time}"),
        };
    }
    let is_offset = text.ends_with(['Z', 'z']) || text.contains(['+', '[']);
    let found = text.to_owned();
    if is_offset { AnchorError::Offset(found) } else { AnchorError::Malformed(found) }
}

impl Anchored {
    /// Puts an interval on the wall clock.
    ///
    /// # Errors
    ///
    /// Returns an error if the period is not in whole seconds, if it neither divides 24 hours nor is
    /// a multiple of them, or if it is several days and the anchor has no date.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::{Anchor, Anchored};
    ///
    /// let hours = |count: u64| Duration::from_secs(count * 3_600);
    /// let nine = Anchor::parse("09:00").unwrap();
    /// assert!(Anchored::new(hours(8), nine).is_ok());
    /// assert_eq!(
    ///     Anchored::new(hours(7), nine).unwrap_err().to_string(),
    ///     "an `interval` of `7h` with `anchor` must divide 24 hours or be a multiple of them; \
    ///      use `6h` or `8h`, or use `cron` instead",
    /// );
    /// ```
    pub fn new(period: Duration, anchor: Anchor) -> Result<Self, AnchorError> {
        if period.subsec_nanos() != 0 {
            return Err(AnchorError::Fraction { period, nearest: nearest_periods(period) });
        }
        if !fits(period.as_secs()) {
            return Err(AnchorError::Period { period, nearest: nearest_periods(period) });
        }
        if period.as_secs() > DAY_LENGTH && anchor.day.is_none() {
            return Err(AnchorError::NoDate { period, anchor: anchor.to_string() });
        }
        Ok(Self { period, anchor })
    }

    /// Checks that the anchor exists in its time zone: that it is not in a gap.
    ///
    /// # Errors
    ///
    /// Returns [`AnchorError::InGap`] if it does not exist. An anchor without a date always does.
    pub fn check_in<Z: Zone + ?Sized>(
        &self,
        timezone: &Timezone,
        zone: &Z,
    ) -> Result<(), AnchorError> {
        let civil = self.anchor.civil();
        let gap = self.anchor.day.and_then(|_| instants::gap_around(civil, zone));
        gap.map_or(Ok(()), |(from, to)| {
            Err(AnchorError::InGap {
                anchor: self.anchor.to_string(),
                timezone: timezone.to_string(),
                from: date_and_time(from).to_string(),
                to: date_and_time(to).to_string(),
            })
        })
    }

    /// The period in seconds, limited to a range in which no sum overflows.
    fn step(&self) -> i64 {
        i64::try_from(self.period.as_secs()).unwrap_or(i64::MAX).clamp(1, i64::MAX / 4)
    }
}

/// Whether an interval of this many seconds divides 24 hours or is a multiple of them.
fn fits(seconds: u64) -> bool {
    seconds > 0 && (DAY_LENGTH.is_multiple_of(seconds) || seconds.is_multiple_of(DAY_LENGTH))
}

/// The nearest periods that fit: the longest one that is shorter, and the shortest one that is
/// longer.
fn nearest_periods(period: Duration) -> [Option<Duration>; 2] {
    let seconds = period.as_secs();
    let shorter = (1..=seconds).rev().find(|seconds| fits(*seconds));
    let longer = (seconds.saturating_add(1)..=u64::MAX).find(|seconds| fits(*seconds));
    [shorter, longer].map(|seconds| seconds.map(Duration::from_secs))
}

impl CivilTimes for Anchored {
    /// A period of days is a fixed time of day; a shorter one is like a step in a cron expression.
    fn recurs(&self) -> bool {
        self.period.as_secs() < DAY_LENGTH
    }

    fn first_at_or_after(&self, civil: i64) -> Option<i64> {
        let step = self.step();
        match (civil - self.anchor.civil()).rem_euclid(step) {
            0 => Some(civil),
            past => Some(civil + (step - past)),
        }
    }

    fn count(&self, from: i64, until: i64) -> u64 {
        let before = |civil: i64| (civil - 1 - self.anchor.civil()).div_euclid(self.step());
        if from < until { before(from).abs_diff(before(until)) } else { 0 }
    }
}

/// `2026-01-02 09:00`, or `09:00`; with seconds unless they are zero.
impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(day) = self.day {
            let (YearMonth { year, month }, day) = month_and_day(day);
            write!(f, "{year:04}-{month:02}-{day:02} ")?;
        }
        let (hour, minute, second) = (self.second / 3_600, self.second / 60 % 60, self.second % 60);
        write!(f, "{hour:02}:{minute:02}")?;
        if second > 0 { write!(f, ":{second:02}") } else { Ok(()) }
    }
}

/// In words: `every 1h 30m anchored at 00:00`.
impl fmt::Display for Anchored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "every {} anchored at {}", duration::format(self.period), self.anchor)
    }
}

/// A civil time in seconds, as a date and a time of day.
fn date_and_time(civil: i64) -> Anchor {
    Anchor { day: Some(civil.div_euclid(DAY)), second: to_u32(civil.rem_euclid(DAY)) }
}
