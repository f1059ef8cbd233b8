//! What the end of the process needs from the pool: its lock, within a limit, and which job each thread
//! is running, because a thread may never come back.

use std::sync::Weak;
use std::sync::atomic::{AtomicU32, Ordering};

use super::workers::PoolState;
use super::{Arc, Pool, WorkSource};
use crate::sys::sync::MutexGuard;
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

/// No job.
const NOTHING: u32 = u32::MAX;

/// What one worker is at. Only it writes here, until it is given up.
#[derive(Debug)]
pub(crate) struct ActiveWorker {
    /// The system's number of its thread, where that can be known.
    thread: Option<u32>,
    /// [`WorkSource::subject`] of its job, or of its last one. An idle worker is never taken for lost.
    subject: AtomicU32,
}

impl ActiveWorker {
    /// That of this thread.
    pub(super) fn here() -> Arc<Self> {
        Arc::new(Self { thread: thread_number(), subject: AtomicU32::new(NOTHING) })
    }

    pub(super) fn begin(&self, subject: u32) {
        self.subject.store(subject, Ordering::Relaxed);
    }

    /// The subject of its job, or of its last one.
    pub(crate) fn subject(&self) -> Option<u32> {
        Some(self.subject.load(Ordering::Relaxed)).filter(|subject| *subject != NOTHING)
    }

    pub(crate) fn thread(&self) -> Option<u32> {
        self.thread
    }

    /// It will never come back: its job is another worker's now.
    pub(crate) fn give_up(&self) {
        self.subject.store(NOTHING, Ordering::Relaxed);
    }
}

/// The number of this thread, as it is called in `/proc/self/id`.
fn thread_number() -> Option<u32> {
    if !cfg!(target_os = "linux") || cfg!(any(miri, shuttle)) {
        return None;
    }
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}

impl<D: WorkSource> Pool<D> {
    /// [`Pool::with`], but gives up if the lock cannot be had by `limit`: for the end of the process,
    /// when its holder may be frozen.
    pub(crate) fn with_before<T>(
        self: &Arc<Self>,
        clock: &Clock,
        limit: Nanos,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> Option<T> {
        self.lock_before(clock, limit).map(|state| self.act(state, action))
    }

    fn lock_before(&self, clock: &Clock, limit: Nanos) -> Option<MutexGuard<'_, PoolState<D>>> {
        loop {
            match crate::sys::sync::try_lock(&self.state) {
                Some(state) => return Some(state),
                None if clock.now() >= limit => return None,
                None => crate::sys::sync::yield_now(),
            }
        }
    }

    /// The workers that have or had a job; `None`: the lock could not be had by `limit`.
    pub(crate) fn working(&self, clock: &Clock, limit: Nanos) -> Option<Vec<Arc<ActiveWorker>>> {
        let state = self.lock_before(clock, limit)?;
        let all = state.workers.working.iter().filter_map(Weak::upgrade);
        Some(all.filter(|working| working.subject().is_some()).collect())
    }
}
