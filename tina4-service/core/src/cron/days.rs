//! The two day fields of a cron expression: day of the month and day of the week.

/// The two day fields, as bit masks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Days {
    /// Days of the month: bits 1 to 31.
    pub dates: u32,
    /// Days counted back from the last day of the month, bit 0 (`L`, `L-3`).
    pub from_last: u32,
    /// Days of the month whose nearest weekday (Monday to Friday) matches (`15W`).
    pub near: u32,
    /// The same for days counted back from the last day of the month (`LW`).
    pub near_last: u32,
    /// Days of the week: bits 0 (Sunday) to 6.
    pub weekdays: u8,
    /// Days of the week, for their first to fifth occurrence in the month (`MON#2`).
    pub nth: [u8; 5],
    /// Days of the week, for their last occurrence in the month (`5L`).
    pub last: u8,
    /// Whether a day must match both fields; otherwise one of them is enough.
    pub both: bool,
}

impl Days {
    /// Every day.
    pub const ALL: Self = Self {
        dates: 0xffff_fffe,
        from_last: 0,
        near: 0,
        near_last: 0,
        weekdays: 0x7f,
        nth: [0; 5],
        last: 0,
        both: true,
    };

    /// The matching days, as bits 1 to 31, of a month with `length` days whose first day falls on
    /// the day of the week `first` (0 is Sunday).
    pub(super) fn of(&self, length: u32, first: u32) -> u32 {
        let all = u32::MAX >> (31 - length) & !1;
        let (dates, weekdays) = (self.dates_of(length, first), self.weekdays_of(length, first));
        let days = if self.both { dates & weekdays } else { dates | weekdays };
        days & all
    }

    fn dates_of(&self, length: u32, first: u32) -> u32 {
        let mut days = self.dates;
        for day in each_bit(self.from_last) {
            days |= length.checked_sub(day).map_or(0, |day| 1 << day);
        }
        for day in each_bit(self.near) {
            days |= nearest_weekday(day, length, first);
        }
        for day in each_bit(self.near_last) {
            days |= length.checked_sub(day).map_or(0, |day| nearest_weekday(day, length, first));
        }
        days
    }

    fn weekdays_of(&self, length: u32, first: u32) -> u32 {
        let mut days = 0;
        for day in 1..=length {
            let weekday = 1 << ((first + day - 1) % 7);
            let nth = self.nth[((day - 1) / 7) as usize];
            let last = if day + 7 > length { self.last } else { 0 };
            if (self.weekdays | nth | last) & weekday != 0 {
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
