//! The two day fields of a cron expression: day of the month and day of the week.

/// The two day fields, as bit masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// Days of the month: bits 1 to 31.
    pub days_of_month: u32,
    /// Days counted back from the end of the month: bit 0 is the last day (`L`), and bit 3 is three
    /// days before it (`L-3`).
    pub days_from_end: u32,
    /// Days of the month whose nearest weekday (Monday to Friday) matches (`15W`).
    pub nearest_weekdays: u32,
    /// Days counted back from the end of the month whose nearest weekday matches; bit 0 is the last
    /// day (`LW`).
    pub nearest_weekdays_from_end: u32,
    /// Days of the week: bits 0 (Sunday) to 6.
    pub days_of_week: u8,
    /// Days of the week, for their first to fifth occurrence in the month (`MON#2`).
    pub nth_days_of_week: [u8; 5],
    /// Days of the week, for their last occurrence in the month (`5L`).
    pub last_days_of_week: u8,
    /// Whether a day must match both day fields; if not, matching one is enough.
    pub match_both: bool,
}

impl Days {
    /// Every day.
    pub const ALL: Self = Self {
        days_of_month: 0xffff_fffe,
        days_from_end: 0,
        nearest_weekdays: 0,
        nearest_weekdays_from_end: 0,
        days_of_week: 0x7f,
        nth_days_of_week: [0; 5],
        last_days_of_week: 0,
        match_both: true,
    };

    /// The matching days, as bits 1 to 31, of a month with `length` days whose first day falls on
    /// the day of the week `first` (0 is Sunday).
    pub(super) fn of(&self, length: u32, first: u32) -> u32 {
        let all = u32::MAX >> (31 - length) & !1;
        let (by_month, by_week) =
            (self.matching_days_of_month(length, first), self.matching_days_of_week(length, first));
        let days = if self.match_both { by_month & by_week } else { by_month | by_week };
        days & all
    }

    fn matching_days_of_month(&self, length: u32, first: u32) -> u32 {
        let mut days = self.days_of_month;
        for day in each_bit(self.days_from_end) {
            days |= length.checked_sub(day).map_or(0, |day| 1 << day);
        }
        for day in each_bit(self.nearest_weekdays) {
            days |= nearest_weekday(day, length, first);
        }
        for day in each_bit(self.nearest_weekdays_from_end) {
            days |= length.checked_sub(day).map_or(0, |day| nearest_weekday(day, length, first));
        }
        days
    }

    fn matching_days_of_week(&self, length: u32, first: u32) -> u32 {
        let mut days = 0;
        for day in 1..=length {
            let day_of_week = 1 << ((first + day - 1) % 7);
            let nth = self.nth_days_of_week[((day - 1) / 7) as usize];
            let last = if day + 7 > length { self.last_days_of_week } else { 0 };
            if (self.days_of_week | nth | last) & day_of_week != 0 {
                days |= 1 << day;
            }
        }
        days
    }
}

/// The weekday (Monday to Friday) of the same month that is nearest to `day`, as a bit; 0 if the
/// month has no such day.
fn nearest_weekday(day: u32, length: u32, first: u32) -> u32 {
    if day == 0 || day > length {
        return 0;
    }
    let day = match (first + day - 1) % 7 {
        // Sunday: the Monday after, or the Friday before the last day.
        0 if day < length => day + 1,
        0 => day - 2,
        // Saturday: the Friday before, or the Monday after the first day.
        6 if day > 1 => day - 1,
        6 => day + 2,
        _ => day,
    };
    1 << day
}

fn each_bit(mask: u32) -> impl Iterator<Item = u32> {
    (0..u32::BITS).filter(move |index| mask >> index & 1 == 1)
}
