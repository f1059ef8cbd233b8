//! Parses and prints durations: `"500ms"`, `"1h 30m"`.
//!
//! The grammar and the letter case are those of `humantime`, which users know from configuration
//! files, with two exceptions: a number without a unit is refused, even `0`; and so are months and
//! years, which `humantime` treats as 30.44 and 365.25 days.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// The shortest duration that a key accepts, 1 ms; `initial_delay` also accepts zero.
///
/// Shorter periods are below the precision of the timers of some operating systems.
pub const MIN_DURATION: Duration = Duration::from_millis(1);

/// The longest duration that a key accepts: 366 days.
pub const MAX_DURATION: Duration = Duration::from_secs(366 * DAY);

const DAY: u64 = 24 * 60 * 60;

/// The units of `humantime` that have no fixed length.
const CALENDAR_UNITS: [&str; 8] = ["M", "month", "months", "y", "yr", "yrs", "year", "years"];

/// The reason why a string is not a duration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DurationError {
    /// The string is empty or contains only whitespace.
    Empty,
    /// A number without a unit.
    NoUnit {
        /// The number.
        number: String,
        /// Whether the number is only a part of the string.
        is_part: bool,
    },
    /// A unit that does not exist.
    UnknownUnit(String),
    /// A unit that has no fixed length: months or years.
    CalendarUnit(String),
    /// A duration that starts with a minus sign.
    Negative,
    /// A character that belongs to neither a number nor a unit.
    Character(char),
    /// A number is missing before this part of the string.
    NoNumber(String),
    /// More seconds than fit into 64 bits, or finer than a nanosecond.
    Unrepresentable(String),
}

/// Parses a duration: numbers with units, `"1h 30m"`.
///
/// The result may lie outside [`MIN_DURATION`] to [`MAX_DURATION`]; [`Draft::check`](crate::Draft::check)
/// checks the range.
///
/// # Errors
///
/// Returns an error if `text` is not a duration; its message says what to write instead.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_core::duration;
///
/// assert_eq!(duration::parse("1h 30m"), Ok(Duration::from_secs(5400)));
/// let error = duration::parse("30").unwrap_err();
/// assert_eq!(error.to_string(), "`30` has no unit; did you mean `\"30s\"`?");
/// ```
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.chars().all(|c| c.is_ascii_digit()) {
        return Err(DurationError::NoUnit { number: trimmed.to_owned(), is_part: false });
    }
    let mut words = text.split(|c: char| !c.is_alphabetic());
    if let Some(unit) = words.find(|word| CALENDAR_UNITS.contains(word)) {
        return Err(DurationError::CalendarUnit(unit.to_owned()));
    }
    humantime::parse_duration(text).map_err(|error| explain(text, &error))
}

fn explain(text: &str, error: &humantime::DurationError) -> DurationError {
    use humantime::DurationError as Found;
    let rest = |offset: usize| text.get(offset..).unwrap_or_default();
    match error {
        Found::Empty => DurationError::Empty,
        Found::NumberExpected(offset) if rest(*offset).starts_with('-') => DurationError::Negative,
        Found::NumberExpected(offset) => DurationError::NoNumber(rest(*offset).to_owned()),
        Found::InvalidCharacter(offset) => match rest(*offset).chars().next() {
            Some(found) => DurationError::Character(found),
            // The offset is past the end if the text ends with a decimal point.
            None => DurationError::Character('.'),
        },
        Found::UnknownUnit { unit, start, .. } if unit.is_empty() => {
            let number = number_before(text, *start);
            DurationError::NoUnit { is_part: number != text.trim(), number }
        }
        Found::UnknownUnit { unit, .. } => DurationError::UnknownUnit(unit.clone()),
        Found::NumberOverflow => DurationError::Unrepresentable(text.trim().to_owned()),
    }
}

/// The number that ends at `offset`, as written.
fn number_before(text: &str, offset: usize) -> String {
    let before = text.get(..offset).unwrap_or(text).trim_end();
    let start = before.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.').len();
    before[start..].to_owned()
}

/// Formats a duration so that [`parse`] reads it back: `1h 30m`.
///
/// Unlike `humantime`, it never writes months or years, which [`parse`] refuses.
#[must_use]
pub fn format(duration: Duration) -> String {
    let days = duration.as_secs() / DAY;
    let rest = duration - Duration::from_secs(days * DAY);
    let days = match days {
        0 => return humantime::format_duration(rest).to_string(),
        1 => "1day".to_owned(),
        _ => format!("{days}days"),
    };
    if rest.is_zero() { days } else { format!("{days} {}", humantime::format_duration(rest)) }
}

impl fmt::Display for DurationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => {
                f.write_str("the duration is empty; write a number and a unit, such as `\"30s\"`")
            }
            Self::NoUnit { number, is_part: false } => {
                write!(f, "`{number}` has no unit; did you mean `\"{number}s\"`?")
            }
            Self::NoUnit { number, is_part: true } => {
                write!(f, "`{number}` has no unit; add one, such as `{number}s`")
            }
            Self::UnknownUnit(unit) if is_unit(&unit.to_lowercase()) => {
                write!(f, "unknown unit `{unit}`; did you mean `{}`?", unit.to_lowercase())
            }
            Self::UnknownUnit(unit) => write!(
                f,
                "unknown unit `{unit}`; use `ms`, `s`, `m`, `h`, `d` or `w`, or their long forms"
            ),
            Self::CalendarUnit(unit) if unit == "M" => f.write_str(
                "`M` means months, which have no fixed length; use `m` for minutes, or `cron` for calendar time",
            ),
            Self::CalendarUnit(unit) => {
                write!(f, "unit `{unit}` has no fixed length; use days, or `cron` for calendar time")
            }
            Self::Negative => f.write_str("a duration cannot be negative; remove the `-`"),
            Self::Character(found) => write!(
                f,
                "unexpected `{}` in a duration; write numbers and units, such as `\"1h 30m\"`",
                found.escape_debug()
            ),
            Self::NoNumber(rest) => write!(
                f,
                "expected a number before `{}`; write numbers and units, such as `\"1h 30m\"`",
                rest.escape_debug()
            ),
            Self::Unrepresentable(text) => write!(
                f,
                "`{}` is out of range; use `1ms` to `366days`",
                text.escape_debug()
            ),
        }
    }
}

fn is_unit(word: &str) -> bool {
    !CALENDAR_UNITS.contains(&word) && humantime::parse_duration(&format!("1{word}")).is_ok()
}

impl Error for DurationError {}

#[cfg(test)]
mod tests;
