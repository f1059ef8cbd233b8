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

/// The statistics of a queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// The jobs in the store.
    pub backlog: Backlog,
    /// What this process did.
    pub counters: Counters,
}
