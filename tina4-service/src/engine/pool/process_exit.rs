//! Access to the pool at the end of the process: to its state, with a deadline for the lock, and to
//! what each worker is executing.
//!
//! A lock is not fair: a program's thread that calls the runner in a loop could hold it nearly always, and
//! neither the workers, which stop the services, nor the thread that ends the process would get it in
//! time. So once the end is announced, every call from outside the pool waits a moment before it takes the
//! lock. It does not wait for the end, because a hook may call, or wait for the thread that does.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Weak};
#[cfg(not(shuttle))]
use std::time::Duration;

use super::Pool;
use super::pool_state::PoolState;
use super::work_source::WorkSource;
use super::worker_record::WorkerRecord;
use crate::sys::sync::{MutexGuard, try_lock, yield_now};
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

/// How long a thread waits before it looks again, at the end of the process. Short, because the program waits.
#[cfg(not(shuttle))]
const POLL_INTERVAL: Duration = Duration::from_micros(500);

/// How often a thread that finds a lock taken only lets other threads run, before it waits a moment. On a busy
/// machine, a thread that only does that is rarely given the processor.
const YIELDS: u32 = 20;

impl<S: WorkSource> Pool<S> {
    /// Records that the process is ending: from now on, calls from outside the pool wait a moment.
    pub(crate) fn announce_process_exit(&self) {
        self.process_is_ending.store(true, Ordering::Relaxed);
    }

    /// Whether the end of the process stops the services.
    pub(crate) fn is_stopped_at_exit(&self) -> bool {
        self.is_stopped_at_exit.load(Ordering::Relaxed)
    }

    /// Records that the end of the process stops the services.
    pub(crate) fn set_stopped_at_exit(&self) {
        self.is_stopped_at_exit.store(true, Ordering::Relaxed);
    }

    /// Lets other threads have the lock first, if the process is ending.
    pub(super) fn give_way(&self) {
        if self.process_is_ending.load(Ordering::Relaxed) {
            wait_briefly();
        }
    }

    /// [`Pool::with`], but returns `None` if the lock cannot be acquired before `deadline`: the
    /// thread that holds it may be parked forever.
    pub(crate) fn with_deadline<T>(
        self: &Arc<Self>,
        clock: &Clock,
        deadline: Nanos,
        action: impl FnOnce(&mut S, Nanos) -> T,
    ) -> Option<T> {
        self.lock_with_deadline(clock, deadline).map(|state| self.with_guard(state, action))
    }

    fn lock_with_deadline(
        &self,
        clock: &Clock,
        deadline: Nanos,
    ) -> Option<MutexGuard<'_, PoolState<S>>> {
        retry_until(clock, deadline, || try_lock(&self.state))
    }

    /// The records of the workers that have executed a service; `None`: the lock could not be acquired
    /// before `deadline`.
    pub(crate) fn worker_records(
        &self,
        clock: &Clock,
        deadline: Nanos,
    ) -> Option<Vec<Arc<WorkerRecord>>> {
        let state = self.lock_with_deadline(clock, deadline)?;
        let all = state.workers.records.iter().filter_map(Weak::upgrade);
        Some(all.filter(|record| record.service_index().is_some()).collect())
    }
}

/// Tries again and again, until `attempt` returns something or `deadline` has passed.
pub(crate) fn retry_until<T>(
    clock: &Clock,
    deadline: Nanos,
    mut attempt: impl FnMut() -> Option<T>,
) -> Option<T> {
    let mut yields = 0;
    loop {
        if let Some(value) = attempt() {
            return Some(value);
        }
        if clock.now() >= deadline {
            return None;
        }
        if yields < YIELDS {
            yields += 1;
            yield_now();
        } else {
            wait_briefly();
        }
    }
}

#[cfg(not(shuttle))]
#[expect(
    clippy::disallowed_methods,
    reason = "the process is ending: no stop needs to wake this thread"
)]
pub(crate) fn wait_briefly() {
    std::thread::sleep(POLL_INTERVAL);
}

#[cfg(shuttle)]
pub(crate) fn wait_briefly() {
    yield_now();
}
