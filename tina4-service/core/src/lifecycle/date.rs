//! A calendar time for which a service waits.

use super::facts::Facts;
use crate::nanos::{Nanos, SECOND, WallNanos};

/// The monotonic clock is trusted to lead to a calendar time for so long.
const LOOK: Nanos = 30_000_000_000;

/// A calendar time that does not come.
pub(super) const NEVER: i64 = i64::MAX;

/// A calendar time for which a service waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// In seconds since 1970 UTC.
    pub(super) at: i64,
    /// How much later to start on purpose.
    pub(super) late: Nanos,
    /// When that will be, as far as the clocks agree.
    pub(super) due: Nanos,
}

impl Date {
    pub(super) fn new(at: i64, late: Nanos, facts: Facts<'_>) -> Self {
        let distance = nanos_of(at) - facts.wall + WallNanos::from(late);
        let due = WallNanos::from(facts.now) + distance;
        let due = if at == NEVER { WallNanos::MAX } else { due.max(0) };
        Self { at, late, due: Nanos::try_from(due).unwrap_or(Nanos::MAX) }
    }

    /// When to look at the wall clock next, or to run.
    pub(super) fn look(self, now: Nanos) -> Nanos {
        // On a common grid, so that all services look at once.
        self.due.min((now / LOOK).saturating_add(1).saturating_mul(LOOK))
    }
}

pub(super) fn nanos_of(seconds: i64) -> WallNanos {
    WallNanos::from(seconds) * SECOND
}

/// Whole seconds, rounded down.
pub(super) fn seconds_of(wall: WallNanos) -> i64 {
    let end = if wall < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(wall.div_euclid(SECOND)).unwrap_or(end)
}
