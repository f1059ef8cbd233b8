//! [`Counters`] and [`Stats`].

use crate::backlog::Backlog;

/// What this process has done with a queue since it opened it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Jobs that were pushed; not those whose unique key was taken. Pushes in a transaction count even
    /// if it is rolled back.
    pub pushed: u64,
    /// Jobs that were done.
    pub done: u64,
    /// Attempts that failed, the last ones of a job included.
    pub failed: u64,
    /// Jobs that died.
    pub dead: u64,
    /// Jobs that were given back.
    pub returned: u64,
    /// Finishes and renewals that were refused, because the lease had ended.
    pub stale: u64,
    /// Claims, of any process, that this one found lost.
    pub lost: u64,
}

impl Counters {
    /// Adds others. Every field is named, so that a new one is not forgotten.
    pub(crate) fn add(&mut self, more: Self) {
        let Self { pushed, done, failed, dead, returned, stale, lost } = more;
        self.pushed += pushed;
        self.done += done;
        self.failed += failed;
        self.dead += dead;
        self.returned += returned;
        self.stale += stale;
        self.lost += lost;
    }
}

/// The statistics of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The jobs in the store.
    pub backlog: Backlog,
    /// What this process did.
    pub counters: Counters,
}
