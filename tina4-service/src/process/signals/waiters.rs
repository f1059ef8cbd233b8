//! The threads that wait for a stop signal.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use crate::engine::Engine;
use crate::process::signals::run_watch::RunWatch;
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;

/// The waiters of one process.
#[derive(Debug, Default)]
pub(super) struct Waiters {
    list: Mutex<Vec<Waiter>>,
    next_id: AtomicU32,
    /// How many requests have been delivered to a waiter.
    delivered: AtomicU32,
}

static WAITERS: PerProcess<Waiters> = PerProcess::new(Waiters {
    list: Mutex::new(Vec::new()),
    next_id: AtomicU32::new(0),
    delivered: AtomicU32::new(0),
});

/// A thread that waits for a signal.
#[derive(Debug)]
struct Waiter {
    id: u32,
    pool: Weak<Engine>,
    /// Set for a thread inside `run`.
    run: Option<Weak<RunWatch>>,
    /// The number of requests that concern earlier waiters only.
    since: u32,
    /// The number of requests that it has been notified of.
    notified: u32,
}

impl Waiters {
    /// Those of this process.
    pub(super) fn get() -> &'static Self {
        WAITERS.get_or_init()
    }

    /// How many requests have been delivered to a waiter.
    pub(super) fn delivered(&self) -> u32 {
        self.delivered.load(Ordering::Acquire)
    }

    /// Notes that a waiter has received this many requests.
    pub(super) fn deliver(&self, count: u32) {
        self.delivered.fetch_max(count, Ordering::AcqRel);
    }

    /// Adds a waiter for requests beyond the first `since`. Returns its id, and whether another waiter
    /// has been notified and is still registered.
    pub(super) fn add(
        &self,
        pool: &Arc<Engine>,
        run: Option<&Arc<RunWatch>>,
        since: u32,
    ) -> (u32, bool) {
        let mut list = std_lock(&self.list);
        let others_stop = list.iter().any(|waiter| waiter.notified != waiter.since);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (pool, run) = (Arc::downgrade(pool), run.map(Arc::downgrade));
        list.push(Waiter { id, pool, run, since, notified: since });
        (id, others_stop)
    }

    pub(super) fn remove(&self, id: u32) {
        std_lock(&self.list).retain(|waiter| waiter.id != id);
    }

    /// Marks every waiter that does not know of request `count` as notified, and returns them: they
    /// are notified without the lock.
    pub(super) fn take_unaware(&self, count: u32) -> Vec<(Arc<Engine>, Option<Weak<RunWatch>>)> {
        let mut list = std_lock(&self.list);
        let unaware = list.iter_mut().filter(|waiter| waiter.notified != count);
        let taken = unaware.filter_map(|waiter| {
            waiter.notified = count;
            Some((waiter.pool.upgrade()?, waiter.run.clone()))
        });
        taken.collect()
    }
}
