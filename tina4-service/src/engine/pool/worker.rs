//! A worker's life: work, rest, lead, follow, leave.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "exit-hook")]
use super::active_worker::ActiveWorker;
use super::workers::{AfterUnlock, Leader, MIN_IDLE, PoolState, Resting, SLACK, StandBy};
use super::{Pool, Timing, WorkSource};
use crate::sys::fork;
use crate::sys::sync::{Condvar, MutexGuard, lock, try_lock, wait};
use tina4_service_core::Nanos;

/// The leader spins no longer than this.
const MOST_SPIN: Nanos = 80_000;
/// And always when as little is left: no sleep is as short.
const LEAST_SPIN: Nanos = 3_000;
/// A stand-by waits at least for so long.
const LEAST_SLACK: Nanos = 1_000_000;
/// How long the others rest before they leave.
const REST: Duration = Duration::from_secs(5);
/// Not all at once: each waits this much longer than the one below it.
const STAGGER: Duration = Duration::from_millis(20);

impl<D: WorkSource> Pool<D> {
    /// A worker's life.
    pub(super) fn work(self: &Arc<Self>, worker: u64) {
        let condvar = Arc::new(Condvar::new());
        let process = fork::generation();
        #[cfg(feature = "exit-hook")]
        let working = ActiveWorker::here();
        let mut state = lock(&self.state);
        #[cfg(feature = "exit-hook")]
        state.workers.add_working(&working);
        state.workers.arriving -= 1;
        let mut looks = state.workers.is_called_to_work();
        let mut now = self.clock.now();
        // What is to be done right after the job that was just done.
        let mut following = None;
        loop {
            let looks_now = std::mem::replace(&mut looks, true);
            let mut id = following.take();
            if id.is_none() && looks_now && !state.source.has_deferred() {
                id = state.source.take(now);
            }
            let most = self.most(&state.source);
            if let Some(id) = id {
                let trusted = state.workers.trusts(state.source.usual(&id));
                let item = state.source.item(id);
                let after_unlock = state.cover(now, trusted && !self.clock.is_virtual(), most);
                drop(state);
                let mut began = now;
                if after_unlock.is_some() {
                    self.run_after_unlock(after_unlock);
                    // To start a thread takes longer than many a job, and is no part of it.
                    began = self.clock.now();
                }
                #[cfg(feature = "exit-hook")]
                working.begin(D::subject(&item));
                let report = D::work(&item);
                if fork::generation() != process {
                    // The job has returned in a child that it has forked. The services are the
                    // parent's; the only thread of the child ends, and with it the child.
                    return;
                }
                let ended;
                // What is done under the lock is done at a time that is read under it: one that was
                // read before may have passed meanwhile, and with it what is waited for.
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
                state.workers.count_finished(ended.saturating_sub(began));
                let back = Timing { began, ended, now, may_repeat: true };
                following = state.source.finish(item, report, back);
                continue;
            }
            // What was done without a job may still have left something to do outside.
            let (ring_news, deferred) = state.leftovers();
            if ring_news || deferred.is_some() {
                // A log may block for ever: somebody else waits for what is due meanwhile.
                let uncovered = if deferred.is_some() { state.uncovered(now, false) } else { None };
                let calls = uncovered.and_then(|due| state.workers.send_for(now, due, false, most));
                drop(state);
                self.run_after_unlock(AfterUnlock::new(calls, ring_news, deferred));
                state = lock(&self.state);
                now = self.clock.now();
                continue;
            }
            match self.rest(state, worker, &condvar, now) {
                Some(rested) => (state, looks) = rested,
                None => return,
            }
            now = self.clock.now();
        }
    }

