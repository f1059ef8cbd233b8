//! The six fields of a cron expression: their bounds, names and nouns for messages.

/// Which field of a cron expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldKind {
    Second,
    Minute,
    Hour,
    DayOfMonth,
    Month,
    DayOfWeek,
}

const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const DAYS_OF_WEEK: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

impl FieldKind {
    /// The minimum and maximum value; in the day-of-week field, both 0 and 7 are Sunday.
    pub(super) fn bounds(self) -> (u32, u32) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::DayOfMonth => (1, 31),
            Self::Month => (1, 12),
            Self::DayOfWeek => (0, 7),
        }
    }

    /// The number of different values.
    pub(super) fn count(self) -> u32 {
        match self {
            Self::Second | Self::Minute => 60,
            Self::Hour => 24,
            Self::DayOfMonth => 31,
            Self::Month => 12,
            Self::DayOfWeek => 7,
        }
    }

    /// The names of the values, and the value of the first name.
    pub(super) fn names(self) -> (&'static [&'static str], u32) {
        match self {
            Self::Second | Self::Minute | Self::Hour | Self::DayOfMonth => (&[], 0),
            Self::Month => (&MONTHS, 1),
            Self::DayOfWeek => (&DAYS_OF_WEEK, 0),
        }
    }

    pub(super) fn is_day(self) -> bool {
        match self {
            Self::DayOfMonth | Self::DayOfWeek => true,
            Self::Second | Self::Minute | Self::Hour | Self::Month => false,
        }
    }

    /// What one value is called in a message.
    pub(super) fn noun(self) -> &'static str {
        match self {
            Self::Second => "a second",
            Self::Minute => "a minute",
            Self::Hour => "an hour",
            Self::DayOfMonth => "a day of the month",
            Self::Month => "a month",
            Self::DayOfWeek => "a day of the week",
        }
    }

    /// The allowed values, for a message.
    pub(super) fn allowed(self) -> &'static str {
        match self {
            Self::Second | Self::Minute => "0 to 59",
            Self::Hour => "0 to 23",
            Self::DayOfMonth => "1 to 31",
            Self::Month => "1 to 12 or JAN to DEC",
            Self::DayOfWeek => "0 to 7 (0 and 7 are Sunday) or SUN to SAT",
        }
    }
}
