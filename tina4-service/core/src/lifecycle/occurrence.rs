//! An occurrence of a cron expression that a service waits for.

use super::facts::Facts;
use crate::nanos::{Nanos, WALL_SECOND, WallNanos};

/// How long a service waits at most until it reads the wall clock again.
const CHECK_INTERVAL: Nanos = 30_000_000_000;

/// Stands for an occurrence that never comes.
pub(super) const NEVER: i64 = i64::MAX;

/// An occurrence of a cron expression that a service waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// In seconds since 1970 UTC.
    pub(super) at: i64,
    /// The jitter of its run: how long after `at` the run begins.
    pub(super) jitter: Nanos,
    /// When the run is due on the monotonic clock, if nobody sets the wall clock until then.
    pub(super) due: Nanos,
}

impl Occurrence {
    pub(super) fn new(at: i64, jitter: Nanos, facts: &Facts<'_>) -> Self {
        let distance = nanos_of(at) - facts.wall + WallNanos::from(jitter);
        let due = WallNanos::from(facts.now) + distance;
        let due = if at == NEVER { WallNanos::MAX } else { due.max(0) };
        Self { at, jitter, due: Nanos::try_from(due).unwrap_or(Nanos::MAX) }
    }

    /// When to read the wall clock next: when the run is due, or after a check interval.
    pub(super) fn check_at(self, now: Nanos) -> Nanos {
        // On a grid that all services share, so that one wake-up serves them all.
        self.due.min((now / CHECK_INTERVAL).saturating_add(1).saturating_mul(CHECK_INTERVAL))
    }
}

/// Converts seconds since 1970 UTC.
pub(super) fn nanos_of(seconds: i64) -> WallNanos {
    WallNanos::from(seconds) * WALL_SECOND
}

/// Converts to seconds since 1970 UTC, rounded down.
pub(super) fn seconds_of(wall: WallNanos) -> i64 {
    let end = if wall < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(wall.div_euclid(WALL_SECOND)).unwrap_or(end)
}
