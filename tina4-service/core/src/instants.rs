//! From civil times to instants: the due times of a calendar schedule, with DST gaps and overlaps resolved.
//!
//! The history of a zone is a sequence of zone intervals with one UTC offset each. Within an interval,
//! civil time and instants differ only by that offset. Between two intervals, civil time jumps, usually
//! because daylight saving time (DST) starts or ends:
//!
//! - forward, a **DST gap**: civil times are skipped. A schedule with occurrences in the gap
//!   runs once, at the first instant after it. A gap longer than [`MAX_GAP`] is not DST but a day
//!   that the zone skipped, and its occurrences are dropped.
//! - back, a **DST overlap** (fold): civil times are shown twice. A recurring schedule runs in both
//!   copies, a fixed time of day only in the first; so each interval knows which civil times the
//!   intervals before it have shown.

use crate::calendar::{DAY, Zone};

/// The longest gap, in seconds, after which the skipped occurrences still run.
const MAX_GAP: i64 = 3 * 3_600;

/// How far before an instant the walk over the zone intervals starts, in seconds, so that it sees
/// an overlap at the instant: the largest jump back in history was one day (Alaska, 1867).
const LOOK_BACK: i64 = 2 * DAY;

/// The range of supported instants, in seconds: from minus to plus this value, which is about the
/// year 30,000,000.
const MAX_INSTANT: i64 = 1_000_000_000_000_000;

/// The civil times at which a schedule is due.
pub(crate) trait CivilTimes {
    /// Whether times in a DST overlap are due in both of its passes.
    fn recurs(&self) -> bool;

    /// The first of them at or after `civil`; `None` if there is none.
    fn first_at_or_after(&self, civil: i64) -> Option<i64>;

    /// The number of them in `from..until`.
    fn count(&self, from: i64, until: i64) -> u64;
}

/// A span of time with one UTC offset. All values are in seconds; `from` and `until` are instants.
struct ZoneInterval {
    from: i64,
    until: Option<i64>,
    offset: i64,
    /// Every civil time before this value has been shown or skipped by an earlier interval.
    shown_before: i64,
    /// The civil time at which the gap before this interval starts; `None` if there is no gap, or
    /// one longer than [`MAX_GAP`].
    gap_start: Option<i64>,
}

impl ZoneInterval {
    /// The zone intervals from `instant` on. The first one is shortened to begin at `instant`.
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
        // Guards against an endless walk if `next_transition` does not advance.
        let from = self.until.filter(|until| *until > self.from && *until < MAX_INSTANT)?;
        let offset = zone.offset(from);
        let shown = self.shown_before.max(from + self.offset);
        let civil_start = from + offset;
        let skipped = civil_start - shown;
        Some(Self {
            from,
            until: zone.next_transition(from),
            offset,
            shown_before: shown.max(civil_start),
            gap_start: (skipped > 0 && skipped <= MAX_GAP).then_some(shown),
        })
    }

    /// The first civil time at or after `instant` that may be an occurrence: a fixed time of day
    /// does not recur in an overlap.
    fn first_civil(&self, times: &impl CivilTimes, instant: i64) -> i64 {
        let civil = instant + self.offset;
        if times.recurs() { civil } else { civil.max(self.shown_before) }
    }

    /// Whether the schedule runs at the start of this interval to make up for occurrences in the
    /// DST gap before it.
    fn makes_up_for_gap(&self, times: &impl CivilTimes) -> bool {
        self.gap_start.is_some_and(|gap| {
            times.first_at_or_after(gap).is_some_and(|civil| civil < self.from + self.offset)
        })
    }
}

/// How a clock change, usually DST, affects an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClockChange {
    /// The first instant after a DST gap: it stands for the occurrences in the gap.
    AfterGap,
    /// In a DST overlap: the same civil time was shown before.
    InOverlap,
}

/// How a clock change affects the occurrence at `instant`, in seconds since 1970-01-01 00:00 UTC;
/// `None` if it does not.
pub(crate) fn clock_change<Z: Zone + ?Sized>(
    times: &impl CivilTimes,
    instant: i64,
    zone: &Z,
) -> Option<ClockChange> {
    if !(-MAX_INSTANT..MAX_INSTANT).contains(&instant) {
        return None;
    }
    let is_here = |interval: &ZoneInterval| interval.until.is_none_or(|until| instant < until);
    let interval = ZoneInterval::starting_with(zone, instant - LOOK_BACK).find(is_here)?;
    if instant == interval.from && interval.makes_up_for_gap(times) {
        Some(ClockChange::AfterGap)
    } else if instant + interval.offset < interval.shown_before {
        Some(ClockChange::InOverlap)
    } else {
        None
    }
}

/// The first occurrence strictly after `instant`, in seconds since 1970-01-01 00:00 UTC.
///
/// An occurrence in a DST gap moves to the end of the gap; one in a DST overlap repeats only if the
/// schedule [recurs](CivilTimes::recurs). `None` if there is none within 400 years, or `instant` is
/// outside the supported range.
pub(crate) fn next_after<Z: Zone + ?Sized>(
    times: &impl CivilTimes,
    instant: i64,
    zone: &Z,
) -> Option<i64> {
    if !(-MAX_INSTANT..MAX_INSTANT).contains(&instant) {
        return None;
    }
    // The last match remains the next one unless civil time jumps back to before the time at which
    // the search began.
    let mut known: Option<(i64, i64)> = None;
    for interval in ZoneInterval::starting_with(zone, instant - LOOK_BACK) {
        if interval.from > instant && interval.makes_up_for_gap(times) {
            return Some(interval.from);
        }
        let start = interval.from.max(instant + 1);
        if interval.until.is_some_and(|until| start >= until) {
            continue;
        }
        let civil = interval.first_civil(times, start);
        let found = match known {
            Some((from, found)) if (from..=found).contains(&civil) => found,
            Some(_) | None => times.first_at_or_after(civil)?,
        };
        known = Some((civil, found));
        let due = found - interval.offset;
        if interval.until.is_none_or(|until| due < until) {
            return Some(due);
        }
    }
    None
}

/// The exact number of occurrences in `from..until`, which are seconds since 1970-01-01 00:00 UTC.
/// The count takes little time even over centuries.
pub(crate) fn count_between<Z: Zone + ?Sized>(
    times: &impl CivilTimes,
    from: i64,
    until: i64,
    zone: &Z,
) -> u64 {
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
        let start = interval.from.max(from);
        let end = interval.until.map_or(until, |end| end.min(until));
        if start >= end {
            continue;
        }
        let civil = interval.first_civil(times, start);
        count += times.count(civil, end + interval.offset);
        // The run that makes up for the gap, unless that instant matches anyway.
        let civil_start = interval.from + interval.offset;
        if start == interval.from
            && interval.makes_up_for_gap(times)
            && times.first_at_or_after(civil_start) != Some(civil_start)
        {
            count += 1;
        }
    }
    count
}

/// The gap that contains `civil`: the first civil time that it skips, and the first after it. `None`
/// if a clock in the zone shows `civil`.
pub(crate) fn gap_around<Z: Zone + ?Sized>(civil: i64, zone: &Z) -> Option<(i64, i64)> {
    let mut shown_before = i64::MIN;
    for interval in ZoneInterval::starting_with(zone, civil - LOOK_BACK) {
        let start = interval.from + interval.offset;
        if civil < start {
            return Some((shown_before, start));
        }
        // A time that the last interval does not contain has been skipped.
        let end = interval.until? + interval.offset;
        if civil < end {
            return None;
        }
        shown_before = shown_before.max(end);
    }
    None
}
