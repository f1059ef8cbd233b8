//! How many requests came: counted in memory, written to the database now and then.
//!
//! Services share it as `Res<Tally>`. It is made of atomics, so no service holds a lock.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Counters of this process.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Requests since the process started.
    visits: AtomicU64,
    /// How many of them the database knows.
    stored: AtomicU64,
}

impl Tally {
    /// Counts one request.
    pub(crate) fn visit(&self) {
        self.visits.fetch_add(1, Relaxed);
    }

    /// Requests since the process started.
    pub(crate) fn visits(&self) -> u64 {
        self.visits.load(Relaxed)
    }

    /// Requests that the database does not know yet.
    pub(crate) fn pending(&self) -> u64 {
        self.visits().saturating_sub(self.stored.load(Relaxed))
    }

    /// The database knows `count` more. Said after the commit, so an error loses nothing.
    pub(crate) fn stored(&self, count: u64) {
        self.stored.fetch_add(count, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_while_storing_stays_pending() {
        let tally = Tally::default();
        tally.visit();
        tally.visit();
        let pending = tally.pending();
        tally.visit();
        tally.stored(pending);
        assert_eq!((tally.visits(), tally.pending()), (3, 1));
    }
}
