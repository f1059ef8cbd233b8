//! Counts requests in memory; a service writes the count to the database every few seconds.
//!
//! Services share it as `Res<VisitCounter>`. It consists of atomics, so that no service holds a
//! lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The requests that this process has received.
#[derive(Debug, Default)]
pub(crate) struct VisitCounter {
    total: AtomicU64,
    /// How many of them are in the database.
    stored: AtomicU64,
}

impl VisitCounter {
    /// Counts one request.
    pub(crate) fn record(&self) {
        self.total.fetch_add(1, Relaxed);
    }

    /// Requests since the process started.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Relaxed)
    }

    /// Requests that are not in the database yet.
    pub(crate) fn pending(&self) -> u64 {
        self.total().saturating_sub(self.stored.load(Relaxed))
    }

    /// Notes that `count` more are in the database. Call it after the commit, so that an error
    /// loses nothing.
    pub(crate) fn mark_stored(&self, count: u64) {
        self.stored.fetch_add(count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_arrive_during_a_write_stay_pending() {
        let visits = VisitCounter::default();
        visits.record();
        visits.record();
        let pending = visits.pending();
        visits.record();
        visits.mark_stored(pending);
        assert_eq!((visits.total(), visits.pending()), (3, 1));
    }
}
