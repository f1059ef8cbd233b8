//! The worker threads: a leader/followers pool (Schmidt, O'Ryan, Kircher, Pyarali, Buschmann: "Leader/
//! Followers", 2000).
//!
//! All workers are equal. One of them, the leader, sleeps until the earliest due time. When it wakes
//! up it does the work itself, so nothing is handed from a timer thread to a worker thread; but before
//! it starts, it makes sure that another worker waits for the next due time. The other workers, the
//! followers, are an idle stack: the one that became idle last is woken first, and those at the bottom
//! end after a while.
//!
//! # Why no due time is missed
//!
//! All state (due times, leader, idle workers) is guarded by one lock, and a wait releases that lock
//! atomically. So it is enough that every *holder of the lock* leaves the pool covered. Covered means
//! that one of these holds:
//!
//! * nothing will ever be due;
//! * a leader waits no longer than until the earliest due time;
//! * a worker is arriving: it was notified or is being spawned, and will look;
//! * the holder itself will look again, within a bound.
//!
//! `PoolState::cover` decides (`pool_state.rs`); `Workers::wake_for` chooses whom to wake (`workers.rs`). The
//! holders keep the pool covered:
//!
//! * [`Pool::with`], which every thread that is not a worker uses, ends with `cover`.
//! * A thread that releases the lock to write logs or to drop user values, either of which may block
//!   forever, covers the next due time first.
//! * A worker that is about to execute work ends with `cover` too. If the work is expected to be short
//!   and a stand-by looks a few milliseconds after the next due time at the latest, it wakes no one:
//!   the stand-by bounds the harm of a wrong prediction. While a leader waits for the next due time,
//!   the stand-by watches the one after it. If the due time it watches passed only recently, it leaves
//!   the work to the worker that is busy with it and keeps standing by. Otherwise it steps in, and no
//!   work is predicted to be short until a short run has been seen.
//! * A worker that becomes idle leads if something is due in the future and the present leader, if
//!   any, would wake up later.
//!
//! If a thread cannot be spawned, the next holder of the lock that covers after a second tries again:
//! a worker that finishes, a request to the runner, or a thread that waits for an answer. Not sooner,
//! because the system has no thread to give, and each failure is reported.
//!
//! A notified worker counts as arriving until it holds the lock, whether it was still asleep or was
//! just waking up by itself: what counts is that it was popped from the idle stack, not that its
//! condition variable was notified.

use std::sync::Arc;
use std::time::Duration;

use self::deferred::Deferred;
use self::pool_state::{AfterUnlock, PoolState};
use self::wait::Wait;
use self::work_source::WorkSource;
use self::workers::{Wakeups, Workers};
use crate::sys::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::sys::threads::ThreadConfig;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

#[cfg(feature = "exit-hook")]
pub(crate) mod active_worker;
pub(crate) mod deferred;
mod driven;
mod pool_state;
#[cfg(feature = "exit-hook")]
mod process_exit;
pub(crate) mod wait;
#[cfg(feature = "signals")]
mod without_blocking;
pub(crate) mod work_source;
mod worker;
mod workers;

#[cfg(test)]
mod fake_source;
#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// Worker threads that execute what a [`WorkSource`] names.
#[derive(Debug)]
pub(crate) struct Pool<S: WorkSource> {
    state: Mutex<PoolState<S>>,
    /// Notified when something changes that [`Pool::wait_for`] may wait for.
    changed: Condvar,
    clock: Clock,
    threads: ThreadConfig,
}

