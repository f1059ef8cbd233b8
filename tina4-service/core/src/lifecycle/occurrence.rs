//! An occurrence of a calendar schedule that a service waits for.

use super::facts::Facts;
use crate::nanos::{Nanos, WALL_SECOND, WallNanos};

/// The longest time between two readings of the wall clock by a waiting service: 30 s, in
/// nanoseconds.
const CHECK_INTERVAL: Nanos = 30_000_000_000;

/// The sentinel for an occurrence that never comes.
pub(super) const NEVER: i64 = i64::MAX;

/// An occurrence of a calendar schedule that a service waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Unix time, in seconds.
    pub(super) at: i64,
    /// The jitter of its run: how long after `at` the run begins.
    pub(super) jitter: Nanos,
    /// When the run is due on the monotonic clock, unless the wall clock is set before then.
    pub(super) due: Nanos,
}

impl Occurrence {
    pub(super) fn new(at: i64, jitter: Nanos, facts: &Facts<'_>) -> Self {
        let distance = nanos_of(at) - facts.wall + WallNanos::from(jitter);
        let due = WallNanos::from(facts.now) + distance;
        let due = if at == NEVER { WallNanos::MAX } else { due.max(0) };
        Self { at, jitter, due: Nanos::try_from(due).unwrap_or(Nanos::MAX) }
    }

    /// By when to read the wall clock at the latest, if it may be read from `check_at` on. If the run
    /// is due then, that is `tolerance` later, or at the next multiple of the check interval,
    /// whichever is first: at the multiples the clock is read anyway.
    pub(super) fn check_by(self, check_at: Nanos, tolerance: Nanos) -> Nanos {
        if check_at < self.due {
            return check_at;
        }
        let multiple = check_at.div_ceil(CHECK_INTERVAL).saturating_mul(CHECK_INTERVAL);
        check_at.saturating_add(tolerance).min(multiple)
    }

    /// When to read the wall clock next: when the run is due, or at the next multiple of the check
    /// interval, whichever is first.
    pub(super) fn check_at(self, now: Nanos) -> Nanos {
        // All services share these multiples, so that one wake-up serves them all.
        self.due.min((now / CHECK_INTERVAL).saturating_add(1).saturating_mul(CHECK_INTERVAL))
    }
}

/// Converts Unix time from seconds to nanoseconds.
pub(super) fn nanos_of(seconds: i64) -> WallNanos {
    WallNanos::from(seconds) * WALL_SECOND
}

/// Converts Unix time from nanoseconds to seconds, rounded down.
pub(super) fn seconds_of(wall: WallNanos) -> i64 {
    let end = if wall < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(wall.div_euclid(WALL_SECOND)).unwrap_or(end)
}
