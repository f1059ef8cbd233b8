//! The main loop of a worker thread: execute work, wait as leader or follower, and finally exit.

use std::sync::Arc;
use std::time::Duration;

use super::Pool;
use super::pool_state::{AfterUnlock, PoolState};
use super::work_source::{Timing, WorkSource};
#[cfg(feature = "exit-hook")]
use super::worker_record::WorkerRecord;
use super::workers::{IdleWorker, Leader, MIN_IDLE, STAND_BY_SLACK, StandBy};
use crate::sys::fork;
use crate::sys::sync::{Condvar, MutexGuard, lock, try_lock, wait};
use crate::sys::thread_name;
use tina4_service_core::Nanos;

/// The leader spins for at most this long.
const MAX_SPIN: Nanos = 80_000;
/// The leader always spins if no more than this is left: a timed wait cannot be that short.
const MIN_SPIN: Nanos = 3_000;
/// A stand-by waits at least this long.
const MIN_STAND_BY: Nanos = 1_000_000;
/// How long surplus workers stay idle before they exit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(5);
/// Each idle worker waits this much longer than the one below it, so that they do not all exit at the
/// same time.
const IDLE_STAGGER: Duration = Duration::from_millis(20);

impl<S: WorkSource> Pool<S> {
    /// Runs the worker thread with this id, until the pool has no more use for it.
    pub(super) fn run_worker(self: &Arc<Self>, worker_id: u64) {
        let condvar = Arc::new(Condvar::new());
        let process = fork::generation();
        #[cfg(feature = "exit-hook")]
        let record = WorkerRecord::current();
        let mut state = lock(&self.state);
        #[cfg(feature = "exit-hook")]
        state.workers.add_record(&record);
        state.workers.arriving -= 1;
        let mut may_take_work_next = state.workers.may_take_work();
        let mut now = self.clock.now();
        // Work that must directly follow the work that was just completed.
        let mut next = None;
        loop {
            let may_take_work = std::mem::replace(&mut may_take_work_next, true);
            let mut id = next.take();
            if id.is_none() && may_take_work && !state.source.deferred().is_pending() {
                id = state.source.take_due(now);
            }
            if let Some(id) = id {
                let short = state.workers.predict_short(state.source.expected_duration(&id));
                let item = state.source.begin(id);
                let returns_soon = short && !self.clock.is_virtual();
                let after_unlock =
                    state.cover(now, returns_soon, |source| self.max_threads(source));
                drop(state);
                let mut began = now;
                if after_unlock.is_some() {
                    self.run_after_unlock(after_unlock);
                    // Spawning a thread takes longer than many runs, and is not part of this one.
                    began = self.clock.now();
                }
                #[cfg(feature = "exit-hook")]
                record.begin(S::service_index(&item));
                let completion = S::execute(&item);
                if fork::generation() != process {
                    // The work called `fork`, and this is the child process. The services belong to the
                    // parent. This is the only thread of the child, so the child ends with it.
                    return;
                }
                let ended;
                // Read the clock after taking the lock: the next due time may pass while this thread
                // waits for the lock.
                (state, ended, now) = match try_lock(&self.state) {
                    Some(state) => {
                        let now = self.clock.now();
                        (state, now, now)
                    }
                    None => {
                        let ended = self.clock.now();
                        let state = lock(&self.state);
                        (state, ended, self.clock.now())
                    }
                };
                state.workers.learn_duration(ended.saturating_sub(began));
                let timing = Timing { began, ended, now, may_repeat: true };
                next = state.source.complete(item, completion, timing);
                continue;
            }
            // Due times that needed no worker may still have deferred something.
            let (notify_listeners, deferred) = state.take_after_unlock();
            if notify_listeners || deferred.is_some() {
                // A log may block forever, so another worker has to wait for the next due time.
                let uncovered = if deferred.is_some() { state.uncovered(now, false) } else { None };
                let max_threads = self.max_threads(&state.source);
                let wakeups =
                    uncovered.and_then(|due| state.workers.wake_for(now, due, false, max_threads));
                drop(state);
                self.run_after_unlock(AfterUnlock::new(wakeups, notify_listeners, deferred));
                state = lock(&self.state);
                now = self.clock.now();
                continue;
            }
            match self.idle(state, worker_id, &condvar, now) {
                Some(resumed) => (state, may_take_work_next) = resumed,
                None => return,
            }
            now = self.clock.now();
        }
    }

