//! The declared schedule of a service, and the fixed-rate grid of an interval.

use std::time::Duration;

use crate::anchor::Anchored;
use crate::calendar::Zone;
use crate::cron::Cron;
use crate::instants::{self, CivilTimes, ClockChange};
use crate::nanos::Nanos;
use crate::queue_spec::QueueSpec;
use crate::timezone::Timezone;

/// When a service runs, as declared. The time zone is only a name here; the runtime looks it up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Schedule {
    /// The function is called once and runs until it returns.
    #[default]
    Continuous,
    /// Fixed rate: due times on a grid with this period.
    Interval(Duration),
    /// Fixed delay: the pause between the end of a run and the next start.
    Delay(Duration),
    /// Calendar time in a time zone.
    Calendar(Calendar, Timezone),
    /// The function is called with each job of a queue. To the life cycle it is one run from start to stop,
    /// and the jobs are part of it.
    Queue(QueueSpec),
}

/// Due times on the wall clock, which are called occurrences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Calendar {
    /// The times that a cron expression matches.
    Cron(Cron),
    /// Fixed rate on the wall clock, through an anchor.
    Anchored(Anchored),
}

impl Schedule {
    /// Whether the service works on the jobs of a queue.
    #[must_use]
    pub const fn is_queue(&self) -> bool {
        match self {
            Self::Queue(_) => true,
            Self::Continuous | Self::Interval(_) | Self::Delay(_) | Self::Calendar(..) => false,
        }
    }

    /// The kind of schedule, in a word.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::Interval(_) => "interval",
            Self::Delay(_) => "delay",
            Self::Calendar(Calendar::Cron(_), _) => "cron",
            Self::Calendar(Calendar::Anchored(_), _) => "anchored interval",
            Self::Queue(_) => "queue",
        }
    }

    /// Whether the schedule repeats runs.
    #[must_use]
    pub const fn is_periodic(&self) -> bool {
        match self {
            Self::Continuous | Self::Queue(_) => false,
            Self::Interval(_) | Self::Delay(_) | Self::Calendar(..) => true,
        }
    }

    /// Whether due times exist independently of the runs, so that runs can miss them.
    #[must_use]
    pub const fn has_due_times(&self) -> bool {
        match self {
            Self::Interval(_) | Self::Calendar(..) => true,
            // A delay starts when the run ends.
            Self::Continuous | Self::Delay(_) | Self::Queue(_) => false,
        }
    }

    /// The interval, the delay, or the shortest time between two occurrences, which is expensive to
    /// compute; `None` for a continuous service and for one with a queue.
    #[must_use]
    pub fn shortest_period(&self) -> Option<Duration> {
        match self {
            Self::Continuous | Self::Queue(_) => None,
            Self::Interval(period) | Self::Delay(period) => Some(*period),
            Self::Calendar(Calendar::Cron(cron), _) => Some(cron.shortest_interval()),
            Self::Calendar(Calendar::Anchored(anchored), _) => Some(anchored.period),
        }
    }
}

/// In words: `every 30s`, `5s after each run`, `continuous`, `0 8 * * * (Europe/Berlin)`,
/// `every 1h 30m anchored at 00:00 (local)`, `the jobs of a queue`.
impl std::fmt::Display for Schedule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Continuous => f.write_str("continuous"),
            Self::Interval(period) => {
                write!(f, "every {}", crate::duration::format(*period))
            }
            Self::Delay(pause) => {
                write!(f, "{} after each run", crate::duration::format(*pause))
            }
            Self::Calendar(calendar, zone) => write!(f, "{calendar} ({zone})"),
            Self::Queue(QueueSpec { concurrency: 1, .. }) => f.write_str("the jobs of a queue"),
            Self::Queue(QueueSpec { concurrency, .. }) => {
                write!(f, "the jobs of a queue, up to {concurrency} at once")
            }
        }
    }
}

impl Calendar {
    /// Whether occurrences in a DST overlap take place in both of its passes, and occurrences that
    /// the wall clock passes again when it is set back are due again.
    #[must_use]
    pub fn recurs(&self) -> bool {
        match self {
            Self::Cron(cron) => cron.recurs(),
            Self::Anchored(anchored) => anchored.recurs(),
        }
    }

    /// The first occurrence strictly after `instant`, in seconds since 1970-01-01 00:00 UTC.
    ///
    /// An occurrence in a DST gap moves to the end of the gap; one in a DST overlap repeats only if
    /// the schedule [recurs](Calendar::recurs). `None` if there is none within 400 years, or
    /// `instant` is outside the supported range.
    pub fn next_after<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<i64> {
        instants::next_after(self, instant, zone)
    }

