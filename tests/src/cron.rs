//! A slow reference implementation of cron: it walks through the wall time of a zone, hour by hour
//! and near clock changes second by second, and tests every second of it against the expression.
//!
//! It shares no code and no algorithm with the crate: it never computes where the next match must
//! be, and never asks the zone for its transitions. [`Walk`] notices a clock change when the wall
//! time advances by more or less than the elapsed time; a wall time that occurred before is a
//! repeated one.

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

mod expression;
pub mod random;

pub use expression::Expression;

const HOUR: i64 = 3_600;

/// The longest DST gap after which a skipped time runs (rule 7).
const LONGEST_GAP: i64 = 3 * HOUR;

/// How far before `start` the scan begins, so that repeated times are recognized.
const LOOK_BACK: i64 = 25 * HOUR;

/// The wall times of a zone from one instant to another.
#[derive(Debug)]
pub struct Walk {
    start: i64,
    end: i64,
    stretches: Vec<PlacedStretch>,
    gaps: Vec<Gap>,
}

/// Consecutive seconds of wall time within one hour of one day.
#[derive(Debug)]
struct Stretch {
    date: Date,
    hour: usize,
    /// Seconds within that hour.
    seconds: Range<i64>,
}

/// A [`Stretch`], and the instant at which it begins.
#[derive(Debug)]
struct PlacedStretch {
    at: i64,
    stretch: Stretch,
    /// Whether it is the second pass through a DST overlap.
    repeated: bool,
}

/// The wall times that a clock change at the instant `at` skips.
#[derive(Debug)]
struct Gap {
    at: i64,
    skipped: Vec<Stretch>,
}

impl Walk {
    /// Walks through `zone` from `start` to `end`, in seconds since 1970.
    ///
    /// # Panics
    ///
    /// If the zone or the time does not exist.
    #[must_use]
    pub fn new(zone: &str, start: i64, end: i64) -> Self {
        let zone = TimeZone::get(zone).expect("a known zone");
        let shows = |at| wall(&zone, at);
        let mut walk = Self { start, end, stretches: Vec::new(), gaps: Vec::new() };
        let mut shown = HashMap::new();
        let mut at = start - LOOK_BACK;
        let mut expected = shows(at);
        while at < end {
            let wall = shows(at);
            if wall > expected {
                walk.add_gap(at, expected..wall);
            }
            // The rest of the hour in one step, if no clock change is in it; else second by second
            // up to the change.
            let rest = HOUR - wall.rem_euclid(HOUR);
            let even = |ahead| shows(at + ahead) == wall + ahead;
            let length = if even(rest - 1) { Some(rest) } else { (1..rest).find(|n| !even(*n)) };
            let length = length.expect("a clock change before the hour ends");
            walk.add_stretch(at, wall..wall + length, &mut shown);
            at += length;
            expected = wall + length;
        }
        walk
    }

    /// The end of the walk.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The instants of clock changes.
    #[must_use]
    pub fn clock_changes(&self) -> Vec<i64> {
        let pairs = self.stretches.windows(2);
        let jumps = pairs.filter(|pair| pair[0].stretch.end() != pair[1].stretch.start());
        jumps.map(|pair| pair[1].at).filter(|at| (self.start..self.end).contains(at)).collect()
    }

    /// The first `limit` due times after the instant `after` and before the end of the walk.
    ///
    /// # Panics
    ///
    /// If `after` is before the start of the walk.
    #[must_use]
    pub fn due(&self, expression: &Expression, after: i64, limit: usize) -> Vec<i64> {
        assert!(after >= self.start, "`after` is before the walk");
        let later = |at: &i64| (after + 1..self.end).contains(at);
        let mut due = Vec::new();
        let mut today = None;
        // No stretch is longer than an hour.
        let first = self.stretches.partition_point(|placed| placed.at + HOUR <= after);
        for PlacedStretch { at, stretch, repeated } in &self.stretches[first..] {
            if due.len() >= limit {
                break;
            }
            if (*repeated && !expression.in_both_passes) || !expression.matches_hour(stretch) {
                continue;
            }
            let date = stretch.date;
            let matches = today.filter(|(day, _)| *day == date);
            let matches = matches.map_or_else(|| expression.matches_day(date), |(_, found)| found);
            today = Some((date, matches));
            if matches {
                let offset = at - stretch.seconds.start;
                let more = expression.matching_seconds(stretch).map(|s| offset + s).filter(later);
                due.extend(more.take(limit - due.len()));
            }
        }
        let matches =
            |gap: &&Gap| gap.skipped.iter().any(|part| expression.matches_any_second(part));
        due.extend(self.gaps.iter().filter(matches).map(|gap| gap.at).filter(later));
        due.sort_unstable();
        due.dedup();
        due.truncate(limit);
        due
    }

    /// Adds the wall times `wall`, which begin at `at` and are within one hour.
    fn add_stretch(
        &mut self,
        at: i64,
        wall: Range<i64>,
        shown: &mut HashMap<i64, Vec<Range<i64>>>,
    ) {
        let before = shown.entry(wall.start.div_euclid(HOUR)).or_default();
        let repeated = |second: i64| before.iter().any(|part| part.contains(&second));
        let mut from = wall.start;
        while from < wall.end {
            let again = repeated(from);
            let mut rest = from..wall.end;
            let change =
                if before.is_empty() { None } else { rest.find(|s| repeated(*s) != again) };
            let to = change.unwrap_or(wall.end);
            let stretch = Stretch::new(from..to);
            let at = at + from - wall.start;
            self.stretches.push(PlacedStretch { at, stretch, repeated: again });
            from = to;
        }
        before.push(wall);
    }

    /// Adds a DST gap: at the instant `at` the wall times `wall` are skipped.
    fn add_gap(&mut self, at: i64, wall: Range<i64>) {
        if wall.end - wall.start > LONGEST_GAP {
            return;
        }
        let mut skipped = Vec::new();
        let mut from = wall.start;
        while from < wall.end {
            let to = wall.end.min(from + HOUR - from.rem_euclid(HOUR));
            skipped.push(Stretch::new(from..to));
            from = to;
        }
        self.gaps.push(Gap { at, skipped });
    }
}

impl Stretch {
    /// A stretch of these seconds of wall time, which are within one hour.
    fn new(wall: Range<i64>) -> Self {
        let first = Timestamp::from_second(wall.start).expect("a time within the range of jiff");
        let first = Offset::UTC.to_datetime(first);
        let second = wall.start.rem_euclid(HOUR);
        Self {
            date: first.date(),
            hour: first.hour().unsigned_abs().into(),
            seconds: second..second + (wall.end - wall.start),
        }
    }

    /// The first second, as `seconds` counts it.
    fn start(&self) -> i64 {
        let hour = i8::try_from(self.hour).expect("an hour");
        seconds(self.date.at(hour, 0, 0, 0)) + self.seconds.start
    }

    /// The second after the last, as `seconds` counts it.
    fn end(&self) -> i64 {
        self.start() + self.seconds.end - self.seconds.start
    }
}

/// The wall time at an instant, as `seconds` counts it.
fn wall(zone: &TimeZone, at: i64) -> i64 {
    seconds(zone.to_datetime(Timestamp::from_second(at).expect("a time within the range of jiff")))
}

/// A wall time as seconds since 1970, as if it were UTC.
fn seconds(wall: jiff::civil::DateTime) -> i64 {
    Offset::UTC.to_timestamp(wall).expect("a time within the range of jiff").as_second()
}