    /// Waits, as the leader or as a follower. Returns whether to take work afterwards; `None`: the
    /// thread must exit.
    fn idle<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<S>>,
        worker_id: u64,
        condvar: &Arc<Condvar>,
        now: Nanos,
    ) -> Option<(MutexGuard<'a, PoolState<S>>, bool)> {
        thread_name::restore();
        if state.source.is_finished() {
            state.workers.wake_all();
            state.workers.live -= 1;
            return None;
        }
        let due = state.source.next_due();
        match (due, state.workers.leader.take()) {
            (Some(due), leader)
                if due > now && leader.as_ref().is_none_or(|old| due < old.until) =>
            {
                if let Some(Leader { id, condvar, .. }) = leader {
                    // It continues to wait, as a follower.
                    state.workers.notify_surplus(&condvar);
                    state.workers.idle.push(IdleWorker { id, condvar });
                }
                Some(self.lead(state, worker_id, condvar, due))
            }
            (due, leader) => {
                state.workers.leader = leader;
                self.follow(state, worker_id, condvar, due)
            }
        }
    }

    /// Waits until the next due time, or until it is notified.
    fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<S>>,
        worker_id: u64,
        condvar: &Arc<Condvar>,
        due: Nanos,
    ) -> (MutexGuard<'a, PoolState<S>>, bool) {
        // Time has passed since this worker last read the clock, and a timeout counts from now.
        let now = self.clock.now();
        state.workers.leader =
            Some(Leader { id: worker_id, condvar: Arc::clone(condvar), until: due });
        let mut target = due.saturating_sub(state.workers.wake_latency);
        if target <= now {
            // Too close for a timed wait to end in time. Being slightly late is better than
            // spinning for long.
            target = due.saturating_sub(MAX_SPIN);
        }
        let max_spin = state.workers.wake_latency.clamp(MIN_SPIN, MAX_SPIN);
        let mut woke_at = now;
        // With a tolerance, work may begin although it is not due yet; spinning would be a waste.
        if target > now && !state.source.is_due(now) {
            let timed_out;
            (state, timed_out) = wait(condvar, state, self.clock.real_wait(now, target));
            woke_at = self.clock.now();
            if timed_out {
                state.workers.learn_wake_latency(woke_at.saturating_sub(target));
            }
        }
        let left = due.saturating_sub(woke_at);
        let must_spin = left > 0 && left <= max_spin && !self.clock.is_virtual();
        if must_spin && !state.source.is_due(woke_at) {
            drop(state);
            while self.clock.now() < due {
                std::hint::spin_loop();
            }
            state = lock(&self.state);
        }
        let notified = state.workers.woke_up(worker_id);
        let may_take_work = !notified || state.workers.may_take_work();
        (state, may_take_work)
    }

    /// Waits until it is notified. A stand-by checks for due work when its timeout expires; a surplus
    /// worker exits.
    fn follow<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<S>>,
        worker_id: u64,
        condvar: &Arc<Condvar>,
        due: Option<Nanos>,
    ) -> Option<(MutexGuard<'a, PoolState<S>>, bool)> {
        let now = self.clock.now();
        // The leader waits for the next due time; the stand-by watches the one after it.
        let due = if state.workers.leader.is_some() { state.source.due_after_next() } else { due };
        let workers = &mut state.workers;
        let mut is_surplus = false;
        let stand_by = due
            .map(|due| due.saturating_add(STAND_BY_SLACK).max(now.saturating_add(MIN_STAND_BY)))
            .and_then(|until| {
                let timeout = self.clock.real_wait(now, until)?;
                workers.set_stand_by(StandBy { id: worker_id, until }).then_some(timeout)
            });
        let timeout = match stand_by {
            Some(timeout) => Some(timeout),
            None if workers.idle.len() >= MIN_IDLE => {
                is_surplus = true;
                let position = u32::try_from(workers.idle.len()).unwrap_or(u32::MAX);
                Some(IDLE_TIMEOUT + IDLE_STAGGER.saturating_mul(position))
            }
            None => None,
        };
        workers.idle.push(IdleWorker { id: worker_id, condvar: Arc::clone(condvar) });
        let timed_out;
        (state, timed_out) = wait(condvar, state, timeout);
        let notified = state.workers.woke_up(worker_id);
        let due = state.source.next_due();
        let workers = &mut state.workers;
        if is_surplus && timed_out && !notified && workers.idle.len() >= MIN_IDLE {
            workers.live -= 1;
            return None;
        }
        let may_take_work = if notified {
            workers.may_take_work()
        } else {
            !timed_out || workers.step_in_if_late(self.clock.now(), due)
        };
        Some((state, may_take_work))
    }
}
