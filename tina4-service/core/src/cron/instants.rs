//! From civil times to instants: what happens when the clocks of a zone change.
//!
//! Time in a zone is a row of stretches in each of which one offset holds. Within a interval civil
//! times and instants are the same but for that offset. Between two stretches civil time jumps:
//!
//! - forward (a gap): civil times are skipped. What would have run in it runs once, at the first
//!   instant after it; unless it is longer than [`MAX_GAP`], which is a day that a zone
//!   dropped, and whose work is not owed.
//! - back: civil times come twice. A recurring expression runs both times, a fixed one only the
//!   first time; so each interval knows up to where its predecessors have shown the clock.

use super::Cron;
use crate::calendar::{DAY, Zone};

/// A longer gap runs nothing.
const MAX_GAP: i64 = 3 * 3_600;

/// Where to begin to look, so that what was shown before is known: the longest jump back there has
/// been is a day (Alaska, 1867).
const LOOK_BACK: i64 = 2 * DAY;

/// Beyond these instants, the year 30,000,000, nothing is computed.
const MAX_INSTANT: i64 = 1_000_000_000_000_000;

/// A time in which one offset holds.
struct ZoneInterval {
    from: i64,
    until: Option<i64>,
    offset: i64,
    /// Every civil time before this one has been shown or skipped before this interval.
    shown_before: i64,
    /// The civil time at which a gap begins that ends where this interval does begin.
    gap_start: Option<i64>,
}

impl ZoneInterval {
    /// The row of stretches, from the one in which `instant` lies.
    fn starting_with<Z: Zone + ?Sized>(zone: &Z, instant: i64) -> impl Iterator<Item = Self> {
        let first = Self {
            from: instant,
            until: zone.next_transition(instant),
            offset: zone.offset(instant),
            shown_before: i64::MIN,
            gap_start: None,
        };
        std::iter::successors(Some(first), |last| last.next(zone))
    }

    fn next<Z: Zone + ?Sized>(&self, zone: &Z) -> Option<Self> {
        // A zone that does not move on would be walked for ever.
        let from = self.until.filter(|until| *until > self.from && *until < MAX_INSTANT)?;
        let offset = zone.offset(from);
        let shown = self.shown_before.max(from + self.offset);
        let begins = from + offset;
        let skipped = begins - shown;
        Some(Self {
            from,
            until: zone.next_transition(from),
            offset,
            shown_before: shown.max(begins),
            gap_start: (skipped > 0 && skipped <= MAX_GAP).then_some(shown),
        })
    }

    /// The first civil time that counts for an expression, at or after an instant of this interval.
    fn first_civil(&self, cron: &Cron, instant: i64) -> i64 {
        let civil = instant + self.offset;
        if cron.recurring { civil } else { civil.max(self.shown_before) }
    }

    /// Whether the expression runs at the very beginning, because of what the gap has skipped.
    fn makes_up_for_gap(&self, cron: &Cron) -> bool {
        self.gap_start.is_some_and(|gap| {
            cron.first_at_or_after(gap).is_some_and(|civil| civil < self.from + self.offset)
        })
    }
}

/// What a change of the clocks does to a due time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// The clocks have just gone forward: it stands for what was skipped.
    Skipped,
    /// The clocks have gone back: the same civil time was shown before.
    Repeated,
}

impl Cron {
    /// What a change of the clocks has to do with being due at `instant`.
    pub fn clock_change<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<ClockChange> {
        if !(-MAX_INSTANT..MAX_INSTANT).contains(&instant) {
            return None;
        }
        let is_here = |interval: &ZoneInterval| interval.until.is_none_or(|until| instant < until);
        let interval = ZoneInterval::starting_with(zone, instant - LOOK_BACK).find(is_here)?;
        if instant == interval.from && interval.makes_up_for_gap(self) {
            Some(ClockChange::Skipped)
        } else if instant + interval.offset < interval.shown_before {
            Some(ClockChange::Repeated)
        } else {
            None
        }
    }

    /// The first instant strictly after `instant` at which it is due, in seconds since 1970 UTC.
    ///
    /// `None` if there is none within 400 years.
    pub fn next_after<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<i64> {
        if !(-MAX_INSTANT..MAX_INSTANT).contains(&instant) {
            return None;
        }
        // The next civil time is looked for again only where civil time went back.
        let mut known: Option<(i64, i64)> = None;
        for interval in ZoneInterval::starting_with(zone, instant - LOOK_BACK) {
            if interval.from > instant && interval.makes_up_for_gap(self) {
                return Some(interval.from);
            }
            let begin = interval.from.max(instant + 1);
            if interval.until.is_some_and(|until| begin >= until) {
                continue;
            }
            let civil = interval.first_civil(self, begin);
            let found = match known {
                Some((from, found)) if (from..=found).contains(&civil) => found,
                Some(_) | None => self.first_at_or_after(civil)?,
            };
            known = Some((civil, found));
            let due = found - interval.offset;
            if interval.until.is_none_or(|until| due < until) {
                return Some(due);
            }
        }
        None
    }

    /// How often it is due from `from` on, before `until`; exact, and quick also over centuries.
    pub fn count_between<Z: Zone + ?Sized>(&self, from: i64, until: i64, zone: &Z) -> u64 {
        let (from, until) =
            (from.clamp(-MAX_INSTANT, MAX_INSTANT), until.clamp(-MAX_INSTANT, MAX_INSTANT));
        if from >= until {
            return 0;
        }
        let mut count = 0;
        for interval in ZoneInterval::starting_with(zone, from - LOOK_BACK) {
            if interval.from >= until {
                break;
            }
            let begin = interval.from.max(from);
            let end = interval.until.map_or(until, |end| end.min(until));
            if begin >= end {
                continue;
            }
            let civil = interval.first_civil(self, begin);
            count += self.count(civil, end + interval.offset);
            // Made up for, unless it is due at that instant anyway.
            let first = interval.from + interval.offset;
            if begin == interval.from && interval.makes_up_for_gap(self) && !self.matches(first) {
                count += 1;
            }
        }
        count
    }
}