    /// The exact number of occurrences in `from..until`, which are seconds since 1970-01-01 00:00
    /// UTC. The count takes little time even over centuries.
    pub fn count_between<Z: Zone + ?Sized>(&self, from: i64, until: i64, zone: &Z) -> u64 {
        instants::count_between(self, from, until, zone)
    }

    /// How a clock change affects the occurrence at `instant`, in seconds since 1970-01-01 00:00
    /// UTC; `None` if it does not.
    pub fn clock_change<Z: Zone + ?Sized>(&self, instant: i64, zone: &Z) -> Option<ClockChange> {
        instants::clock_change(self, instant, zone)
    }
}

impl CivilTimes for Calendar {
    fn recurs(&self) -> bool {
        self.recurs()
    }

    fn first_at_or_after(&self, civil: i64) -> Option<i64> {
        match self {
            Self::Cron(cron) => cron.first_at_or_after(civil),
            Self::Anchored(anchored) => anchored.first_at_or_after(civil),
        }
    }

    fn count(&self, from: i64, until: i64) -> u64 {
        match self {
            Self::Cron(cron) => cron.count(from, until),
            Self::Anchored(anchored) => anchored.count(from, until),
        }
    }
}

impl std::fmt::Display for Calendar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Cron(cron) => cron.fmt(f),
            Self::Anchored(anchored) => anchored.fmt(f),
        }
    }
}

/// The due times of a fixed-rate schedule: `anchor + k * period`.
///
/// All values are nanoseconds of one clock. Each due time is computed from the anchor, never from
/// the previous one, so nothing drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The first due time.
    pub anchor: Nanos,
    /// The time between two due times; at least one nanosecond.
    pub period: Nanos,
}

impl Grid {
    /// The first due time at or after `now` and strictly after `last`.
    ///
    /// `u64::MAX` (584 years) means never.
    #[must_use]
    pub fn next(&self, last: Nanos, now: Nanos) -> Nanos {
        let from = now.max(last.saturating_add(1));
        if from <= self.anchor {
            return self.anchor;
        }
        let period = self.period.max(1);
        let steps = (from - self.anchor).div_ceil(period);
        steps
            .checked_mul(period)
            .and_then(|offset| self.anchor.checked_add(offset))
            .unwrap_or(u64::MAX)
    }

    /// The number of due times strictly between `after` and `before`.
    #[must_use]
    pub fn count_between(&self, after: Nanos, before: Nanos) -> u64 {
        let first = self.next(after, 0);
        if first >= before {
            return 0;
        }
        (before - 1 - first) / self.period.max(1) + 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn rule_1_due_times_are_the_anchor_plus_multiples_of_the_period() {
        let grid = Grid { anchor: 100, period: 30 };
        for (last, at, next) in [
            (0, 0, 100),
            (100, 100, 130),
            (100, 129, 130),
            (100, 130, 130),
            (130, 130, 160),
            (100, 131, 160),
            (100, 1_000_000, 1_000_000),
            (100, u64::MAX, u64::MAX),
        ] {
            assert_eq!(grid.next(last, at), next, "after {last}, not before {at}");
        }
    }

    #[test]
    fn rule_5_due_times_strictly_between_two_runs_are_skipped() {
        let grid = Grid { anchor: 0, period: 10 };
        for (after, before, count) in [
            (0, 5, 0),
            (0, 10, 0),
            (0, 11, 1),
            (0, 30, 2),
            (0, 31, 3),
            (5, 10, 0),
            (5, 11, 1),
            (10, 20, 0),
            (40, 20, 0),
        ] {
            assert_eq!(grid.count_between(after, before), count, "({after}, {before})");
        }
    }

    proptest! {
        #![proptest_config(crate::proptest_config::config())]

        #[test]
        fn the_next_due_time_is_the_first_one_on_the_grid(
            anchor in 0..1_000_000_u64, period in 1..10_000_u64, last in 0..2_000_000_u64, at in 0..2_000_000_u64,
        ) {
            let grid = Grid { anchor, period };
            let next = grid.next(last, at);
            prop_assert!(next >= at);
            prop_assert!(next > last || next == anchor);
            prop_assert_eq!((next - anchor) % period, 0);
            if next > anchor {
                let before = next - period;
                prop_assert!(before < at || before <= last);
            }
        }

        #[test]
        fn the_count_agrees_with_enumeration(
            anchor in 0..50_u64, period in 1..20_u64, after in 0..200_u64, before in 0..400_u64,
        ) {
            let grid = Grid { anchor, period };
            let enumerated = (0..400).map(|k| anchor + k * period).filter(|at| *at > after && *at < before).count();
            prop_assert_eq!(grid.count_between(after, before), enumerated as u64);
        }
    }
}
