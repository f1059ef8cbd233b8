//! The error of an anchor: in its text, with its interval, or in its time zone.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::duration::format;

/// The reason why an anchor cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnchorError {
    /// The text is empty or contains only whitespace.
    Empty,
    /// The text has neither the form of a date with a time nor that of a time; the whole text.
    Malformed(String),
    /// The text has an offset from UTC or a time zone; the whole text.
    Offset(String),
    /// The date and the time are separated by a `T`.
    Separator {
        /// The whole text.
        found: String,
        /// The text with a space instead.
        corrected: String,
    },
    /// A date without a time; the date.
    NoTime(String),
    /// A month that does not exist.
    Month(u32),
    /// A day that its month does not have.
    Day {
        /// The year.
        year: u32,
        /// The month, from 1.
        month: u32,
        /// The day.
        day: u32,
        /// The last day of that month.
        last: u32,
    },
    /// An hour above 23.
    Hour(u32),
    /// A minute above 59.
    Minute(u32),
    /// A second above 59.
    Second(u32),
    /// An interval that is not in whole seconds.
    Fraction {
        /// The interval.
        period: Duration,
        /// The nearest intervals that are possible.
        nearest: [Option<Duration>; 2],
    },
    /// An interval that neither divides 24 hours nor is a multiple of them.
    Period {
        /// The interval.
        period: Duration,
        /// The nearest intervals that are possible.
        nearest: [Option<Duration>; 2],
    },
    /// An interval of several days with an anchor that does not say which days.
    NoDate {
        /// The interval.
        period: Duration,
        /// The time of day.
        anchor: String,
    },
    /// A date and time that the clocks of the time zone skip.
    InGap {
        /// The date and time.
        anchor: String,
        /// The name of the time zone.
        timezone: String,
        /// The first time that is skipped.
        from: String,
        /// The first time after the gap.
        to: String,
    },
}

impl AnchorError {
    /// Whether the interval is at fault, and not the anchor.
    #[must_use]
    pub const fn is_in_interval(&self) -> bool {
        match self {
            Self::Fraction { .. } | Self::Period { .. } => true,
            Self::Empty
            | Self::Malformed(_)
            | Self::Offset(_)
            | Self::Separator { .. }
            | Self::NoTime(_)
            | Self::Month(_)
            | Self::Day { .. }
            | Self::Hour(_)
            | Self::Minute(_)
            | Self::Second(_)
            | Self::NoDate { .. }
            | Self::InGap { .. } => false,
        }
    }
}

impl fmt::Display for AnchorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the anchor is empty; write a date and a time, such as `\"2026-01-02 09:00\"`, or a time of day, such as `\"00:00\"`",
            ),
            Self::Malformed(found) => write!(
                f,
                "`{}` is neither a date with a time, such as `2026-01-02 09:00`, nor a time of day, such as `00:00`; write one of these forms",
                found.escape_debug()
            ),
            Self::Offset(found) => write!(
                f,
                "`{}` has an offset or a time zone; write the time that a local clock shows, such as `2026-01-02 09:00`, and set `timezone`",
                found.escape_debug()
            ),
            Self::Separator { found, corrected } => write!(
                f,
                "`{}` has a `T` between date and time; did you mean `\"{}\"`?",
                found.escape_debug(),
                corrected.escape_debug()
            ),
            Self::NoTime(date) => {
                write!(f, "`{date}` has no time of day; add one, such as `{date} 09:00`")
            }
            Self::Month(found) => write!(f, "`{found:02}` is not a month; write 01 to 12"),
            Self::Day { year, month, day, last } => {
                write!(f, "`{day:02}` is not a day of {year:04}-{month:02}; write 01 to {last}")
            }
            Self::Hour(found) => write!(f, "`{found:02}` is not an hour; write 00 to 23"),
            Self::Minute(found) => write!(f, "`{found:02}` is not a minute; write 00 to 59"),
            Self::Second(found) => write!(f, "`{found:02}` is not a second; write 00 to 59"),
            Self::Fraction { period, nearest } => {
                let period = format(*period);
                write!(f, "an `interval` of `{period}` with `anchor` must be in whole seconds; use ")?;
                write_periods(f, nearest)?;
                f.write_str(", or remove `anchor`")
            }
            Self::Period { period, nearest } => {
                let period = format(*period);
                write!(
                    f,
                    "an `interval` of `{period}` with `anchor` must divide 24 hours or be a multiple of them; use "
                )?;
                write_periods(f, nearest)?;
                f.write_str(", or use `cron` instead")
            }
            Self::NoDate { period, anchor } => {
                let period = format(*period);
                write!(
                    f,
                    "`{anchor}` does not say on which days an `interval` of `{period}` is due; add the date of one, such as `2026-01-02 {anchor}`"
                )
            }
            Self::InGap { anchor, timezone, from, to } => write!(
                f,
                "`{anchor}` does not exist in the time zone `{timezone}`, where the clocks go forward from `{from}` to `{to}`; write a time outside this gap"
            ),
        }
    }
}

/// The periods that there are, separated by `or`.
fn write_periods(f: &mut fmt::Formatter<'_>, nearest: &[Option<Duration>; 2]) -> fmt::Result {
    for (number, period) in nearest.iter().flatten().enumerate() {
        let separator = if number == 0 { "" } else { " or " };
        write!(f, "{separator}`{}`", format(*period))?;
    }
    Ok(())
}

impl Error for AnchorError {}
