//! A time zone for tests, and its times as text.

use crate::Zone;
use crate::calendar::{DAY, YearMonth, month_and_day, to_u32};

/// A time zone with the offset `first`, then another offset from each of the given instants on.
#[derive(Debug)]
pub(crate) struct TestZone {
    pub(crate) first: i64,
    pub(crate) changes: Vec<(i64, i64)>,
}

impl Zone for TestZone {
    fn offset(&self, instant: i64) -> i64 {
        let last = self.changes.iter().rev().find(|(from, _)| *from <= instant);
        last.map_or(self.first, |(_, offset)| *offset)
    }

    fn next_transition(&self, instant: i64) -> Option<i64> {
        self.changes.iter().map(|(from, _)| *from).find(|from| *from > instant)
    }
}

/// Parses `2026-03-08 02:30:00` into seconds.
pub(crate) fn at(text: &str) -> i64 {
    let parts: Vec<i64> = text.split(['-', ' ', ':']).map(|part| part.parse().unwrap()).collect();
    let [year, month, day, hour, minute, second] = parts[..] else { panic!("{text}") };
    let month = YearMonth { year, month: to_u32(month) };
    (month.first_day() + day - 1) * DAY + hour * 3_600 + minute * 60 + second
}

/// The inverse of [`at`].
pub(crate) fn text(civil: i64) -> String {
    let (YearMonth { year, month }, day) = month_and_day(civil.div_euclid(DAY));
    let second = civil.rem_euclid(DAY);
    let (hour, minute) = (second / 3_600, second / 60 % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{:02}", second % 60)
}
