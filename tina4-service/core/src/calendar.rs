//! Calendar arithmetic without a date library: the proleptic Gregorian calendar, in whole seconds.
//!
//! A civil time is what a wall clock shows, as seconds since 1970-01-01 00:00 on that clock; an
//! instant is the same count on a clock in UTC. A [`Zone`] converts between the two.

/// Seconds in a day; civil time has no leap seconds.
pub(crate) const DAY: i64 = 86_400;

/// The UTC offsets of a time zone: all that [`Cron`](crate::Cron) needs to know about it.
pub trait Zone {
    /// Civil time minus UTC at `instant`, in seconds.
    fn offset(&self, instant: i64) -> i64;

    /// The first instant after `instant` at which the offset may change.
    ///
    /// `None` if it never changes again.
    fn next_transition(&self, instant: i64) -> Option<i64>;
}

/// Coordinated Universal Time: no offset, no transitions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Utc;

impl Zone for Utc {
    fn offset(&self, _: i64) -> i64 {
        0
    }

    fn next_transition(&self, _: i64) -> Option<i64> {
        None
    }
}

/// A month of a certain year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct YearMonth {
    pub(crate) year: i64,
    /// From 1.
    pub(crate) month: u32,
}

impl YearMonth {
    /// The number of days in this month.
    pub(crate) fn len(self) -> u32 {
        match self.month {
            4 | 6 | 9 | 11 => 30,
            2 if self.year % 4 == 0 && (self.year % 100 != 0 || self.year % 400 == 0) => 29,
            2 => 28,
            _ => 31,
        }
    }

    pub(crate) fn next(self) -> Self {
        match self.month {
            12 => Self { year: self.year + 1, month: 1 },
            month => Self { month: month + 1, ..self },
        }
    }

    /// The number of its first day, where 1970-01-01 is day 0.
    ///
    /// Years start in March here, so that the leap day is the last day of a year, and month `m`
    /// (March is 0) starts after `(153 * m + 2) / 5` days (the method of Howard Hinnant's
    /// "chrono-Compatible Low-Level Date Algorithms").
    pub(crate) fn first_day(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let from_march = i64::from((self.month + 9) % 12);
        let day_of_year = (153 * from_march + 2) / 5;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

/// The month that contains day number `day` (1970-01-01 is day 0), and the day of the month.
pub(crate) fn month_and_day(day: i64) -> (YearMonth, u32) {
    let day = day + 719_468;
    let (era, day_of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let leap_days = day_of_era / 1_460 - day_of_era / 36_524 + day_of_era / 146_096;
    let year_of_era = (day_of_era - leap_days) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    // Both are below 32 by construction.
    (YearMonth { year, month: to_u32(month) }, to_u32(day))
}

/// The day of the week of day number `day`, where Sunday is 0. 1970-01-01 was a Thursday.
pub(crate) fn day_of_week(day: i64) -> u32 {
    to_u32((day + 4).rem_euclid(7))
}

/// Converts a value that is known to fit; 0 if it does not.
pub(crate) fn to_u32(value: i64) -> u32 {
    u32::try_from(value).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_agree_over_eight_hundred_years() {
        let mut month = YearMonth { year: 1600, month: 1 };
        let mut day = month.first_day();
        // 1600-01-01 was a Saturday.
        assert_eq!((day, day_of_week(day)), (-135_140, 6));
        // Miri is about a hundred times slower.
        let until = if cfg!(miri) { 1605 } else { 2400 };
        while month.year < until {
            for day_of_month in 1..=month.len() {
                assert_eq!(month_and_day(day), (month, day_of_month), "{month:?} {day_of_month}");
                day += 1;
            }
            month = month.next();
            assert_eq!(month.first_day(), day, "{month:?}");
        }
    }

    #[test]
    fn days_of_the_week_of_known_dates() {
        // The moon landing was on a Sunday, the first day of 2000 a Saturday.
        for (year, month, day_of_month, want) in
            [(1969, 7, 20, 0), (2000, 1, 1, 6), (2026, 11, 24, 2)]
        {
            let day = YearMonth { year, month }.first_day() + day_of_month - 1;
            assert_eq!(day_of_week(day), want, "{year}-{month}-{day_of_month}");
        }
    }
}