    /// Rests, as the leader or as a follower, and says whether it is to look for work then; `None`:
    /// this worker leaves.
    fn rest<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<D>>,
        worker: u64,
        condvar: &Arc<Condvar>,
        now: Nanos,
    ) -> Option<(MutexGuard<'a, PoolState<D>>, bool)> {
        if state.source.is_over() {
            state.workers.dismiss();
            state.workers.live -= 1;
            return None;
        }
        let due = state.source.next_due();
        match (due, state.workers.leader.take()) {
            (Some(due), leader)
                if due > now && leader.as_ref().is_none_or(|old| due < old.until) =>
            {
                if let Some(Leader { worker, condvar, .. }) = leader {
                    // It goes on waiting for its time, as a follower.
                    state.workers.let_go(&condvar);
                    state.workers.resting.push(Resting { worker, condvar });
                }
                Some(self.lead(state, worker, condvar, due))
            }
            (due, leader) => {
                state.workers.leader = leader;
                self.follow(state, worker, condvar, due)
            }
        }
    }

    /// Waits for the next due time, or to be rung.
    fn lead<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<D>>,
        worker: u64,
        condvar: &Arc<Condvar>,
        due: Nanos,
    ) -> (MutexGuard<'a, PoolState<D>>, bool) {
        // Much may have been done since this worker last looked, and a wait counts from now.
        let now = self.clock.now();
        state.workers.leader = Some(Leader { worker, condvar: Arc::clone(condvar), until: due });
        let mut target = due.saturating_sub(state.workers.early);
        if target <= now {
            // Too near for a sleep that ends in time: it ends too late rather than spin for long.
            target = due.saturating_sub(MOST_SPIN);
        }
        let most_spin = state.workers.early.clamp(LEAST_SPIN, MOST_SPIN);
        let mut woken = now;
        if target > now {
            let timed_out;
            (state, timed_out) = wait(condvar, state, self.clock.real_wait(now, target));
            woken = self.clock.now();
            if timed_out {
                state.workers.learn(woken.saturating_sub(target));
            }
        }
        let left = due.saturating_sub(woken);
        if left > 0 && left <= most_spin && !self.clock.is_virtual() {
            drop(state);
            while self.clock.now() < due {
                std::hint::spin_loop();
            }
            state = lock(&self.state);
        }
        let notified = state.workers.stand_down(worker);
        let looks = !notified || state.workers.is_called_to_work();
        (state, looks)
    }

    /// Waits to be called; alone looks after a while whether to stand by on, or to leave.
    fn follow<'a>(
        &'a self,
        mut state: MutexGuard<'a, PoolState<D>>,
        worker: u64,
        condvar: &Arc<Condvar>,
        due: Option<Nanos>,
    ) -> Option<(MutexGuard<'a, PoolState<D>>, bool)> {
        let now = self.clock.now();
        // What the leader waits for is not left to the stand-by, but what comes after it.
        let due = if state.workers.leader.is_some() { state.source.due_after_next() } else { due };
        let workers = &mut state.workers;
        let mut leaving = false;
        let until = due
            .map(|due| due.saturating_add(SLACK).max(now.saturating_add(LEAST_SLACK)))
            .filter(|until| {
                !self.clock.is_virtual() && workers.stand_by(StandBy { worker, until: *until })
            });
        let timeout = match until {
            Some(until) => Some(Duration::from_nanos(until - now)),
            None if workers.resting.len() >= MIN_IDLE => {
                leaving = true;
                let place = u32::try_from(workers.resting.len()).unwrap_or(u32::MAX);
                Some(REST + STAGGER.saturating_mul(place))
            }
            None => None,
        };
        workers.resting.push(Resting { worker, condvar: Arc::clone(condvar) });
        let timed_out;
        (state, timed_out) = wait(condvar, state, timeout);
        let notified = state.workers.stand_down(worker);
        let due = state.source.next_due();
        let workers = &mut state.workers;
        if leaving && timed_out && !notified && workers.resting.len() >= MIN_IDLE {
            workers.live -= 1;
            return None;
        }
        let looks = if notified {
            workers.is_called_to_work()
        } else {
            !timed_out || workers.needs_stand_by(self.clock.now(), due)
        };
        Some((state, looks))
    }
}
