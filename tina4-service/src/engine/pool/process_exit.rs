//! Access to the pool at the end of the process: to its state, with a deadline for the lock, and to
//! what each worker is executing.

use std::sync::{Arc, Weak};

use super::Pool;
use super::pool_state::PoolState;
use super::work_source::WorkSource;
use super::worker_record::WorkerRecord;
use crate::sys::sync::{MutexGuard, try_lock, yield_now};
use crate::time::clock::Clock;
use tina4_service_core::Nanos;

impl<S: WorkSource> Pool<S> {
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
        loop {
            match try_lock(&self.state) {
                Some(state) => return Some(state),
                None if clock.now() >= deadline => return None,
                None => yield_now(),
            }
        }
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
