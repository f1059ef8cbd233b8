//! When a service could become overdue.

use super::Supervised;
use crate::time::wall::WallReading;
use tina4_service_core::lifecycle::OverdueFacts;
use tina4_service_core::{Nanos, WallNanos};

/// A time by which every service with due times would be overdue: a hundred years.
const FAR: Nanos = 100 * 366 * 86_400 * 1_000_000_000;

impl Supervised {
    /// From when on it is overdue if no run ends well until then, if it is expected to run. The instant may have passed
    /// although it is not overdue, because it waits as planned.
    pub(in super::super) fn overdue_from(&self, now: Nanos, reading: WallReading) -> Option<Nanos> {
        if self.facts().is_some_and(|facts| facts.paused_since.is_some()) {
            return None;
        }
        let facts = self.overdue_facts(now, reading);
        let (far, wall) = (now.saturating_add(FAR), facts.wall + WallNanos::from(FAR));
        let then = OverdueFacts { now: far, wall, ..facts };
        let overdue_for = self.life.overdue_for(self.spec(), &then)?;
        Some(far.saturating_sub(overdue_for))
    }
}
