//! A slow cron to measure the real one by: it walks through the time of a zone and asks of every
//! moment whether the expression names it.
//!
//! It shares no code with the crate, and no idea: it never computes where the next match must be,
//! and never asks the zone for its transitions. A jump of the clocks is what [`Walk`] sees when
//! they show something else than a second more than a second ago; a repeated time is one that they
//! have shown before.

use std::collections::HashMap;
use std::ops::Range;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};

mod expression;
pub mod random;

pub use expression::Expression;

const HOUR: i64 = 3_600;

/// A longer gap runs nothing (rule 7).
const LONGEST_GAP: i64 = 3 * HOUR;

/// How far before its start a walk begins, so that it knows which times are repeated.
const MEMORY: i64 = 25 * HOUR;

/// What the clocks on the walls of a zone show, from one instant to another.
#[derive(Debug)]
pub struct Walk {
    start: i64,
    end: i64,
    pieces: Vec<Piece>,
    gaps: Vec<Gap>,
}

/// Seconds that the clocks show one after another, within one hour of one day.
#[derive(Debug)]
struct Stretch {
    date: Date,
    hour: usize,
    /// Seconds of that hour.
    seconds: Range<i64>,
}

/// A stretch that is really shown, from the instant `at`.
#[derive(Debug)]
struct Piece {
    at: i64,
    shown: Stretch,
    /// The clocks have shown it before.
    repeated: bool,
}

/// What the clocks skip when they jump forward at the instant `at`.
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
    /// If there is no such zone, or no such time.
    #[must_use]
    pub fn new(zone: &str, start: i64, end: i64) -> Self {
        let zone = TimeZone::get(zone).expect("a known zone");
        let shows = |at| wall(&zone, at);
        let mut walk = Self { start, end, pieces: Vec::new(), gaps: Vec::new() };
        let mut shown = HashMap::new();
        let mut at = start - MEMORY;
        let mut expected = shows(at);
        while at < end {
            let civil = shows(at);
            if civil > expected {
                walk.jump(at, expected..civil);
            }
            // The rest of an hour in one step if the clocks run evenly through it; otherwise they
            // are watched second by second until they jump.
            let rest = HOUR - civil.rem_euclid(HOUR);
            let even = |ahead| shows(at + ahead) == civil + ahead;
            let length = if even(rest - 1) { Some(rest) } else { (1..rest).find(|n| !even(*n)) };
            let length = length.expect("the clocks jump before the hour ends");
            walk.go(at, civil..civil + length, &mut shown);
            at += length;
            expected = civil + length;
        }
        walk
    }

    /// Where the walk ends: what comes later it does not know.
    #[must_use]
    pub fn end(&self) -> i64 {
        self.end
    }

    /// The instants at which the clocks jump, forward or back.
    #[must_use]
    pub fn jumps(&self) -> Vec<i64> {
        let joints = self.pieces.windows(2);
        let odd = joints.filter(|pair| pair[0].shown.after() != pair[1].shown.civil());
        odd.map(|pair| pair[1].at).filter(|at| (self.start..self.end).contains(at)).collect()
    }

    /// The first `limit` due times after the instant `after` and before the end of the walk.
    ///
    /// # Panics
    ///
    /// If `after` lies before the start.
    #[must_use]
    pub fn due(&self, expression: &Expression, after: i64, limit: usize) -> Vec<i64> {
        assert!(after >= self.start, "what came before the walk is not known");
        let later = |at: &i64| (after + 1..self.end).contains(at);
        let mut due = Vec::new();
        let mut today = None;
        // No piece is longer than an hour.
        let first = self.pieces.partition_point(|piece| piece.at + HOUR <= after);
        for piece in &self.pieces[first..] {
            if due.len() >= limit {
                break;
            }
            if (piece.repeated && !expression.in_both_copies) || !expression.in_hour(&piece.shown) {
                continue;
            }
            let date = piece.shown.date;
            let on = today.filter(|(day, _)| *day == date);
            let on = on.map_or_else(|| expression.on(date), |(_, on)| on);
            today = Some((date, on));
            if on {
                let offset = piece.at - piece.shown.seconds.start;
                let more = expression.within(&piece.shown).map(|s| offset + s).filter(later);
                due.extend(more.take(limit - due.len()));
            }
        }
        let hits = |gap: &&Gap| gap.skipped.iter().any(|part| expression.hits(part));
        due.extend(self.gaps.iter().filter(hits).map(|gap| gap.at).filter(later));
        due.sort_unstable();
        due.dedup();
        due.truncate(limit);
        due
    }

    /// From `at` on the clocks show `civil`, evenly and within one hour.
    fn go(&mut self, at: i64, civil: Range<i64>, shown: &mut HashMap<i64, Vec<Range<i64>>>) {
        let before = shown.entry(civil.start.div_euclid(HOUR)).or_default();
        let repeated = |second: i64| before.iter().any(|part| part.contains(&second));
        let mut from = civil.start;
        while from < civil.end {
            let again = repeated(from);
            let mut rest = from..civil.end;
            let change =
                if before.is_empty() { None } else { rest.find(|s| repeated(*s) != again) };
            let to = change.unwrap_or(civil.end);
            let shown = Stretch::new(from..to);
            self.pieces.push(Piece { at: at + from - civil.start, shown, repeated: again });
            from = to;
        }
        before.push(civil);
    }

    /// At the instant `at` the clocks skip `civil`.
    fn jump(&mut self, at: i64, civil: Range<i64>) {
        if civil.end - civil.start > LONGEST_GAP {
            return;
        }
        let mut skipped = Vec::new();
        let mut from = civil.start;
        while from < civil.end {
            let to = civil.end.min(from + HOUR - from.rem_euclid(HOUR));
            skipped.push(Stretch::new(from..to));
            from = to;
        }
        self.gaps.push(Gap { at, skipped });
    }
}

impl Stretch {
    /// `civil` lies within one hour.
    fn new(civil: Range<i64>) -> Self {
        let first = Timestamp::from_second(civil.start).expect("a time that jiff knows");
        let first = Offset::UTC.to_datetime(first);
        let second = civil.start.rem_euclid(HOUR);
        Self {
            date: first.date(),
            hour: first.hour().unsigned_abs().into(),
            seconds: second..second + (civil.end - civil.start),
        }
    }

    /// The first civil second.
    fn civil(&self) -> i64 {
        let hour = i8::try_from(self.hour).expect("an hour");
        seconds(self.date.at(hour, 0, 0, 0)) + self.seconds.start
    }

    /// The civil second after the last.
    fn after(&self) -> i64 {
        self.civil() + self.seconds.end - self.seconds.start
    }
}

/// What the clocks show at an instant, in civil seconds.
fn wall(zone: &TimeZone, at: i64) -> i64 {
    seconds(zone.to_datetime(Timestamp::from_second(at).expect("a time that jiff knows")))
}

/// A civil time as the number of civil seconds since 1970, as if there were no zones.
fn seconds(civil: jiff::civil::DateTime) -> i64 {
    Offset::UTC.to_timestamp(civil).expect("a time that jiff knows").as_second()
}
