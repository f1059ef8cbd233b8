//! Whether the engine makes progress: whether what is due is handled, and the lock is released.
//!
//! Several checks are compared, so that neither a suspended process, nor a busy machine, nor a clock that jumps
//! looks like a fault: the same piece of work must have been due at all of them, over ten seconds, or the lock must
//! have been held at every attempt. Nothing of it is part of a run.

use super::Pool;
use super::pool_state::PoolState;
use super::stall::Stall;
use super::standstill::Standstill;
use super::work_source::WorkSource;
use crate::sys::sync::{MutexGuard, try_lock, yield_now};
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

/// How long a check tries to get the lock. A snapshot of a hundred thousand services holds it for less.
const LOCK_PATIENCE: Nanos = 50_000_000;

/// How long a probe that has to read the services tries to get the lock. Longer, because without the lock its answer is
/// no; but shorter than the second that an orchestrator usually waits for an answer.
const ANSWER_PATIENCE: Nanos = 500_000_000;

impl<S: WorkSource> Pool<S> {
    /// Whether the engine makes progress. Blocks for at most 50 ms, and only if the lock is held all the time.
    pub(crate) fn is_live(&self) -> bool {
        // In real time even under a virtual clock, because the threads are real.
        self.is_live_at(Clock::system().now())
    }

    /// [`Pool::is_live`] at this instant of the system clock.
    pub(crate) fn is_live_at(&self, now: Nanos) -> bool {
        let Some(mut state) = self.try_state(LOCK_PATIENCE) else {
            return !self.lock_watch.failed(now).is_too_long();
        };
        self.lock_watch.succeeded();
        let max_threads = self.max_threads(&state.source);
        let standstill = state.standstill(self.clock.now(), now, max_threads);
        standstill.is_none_or(|standstill| !standstill.is_too_long())
    }

    /// Reads the source; `None`: the lock was held all the time. Unlike [`Pool::with`] it never waits for long, and
    /// executes nothing that others have deferred.
    ///
    /// `read` changes nothing that could need a worker, so the pool stays covered.
    pub(crate) fn peek<T>(&self, read: impl FnOnce(&mut S, Nanos) -> T) -> Option<T> {
        let mut state = self.try_state(ANSWER_PATIENCE)?;
        let now = self.clock.now();
        Some(read(&mut state.source, now))
    }

    /// Locks the state, unless it stays locked for as long as `patience`.
    fn try_state(&self, patience: Nanos) -> Option<MutexGuard<'_, PoolState<S>>> {
        let clock = Clock::system();
        let until = clock.now().saturating_add(patience);
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
    /// How long the same piece of work has been due at each check; `None`: nothing is due, or all threads
    /// that the user allows execute the user's code.
    fn standstill(
        &mut self,
        now: Nanos,
        real_now: Nanos,
        max_threads: usize,
    ) -> Option<Standstill> {
        let first = self.source.first_due().filter(|(due, _)| *due <= now);
        let Some(first) = first.filter(|_| !self.workers.are_all_busy(max_threads)) else {
            self.stall = None;
            return None;
        };
        let known = self.stall.filter(|stall| stall.first == first);
        let standstill = known
            .map_or_else(|| Standstill::begin(real_now), |stall| stall.standstill.go_on(real_now));
        self.stall = Some(Stall { first, standstill });
        Some(standstill)
    }
}
