//! Whether the engine moves: whether what is due is handled, and the lock is released.
//!
//! Two looks are compared, so that neither a suspended process, nor a busy machine, nor a clock that jumps
//! looks like a fault: the same piece of work must have been due at both, ten seconds apart, or the lock must
//! have been held at every attempt. Nothing of it is part of a run.

use super::Pool;
use super::pool_state::PoolState;
use super::stall::Stall;
use super::work_source::WorkSource;
use crate::sys::sync::{MutexGuard, try_lock, yield_now};
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

/// How long something may stand still before the engine counts as stopped.
pub(crate) const LIMIT: Nanos = 10_000_000_000;

/// How long a look tries to get the lock. A snapshot of a hundred thousand services holds it for less.
const LOCK_PATIENCE: Nanos = 50_000_000;

impl<S: WorkSource> Pool<S> {
    /// Whether the engine moves. Blocks for at most 50 ms, and only if the lock is held all the time.
    pub(crate) fn is_live(&self) -> bool {
        // In real time even under a virtual clock, because the threads are real.
        self.is_live_at(Clock::system().now())
    }

    /// [`Pool::is_live`] at this instant of the system clock.
    pub(super) fn is_live_at(&self, now: Nanos) -> bool {
        let Some(mut state) = self.try_state() else {
            return now.saturating_sub(self.lock_watch.failed(now)) < LIMIT;
        };
        self.lock_watch.succeeded();
        let max_threads = self.max_threads(&state.source);
        let stalled = state.stalled_since(self.clock.now(), now, max_threads);
        stalled.is_none_or(|since| now.saturating_sub(since) < LIMIT)
    }

    /// Locks the state, unless it stays locked for [`LOCK_PATIENCE`].
    fn try_state(&self) -> Option<MutexGuard<'_, PoolState<S>>> {
        let clock = Clock::system();
        let until = clock.now().saturating_add(LOCK_PATIENCE);
        loop {
            if let Some(state) = try_lock(&self.state) {
                return Some(state);
            }
            if clock.now() >= until {
                return None;
            }
            yield_now();
        }
    }
}

impl<S: WorkSource> PoolState<S> {
    /// Since when the same piece of work has been due at each look; `None`: nothing is due, or all threads
    /// that the user allows execute the user's code.
    fn stalled_since(&mut self, now: Nanos, real_now: Nanos, max_threads: usize) -> Option<Nanos> {
        let first = self.source.first_due().filter(|(due, _)| *due <= now);
        let Some(first) = first.filter(|_| !self.workers.are_all_busy(max_threads)) else {
            self.stall = None;
            return None;
        };
        let known = self.stall.filter(|stall| stall.first == first);
        let stall = known.unwrap_or(Stall { first, since: real_now });
        self.stall = Some(stall);
        Some(stall.since)
    }
}
