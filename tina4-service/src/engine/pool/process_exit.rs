//! The pool at the end of the process: its lock within a time limit, and what each thread executes.

use std::sync::{Arc, Weak};

use super::Pool;
use super::active_worker::ActiveWorker;
use super::pool_state::PoolState;
use super::work_source::WorkSource;
use crate::sys::sync::{MutexGuard, try_lock, yield_now};
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

impl<S: WorkSource> Pool<S> {
    /// [`Pool::with`], but gives up if the lock is not free by `limit`: its holder may be frozen.
    pub(crate) fn with_before<T>(
        self: &Arc<Self>,
        clock: &Clock,
        limit: Nanos,
        action: impl FnOnce(&mut S, Nanos) -> T,
    ) -> Option<T> {
        self.lock_before(clock, limit).map(|state| self.act(state, action))
    }

    fn lock_before(&self, clock: &Clock, limit: Nanos) -> Option<MutexGuard<'_, PoolState<S>>> {
        loop {
            match try_lock(&self.state) {
                Some(state) => return Some(state),
                None if clock.now() >= limit => return None,
                None => yield_now(),
            }
        }
    }

    /// The workers that have executed anything; `None`: the lock was not free by `limit`.
    pub(crate) fn active_workers(
        &self,
        clock: &Clock,
        limit: Nanos,
    ) -> Option<Vec<Arc<ActiveWorker>>> {
        let state = self.lock_before(clock, limit)?;
        let all = state.workers.active.iter().filter_map(Weak::upgrade);
        Some(all.filter(|active| active.subject().is_some()).collect())
    }
}
