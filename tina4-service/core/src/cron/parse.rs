//! The parser of cron expressions, which also refuses expressions that never match.
//!
//! Data flow: text -> `Part` -> `Field` (of one `FieldKind`) -> the masks of [`Cron`].

use std::borrow::Cow;
use std::ops::Range;

use super::error::excerpt;
use super::field::Field;
use super::field_kind::FieldKind;
use super::part::{Part, PartError};
use super::{Cron, CronError, Days};

/// Nicknames of whole expressions, as in crontab(5).
const NICKNAMES: [(&str, &str); 9] = [
    ("@every_second", "* * * * * *"),
    ("@every_minute", "* * * * *"),
    ("@hourly", "0 * * * *"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@weekly", "0 0 * * SUN"),
    ("@monthly", "0 0 1 * *"),
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
];

/// The similarity above which a word counts as a misspelling of a nickname.
const MIN_SIMILARITY: f64 = 0.84;

impl Cron {
    /// Parses a cron expression of five or six fields, or a nickname.
    ///
    /// The five fields are minute, hour, day of the month, month and day of the week. A field for
    /// the seconds may precede them. A nickname stands for a whole expression, such as `@daily`.
    ///
    /// Each field takes `*`, values, ranges (`9-17`; `22-2` wraps around), steps (`*/15`, `0-30/10`;
    /// `5/15` continues to the end) and lists of these. Months and days of the week have names
    /// (`JAN`, `MON`); Sunday is `0` and `7`. The day of the month also takes `L` (the last day),
    /// `L-3` (three days before it), `LW` (the last weekday) and `15W` (the weekday nearest to the
    /// 15th); the day of the week also takes `5L` (the last Friday) and `MON#2` (the second
    /// Monday). In these two fields `?` means `*`. Letter case does not matter.
    ///
    /// If both day fields are restricted, a day that matches either is enough, as in crontab(5).
    /// If one of them starts with `*`, a day must match both.
    ///
    /// # Errors
    ///
    /// Returns an error for the first part that is wrong, with its position. An expression that
    /// never matches any date is also an error.
    ///
    /// ```
    /// use tina4_service_core::{Cron, Utc};
    ///
    /// let cron = Cron::parse("0 8 * * MON-FRI").unwrap();
    /// // 1970-01-01 was a Thursday.
    /// assert_eq!(cron.next_after(0, &Utc), Some(8 * 3_600));
    /// ```
    pub fn parse(text: &str) -> Result<Self, CronError> {
        let error = |span: Range<usize>, message: String| CronError::new(text, span, message);
        let start = text.len() - text.trim_start().len();
        let whole = Part { text: text.trim(), start };
        if whole.text.is_empty() {
            let message = "the cron expression is empty; write five fields, such as `0 8 * * *`";
            return Err(error(0..text.len(), message.to_owned()));
        }
        if whole.text.starts_with('@') {
            let found = NICKNAMES.iter().find(|(word, _)| whole.eq_ignore_case(word));
            let Some((_, meaning)) = found else {
                return Err(error(whole.span(), unknown_nickname(whole.text)));
            };
            let cron = Self::parse(meaning)?;
            return Ok(Self { text: Cow::Owned(whole.text.to_owned()), ..cron });
        }
        let fields: Vec<_> = whole
            .split(|c| c.is_ascii_whitespace())
            .filter(|field| !field.text.is_empty())
            .collect();
        let zero = Part { text: "0", start };
        let [second, minute, hour, day_of_month, month, day_of_week] = match *fields.as_slice() {
            [minute, hour, day_of_month, month, day_of_week] => {
                [zero, minute, hour, day_of_month, month, day_of_week]
            }
            [second, minute, hour, day_of_month, month, day_of_week] => {
                [second, minute, hour, day_of_month, month, day_of_week]
            }
            [_, _, _, _, _, _, extra, ..] => {
                let message = format!(
                    "the expression has {} fields, and there is no field for the year; write five (minute, hour, day of the month, month, day of the week), or six, beginning with the seconds",
                    fields.len()
                );
                return Err(error(extra.start..whole.span().end, message));
            }
            _ => {
                let (count, s) = (fields.len(), if fields.len() == 1 { "" } else { "s" });
                let message = format!(
                    "the expression has only {count} field{s}; write five (minute, hour, day of the month, month, day of the week), or six, beginning with the seconds"
                );
                return Err(error(whole.span(), message));
            }
        };
        let read = |kind, part| {
            Field::read(kind, part).map_err(|PartError { span, message }| error(span, message))
        };
        let seconds = read(FieldKind::Second, second)?;
        let minutes = read(FieldKind::Minute, minute)?;
        let hours = read(FieldKind::Hour, hour)?;
        let days_of_month = read(FieldKind::DayOfMonth, day_of_month)?;
        let months = read(FieldKind::Month, month)?;
        let days_of_week = read(FieldKind::DayOfWeek, day_of_week)?;
        let cron = Self {
            text: Cow::Owned(whole.text.to_owned()),
            seconds: seconds.values,
            minutes: minutes.values,
            hours: narrow(hours.values),
            // Bits 1 to 12.
            months: u16::try_from(months.values).unwrap_or(u16::MAX),
            days: Days {
                days_of_month: narrow(days_of_month.values),
                days_from_end: days_of_month.days_from_end,
                nearest_weekdays: days_of_month.nearest_weekdays,
                nearest_weekdays_from_end: days_of_month.nearest_weekdays_from_end,
                days_of_week: days_of_week.days_of_week(),
                nth_days_of_week: days_of_week.nth_days_of_week,
                last_days_of_week: days_of_week.last_days_of_week,
                match_both: days_of_month.starts_with_star || days_of_week.starts_with_star,
            },
            recurring: seconds.recurring || minutes.recurring || hours.recurring,
        };
        if cron.first_at_or_after(0).is_none() {
            let message = format!(
                "no day ever matches `{} {} {}`; check the day of the month against the month",
                excerpt(day_of_month.text),
                excerpt(month.text),
                excerpt(day_of_week.text)
            );
            return Err(error(day_of_month.start..day_of_week.span().end, message));
        }
        Ok(cron)
    }
}

fn narrow(values: u64) -> u32 {
    // Values are below 32, so the mask fits.
    u32::try_from(values).unwrap_or(u32::MAX)
}

fn unknown_nickname(found: &str) -> String {
    if found.eq_ignore_ascii_case("@reboot") {
        return "`@reboot` does not name a calendar time; remove `cron`, and the service runs when it is started"
            .to_owned();
    }
    if found.to_ascii_lowercase().starts_with("@every ") {
        return format!("`{}` does not name a calendar time; use `interval`", excerpt(found));
    }
    let similarity = |word: &str| strsim::jaro_winkler(word, &found.to_ascii_lowercase());
    let nearest = NICKNAMES.iter().map(|(word, _)| (similarity(word), *word));
    let nearest = nearest
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .filter(|(similarity, _)| *similarity > MIN_SIMILARITY);
    let found = excerpt(found);
    match nearest {
        Some((_, word)) => format!("unknown nickname `{found}`; did you mean `{word}`?"),
        None => {
            let words = NICKNAMES.map(|(word, _)| format!("`{word}`")).join(", ");
            format!("unknown nickname `{found}`; use {words} or five fields")
        }
    }
}