impl<S: WorkSource> Pool<S> {
    pub(crate) fn new(source: S, clock: Clock, mut threads: ThreadConfig) -> Arc<Self> {
        if clock.drives_runner() {
            threads.max_count = Some(0);
        }
        let state = PoolState { source, workers: Workers::default(), listening: 0 };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), clock, threads })
    }

    fn max_threads(&self, source: &S) -> usize {
        // One for each piece of work, and one that waits for the next due time.
        let enough = source.max_concurrency().saturating_add(1);
        match self.threads.max_count {
            // The clock drives the pool, with threads of its own.
            Some(0) => 0,
            Some(limit) if !source.ignores_thread_limit() => limit.min(enough),
            Some(_) | None => enough,
        }
    }

    /// Reads or changes the source, from a thread that is not a worker.
    pub(crate) fn with<T>(self: &Arc<Self>, action: impl FnOnce(&mut S, Nanos) -> T) -> T {
        self.act(lock(&self.state), action)
    }

    fn act<T>(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, PoolState<S>>,
        action: impl FnOnce(&mut S, Nanos) -> T,
    ) -> T {
        let now = self.clock.now();
        let result = action(&mut state.source, now);
        let max_threads = self.max_threads(&state.source);
        let after_unlock = state.cover(now, false, max_threads);
        drop(state);
        self.run_after_unlock(after_unlock);
        if let Some(clock) = self.clock.as_virtual() {
            clock.notify_change();
        }
        result
    }

    /// Waits until `condition` is ready.
    ///
    /// It is evaluated under the lock: first, after each change, and at the instant it names.
    pub(crate) fn wait_for<T>(
        self: &Arc<Self>,
        mut condition: impl FnMut(&mut S, Nanos) -> Wait<T>,
    ) -> T {
        let mut state = lock(&self.state);
        loop {
            // Read before the condition, so that no change in between is missed.
            let driver = self.clock.as_virtual();
            let driver = driver.and_then(|clock| Some((Arc::clone(clock), clock.changes()?)));
            let now = self.clock.now();
            let answer = condition(&mut state.source, now);
            let max_threads = self.max_threads(&state.source);
            let after_unlock = state.cover(now, false, max_threads);
            if after_unlock.is_some() {
                drop(state);
                self.run_after_unlock(after_unlock);
                match answer {
                    Wait::Ready(value) => return value,
                    Wait::Until(_) => {
                        state = lock(&self.state);
                        continue;
                    }
                }
            }
            match answer {
                Wait::Ready(value) => return value,
                Wait::Until(until) => {
                    let until = until.into_iter().chain(state.workers.spawn_retry_at(now)).min();
                    if let Some((clock, seen)) = driver {
                        drop(state);
                        clock.wait_for_change(until, seen);
                        state = lock(&self.state);
                        continue;
                    }
                    let timeout = until.and_then(|until| self.clock.real_wait(now, until));
                    state = self.listen(state, timeout);
                }
            }
        }
    }

    /// Waits for a change, at most `timeout`.
    fn listen<'a>(
        &self,
        mut state: MutexGuard<'a, PoolState<S>>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, PoolState<S>> {
        state.listening += 1;
        (state, _) = wait(&self.changed, state, timeout);
        state.listening -= 1;
        state
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        lock(&self.state).workers.live
    }

    /// Has every waiting thread look again: a manual clock was moved, or a signal arrived.
    pub(crate) fn wake_waiters(&self) {
        // Under the lock, so that a thread that is about to wait either sees the change or is woken.
        let state = lock(&self.state);
        if let Some(leader) = &state.workers.leader {
            leader.condvar.notify_one();
        } else if let Some(last) = state.workers.idle.last() {
            last.condvar.notify_one();
        }
        self.changed.notify_all();
    }

    /// Does what was decided under the lock and needs it released.
    #[inline]
    fn run_after_unlock(self: &Arc<Self>, after_unlock: Option<Box<AfterUnlock>>) {
        if let Some(after_unlock) = after_unlock {
            self.run_boxed(*after_unlock);
        }
    }

    fn run_boxed(self: &Arc<Self>, after_unlock: AfterUnlock) {
        let AfterUnlock { wakeups, notify_listeners, deferred } = after_unlock;
        if notify_listeners {
            self.changed.notify_all();
        }
        if let Some(wakeups) = wakeups {
            self.wake_workers(wakeups);
        }
        self.flush(deferred);
    }

    /// Notifies workers and spawns threads. `false`: not all of the threads could be spawned.
    fn notify_and_spawn(self: &Arc<Self>, Wakeups { notify, spawn }: Wakeups) -> bool {
        for condvar in notify.into_iter().flatten() {
            condvar.notify_one();
        }
        // Try all of them: they are counted as arriving.
        (0..spawn).filter(|_| !self.spawn_worker()).count() == 0
    }

    fn wake_workers(self: &Arc<Self>, wakeups: Wakeups) {
        if !self.notify_and_spawn(wakeups) {
            // Another thread may have relied on those that do not arrive. Existing workers can be
            // notified instead; with the present number as the limit, no thread is spawned.
            let mut state = lock(&self.state);
            let (now, live) = (self.clock.now(), state.workers.live);
            let after_unlock = state.cover(now, false, live);
            drop(state);
            self.run_after_unlock(after_unlock);
        }
    }

    /// Executes deferred effects. Effects that are deferred in the meantime are left to another worker:
    /// this thread may have work to do, or be a caller that wants its answer, and there may be no end
    /// of them.
    fn flush(self: &Arc<Self>, mut deferred: Option<Box<Deferred>>) {
        while let Some(taken) = deferred {
            let mut state = self.flush_once(*taken);
            if !state.source.deferred().is_pending() {
                return;
            }
            let (now, max_threads) = (self.clock.now(), self.max_threads(&state.source));
            if let Some(wakeups) = state.workers.wake_any(now, max_threads) {
                drop(state);
                return self.wake_workers(wakeups);
            }
            // There is no other thread.
            deferred = state.source.deferred_mut().take();
        }
    }

    fn flush_once(&self, deferred: Deferred) -> MutexGuard<'_, PoolState<S>> {
        let had_log = deferred.has_log();
        deferred.flush();
        let mut state = lock(&self.state);
        state.source.deferred_mut().flushed(had_log);
        if state.listening > 0 && state.source.deferred().is_log_written() {
            self.changed.notify_all();
        }
        state
    }

    /// Waits until every log line has been written, at most `limit`: a log may block.
    pub(crate) fn wait_for_log(&self, limit: Duration) {
        // In real time, whatever the clock: a log is written by real threads.
        let clock = Clock::system();
        let until = clock.now().saturating_add(nanos(limit));
        let mut state = lock(&self.state);
        while !state.source.deferred().is_log_written() {
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                break;
            }
            state = self.listen(state, Some(Duration::from_nanos(left)));
        }
    }

    /// Spawns a worker that is already counted. On failure it is no longer counted.
    fn spawn_worker(self: &Arc<Self>) -> bool {
        let worker = {
            let mut state = lock(&self.state);
            state.workers.spawned += 1;
            state.workers.spawned
        };
        let pool = Arc::clone(self);
        let name = format!("{}-{worker}", self.threads.name_prefix);
        let body = Box::new(move || pool.run_worker(worker));
        let Err(error) = (self.threads.start)(name, self.threads.stack_size, body) else {
            return true;
        };
        let mut state = lock(&self.state);
        let now = self.clock.now();
        state.workers.spawn_failed(now);
        state.source.spawn_failed(&error);
        false
    }
}
