//! The threads that wait for a stop signal.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
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
    engine: Weak<Engine>,
    /// Set for a thread that is in `run`.
    run: Option<Weak<RunWatch>>,
    /// The number of requests that this waiter ignores, because earlier waiters received them.
    seen: u32,
    /// The number of requests that it has been notified of.
    notified: u32,
    /// Whether its runner has a quiesce time that is not over.
    may_quiesce: Arc<AtomicBool>,
}

impl Waiters {
    /// The waiters of this process.
    pub(super) fn get() -> &'static Self {
        WAITERS.get_or_init()
    }

    /// How many requests have been delivered to a waiter.
    pub(super) fn delivered(&self) -> u32 {
        self.delivered.load(Ordering::Acquire)
    }

    /// Records that a waiter has received this many requests.
    pub(super) fn deliver(&self, count: u32) {
        self.delivered.fetch_max(count, Ordering::AcqRel);
    }

    /// Adds a waiter for requests after the first `seen` ones. Returns its id, and whether another one is to
    /// receive the last of the `count` requests so far, or has received it and is still registered.
    pub(super) fn add(
        &self,
        engine: &Arc<Engine>,
        run: Option<&Arc<RunWatch>>,
        may_quiesce: &Arc<AtomicBool>,
        seen: u32,
        count: u32,
    ) -> (u32, bool) {
        let mut list = std_lock(&self.list);
        // Whether it was notified does not matter: the signal thread may not have got that far, while a waiter
        // that looked by itself has received the request already.
        let others_are_stopping = list.iter().any(|waiter| waiter.seen != count);
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (engine, run) = (Arc::downgrade(engine), run.map(Arc::downgrade));
        let may_quiesce = Arc::clone(may_quiesce);
        list.push(Waiter { id, engine, run, seen, notified: seen, may_quiesce });
        (id, others_are_stopping)
    }

    /// Whether the runner of any waiter has a quiesce time that is not over.
    pub(super) fn may_quiesce(&self) -> bool {
        let list = std_lock(&self.list);
        list.iter().any(|waiter| waiter.may_quiesce.load(Ordering::Acquire))
    }

    pub(super) fn remove(&self, id: u32) {
        std_lock(&self.list).retain(|waiter| waiter.id != id);
    }

    /// Returns every waiter that has not been notified of request `count`, and marks it as notified.
    /// The caller notifies them after releasing the lock.
    pub(super) fn take_unnotified(&self, count: u32) -> Vec<(Arc<Engine>, Option<Weak<RunWatch>>)> {
        let mut list = std_lock(&self.list);
        let unnotified = list.iter_mut().filter(|waiter| waiter.notified != count);
        let taken = unnotified.filter_map(|waiter| {
            waiter.notified = count;
            Some((waiter.engine.upgrade()?, waiter.run.clone()))
        });
        taken.collect()
    }
}
