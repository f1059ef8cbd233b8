//! From civil times to instants: what happens when the clocks of a zone change.
//!
//! Time in a zone is a row of stretches in each of which one offset holds. Within a stretch civil
//! times and instants are the same but for that offset. Between two stretches civil time jumps:
//!
//! - forward (a gap): civil times are skipped. What would have run in it runs once, at the first
//!   instant after it; unless it is longer than [`LONGEST_GAP`], which is a day that a zone
//!   dropped, and whose work is not owed.
//! - back: civil times come twice. A recurring expression runs both times, a fixed one only the
//!   first time; so each stretch knows up to where its predecessors have shown the clock.

use super::Cron;
use crate::calendar::{DAY, Zone};

/// A longer gap runs nothing.
const LONGEST_GAP: i64 = 3 * 3_600;

/// Where to begin to look, so that what was shown before is known: the longest jump back there has
/// been is a day (Alaska, 1867).
const LOOK_BACK: i64 = 2 * DAY;

/// Beyond these instants, the year 30,000,000, nothing is computed.
const LIMIT: i64 = 1_000_000_000_000_000;

/// A time in which one offset holds.
struct Stretch {
    from: i64,
    until: Option<i64>,
    offset: i64,
    /// Every civil time before this one has been shown or skipped before this stretch.
    shown: i64,
    /// The civil time at which a gap begins that ends where this stretch does begin.
    gap: Option<i64>,
}

impl Stretch {
    /// The row of stretches, from the one in which `instant` lies.
    fn row<Z: Zone + ?Sized>(zone: &Z, instant: i64) -> impl Iterator<Item = Self> {
        let first = Self {
            from: instant,
            until: zone.next_transition(instant),
            offset: zone.offset(instant),
            shown: i64::MIN,
            gap: None,
        };
        std::iter::successors(Some(first), |last| last.next(zone))
    }

    fn next<Z: Zone + ?Sized>(&self, zone: &Z) -> Option<Self> {
        // A zone that does not move on would be walked for ever.
        let from = self.until.filter(|until| *until > self.from && *until < LIMIT)?;
        let offset = zone.offset(from);
        let shown = self.shown.max(from + self.offset);
        let begins = from + offset;
        let skipped = begins - shown;
        Some(Self {
            from,
            until: zone.next_transition(from),
            offset,
            shown: shown.max(begins),
            gap: (skipped > 0 && skipped <= LONGEST_GAP).then_some(shown),
        })
    }

    /// The first civil time that counts for an expression, at or after an instant of this stretch.
    fn civil(&self, cron: &Cron, instant: i64) -> i64 {
        let civil = instant + self.offset;
        if cron.recurring { civil } else { civil.max(self.shown) }
    }

    /// Whether the expression runs at the very beginning, because of what the gap has skipped.
    fn makes_up(&self, cron: &Cron) -> bool {
        self.gap.is_some_and(|gap| {
            cron.first_from(gap).is_some_and(|civil| civil < self.from + self.offset)
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
        if !(-LIMIT..LIMIT).contains(&instant) {
            return None;
        }
        let is_here = |stretch: &Stretch| stretch.until.is_none_or(|until| instant < until);
        let stretch = Stretch::row(zone, instant - LOOK_BACK).find(is_here)?;
        if instant == stretch.from && stretch.makes_up(self) {
            Some(ClockChange::Skipped)
        } else if instant + stretch.offset < stretch.shown {
            Some(ClockChange::Repeated)
        } else {
            None
        }
    }

    /// The first instant strictly after `instant` at which it is due, in seconds since 1970 UTC.
    ///
    /// `None` if there is none within 400 years.
    pub fn next_after<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<i64> {
        if !(-LIMIT..LIMIT).contains(&instant) {
            return None;
        }
        // The next civil time is looked for again only where civil time went back.
        let mut known: Option<(i64, i64)> = None;
        for stretch in Stretch::row(zone, instant - LOOK_BACK) {
            if stretch.from > instant && stretch.makes_up(self) {
                return Some(stretch.from);
            }
            let begin = stretch.from.max(instant + 1);
            if stretch.until.is_some_and(|until| begin >= until) {
                continue;
            }
            let civil = stretch.civil(self, begin);
            let found = match known {
                Some((from, found)) if (from..=found).contains(&civil) => found,
                Some(_) | None => self.first_from(civil)?,
            };
            known = Some((civil, found));
            let due = found - stretch.offset;
            if stretch.until.is_none_or(|until| due < until) {
                return Some(due);
            }
        }
        None
    }

    /// How often it is due from `from` on, before `until`; exact, and quick also over centuries.
    pub fn count_between<Z: Zone + ?Sized>(&self, from: i64, until: i64, zone: &Z) -> u64 {
        let (from, until) = (from.clamp(-LIMIT, LIMIT), until.clamp(-LIMIT, LIMIT));
        if from >= until {
            return 0;
        }
        let mut count = 0;
        for stretch in Stretch::row(zone, from - LOOK_BACK) {
            if stretch.from >= until {
                break;
            }
            let begin = stretch.from.max(from);
            let end = stretch.until.map_or(until, |end| end.min(until));
            if begin >= end {
                continue;
            }
            let civil = stretch.civil(self, begin);
            count += self.count(civil, end + stretch.offset);
            // Made up for, unless it is due at that instant anyway.
            let first = stretch.from + stretch.offset;
            if begin == stretch.from && stretch.makes_up(self) && !self.matches(first) {
                count += 1;
            }
        }
        count
    }
}
