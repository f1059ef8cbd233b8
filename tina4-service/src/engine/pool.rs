//! The worker threads: a leader/followers pool (Schmidt, O'Ryan, Kircher, Pyarali, Buschmann:
//! "Leader/Followers", 2000).
//!
//! All workers are equal. One of them, the leader, sleeps until the earliest due time. When it wakes
//! up it does the work itself, so nothing is handed from a timer thread to a worker thread; but before
//! it starts, it makes sure that another worker waits for the next due time. The other workers, the
//! followers, are on a stack of idle workers: the one that became idle last is woken first, and all
//! but a few exit after they have been idle for a while.
//!
//! # Why no due time is missed
//!
//! All state (due times, leader, idle workers) is guarded by one lock, and a wait releases that lock
//! atomically. So it is enough that every *holder of the lock* leaves the pool covered. Covered means
//! that one of these holds:
//!
//! * there is no due time;
//! * a leader waits no longer than until the earliest due time;
//! * a worker is arriving: it was popped from the stack of idle workers or is being spawned, and
//!   will check for due work;
//! * the holder itself will check for due work again within a bounded time.
//!
//! With a tolerance, a due time here is the instant by which its work must begin. The source may give out
//! the work before that to a worker that is awake anyway, so that due times close together share one
//! wake-up. This needs no cover: if no worker takes the work early, the due time is still covered; if
//! one does, the next due time is no earlier, so a leader that waits for the first one is early
//! enough for the next.
//!
//! `PoolState::cover` decides whether the pool is covered (`pool_state.rs`); `Workers::wake_for`
//! chooses which workers to wake (`workers.rs`). The holders keep the pool covered as follows:
//!
//! * [`Pool::with`], its variants and [`Pool::wait_for`], which all code outside the worker loop uses,
//!   cover the next due time before they release the lock.
//! * A thread that releases the lock to write logs or to drop user values, either of which may block
//!   forever, covers the next due time first.
//! * A worker that is about to execute work calls `cover` too. If the work is expected to be short and
//!   a stand-by (an idle worker with a timeout) checks at most a few milliseconds after the next due
//!   time, it wakes no one: the stand-by bounds the harm of a wrong prediction. While a leader waits
//!   for the next due time, the stand-by watches the one after it. If a due time passed only recently,
//!   the stand-by assumes that another worker is handling it and continues to stand by. If it passed
//!   longer ago and no leader waits, the stand-by takes over the due work, and from then on all work
//!   is predicted to be long until a short run has been observed.
//! * A worker that becomes idle leads if something is due in the future and the current leader, if
//!   any, would wake up later.
//!
//! If a thread cannot be spawned, spawning is tried again after one second (if there is no worker at
//! all: immediately), by the next holder of the lock that calls `cover`: a worker that finishes, a
//! request to the runner, or a thread that waits for an answer. While there is a worker, it is not
//! tried sooner, because the attempt would most likely fail again, and each failure is reported.
//!
//! A worker that was popped from the stack of idle workers counts as arriving until it holds the lock,
//! even if it was just waking up because its timeout expired. A notified leader is not counted as
//! arriving: it covers the next due time as the leader.

use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "tokio")]
use self::async_listeners::AsyncListeners;
use self::deferred::Deferred;
use self::poll::Poll;
use self::pool_state::{AfterUnlock, PoolState};
use self::stall::LockWatch;
use self::work_source::WorkSource;
use self::workers::{Wakeups, Workers};
#[cfg(feature = "tokio")]
use crate::service::ended_runs::EndedRuns;
use crate::sys::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::sys::threads::ThreadConfig;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

#[cfg(feature = "tokio")]
mod async_listeners;
#[cfg(feature = "tokio")]
mod async_wait;
pub(crate) mod deferred;
mod driven;
mod liveness;
pub(crate) mod poll;
mod pool_state;
#[cfg(feature = "exit-hook")]
pub(crate) mod process_exit;
mod stall;
mod standstill;
#[cfg(any(feature = "queue", feature = "signals", feature = "tokio"))]
mod without_blocking;
pub(crate) mod work_source;
mod worker;
#[cfg(feature = "exit-hook")]
pub(crate) mod worker_record;
mod workers;

#[cfg(test)]
mod fake_source;
#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// Worker threads that execute the work of a [`WorkSource`].
#[derive(Debug)]
pub(crate) struct Pool<S: WorkSource> {
    state: Mutex<PoolState<S>>,
    lock_watch: LockWatch,
    /// Notified when something changes that [`Pool::wait_for`] may wait for.
    changed: Condvar,
    /// The tasks that wait in `Pool::wait_for_async`.
    #[cfg(feature = "tokio")]
    async_listeners: AsyncListeners,
    #[cfg(feature = "tokio")]
    pub(in crate::engine) ended_runs: EndedRuns,
    /// Set once the process is ending: see `process_exit.rs`.
    #[cfg(feature = "exit-hook")]
    process_is_ending: std::sync::atomic::AtomicBool,
    /// Whether the end of the process stops the services.
    #[cfg(feature = "exit-hook")]
    is_stopped_at_exit: std::sync::atomic::AtomicBool,
    clock: Clock,
    thread_config: ThreadConfig,
}

impl<S: WorkSource> Pool<S> {
    pub(crate) fn new(source: S, clock: Clock, mut thread_config: ThreadConfig) -> Arc<Self> {
        if clock.drives_runner() {
            // 0 means that the clock executes the work on its own threads.
            thread_config.max_count = Some(0);
        }
        let state = PoolState { source, workers: Workers::default(), listeners: 0, stall: None };
        Arc::new(Self {
            state: Mutex::new(state),
            lock_watch: LockWatch::default(),
            changed: Condvar::new(),
            #[cfg(feature = "tokio")]
            async_listeners: AsyncListeners::default(),
            #[cfg(feature = "tokio")]
            ended_runs: EndedRuns::default(),
            #[cfg(feature = "exit-hook")]
            process_is_ending: std::sync::atomic::AtomicBool::new(false),
            #[cfg(feature = "exit-hook")]
            is_stopped_at_exit: std::sync::atomic::AtomicBool::new(false),
            clock,
            thread_config,
        })
    }

    fn max_threads(&self, source: &S) -> usize {
        // One for each piece of work, and one that waits for the next due time.
        let enough = source.max_concurrency().saturating_add(1);
        match self.thread_config.max_count {
            // The clock executes the work on its own threads.
            Some(0) => 0,
            Some(limit) if !source.ignores_thread_limit() => limit.min(enough),
            Some(_) | None => enough,
        }
    }

    /// Reads or changes the source, from outside the worker loop.
    pub(crate) fn with<T>(self: &Arc<Self>, action: impl FnOnce(&mut S, Nanos) -> T) -> T {
        self.with_guard(self.lock_from_outside(), action)
    }

    /// Locks the state for a thread of the program.
    fn lock_from_outside(&self) -> MutexGuard<'_, PoolState<S>> {
        #[cfg(feature = "exit-hook")]
        self.give_way();
        lock(&self.state)
    }

    fn with_guard<T>(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, PoolState<S>>,
        action: impl FnOnce(&mut S, Nanos) -> T,
    ) -> T {
        let now = self.clock.now();
        let result = action(&mut state.source, now);
        let after_unlock = state.cover(now, false, |source| self.max_threads(source));
        drop(state);
        self.run_after_unlock(after_unlock);
        if let Some(clock) = self.clock.as_virtual() {
            clock.notify_change();
        }
        result
    }

    /// Waits until `condition` is ready.
    ///
    /// The condition is evaluated under the lock: immediately, after each change, and at the instant
    /// that it returned.
    pub(crate) fn wait_for<T>(
        self: &Arc<Self>,
        mut condition: impl FnMut(&mut S, Nanos) -> Poll<T>,
    ) -> T {
        let mut state = self.lock_from_outside();
        loop {
            // Read before the condition, so that no change in between is missed.
            let driver = self.clock.as_virtual();
            let driver = driver.and_then(|clock| Some((Arc::clone(clock), clock.changes()?)));
            let now = self.clock.now();
            let answer = condition(&mut state.source, now);
            let after_unlock = state.cover(now, false, |source| self.max_threads(source));
            if after_unlock.is_some() {
                drop(state);
                self.run_after_unlock(after_unlock);
                // The condition may have changed something itself.
                if let Some((clock, _)) = &driver {
                    clock.notify_change();
                }
                match answer {
                    Poll::Ready(value) => return value,
                    Poll::Pending(_) => {
                        state = lock(&self.state);
                        continue;
                    }
                }
            }
            match answer {
                Poll::Ready(value) => return value,
                Poll::Pending(until) => {
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

    /// Waits for a change, for at most `timeout`.
    fn listen<'a>(
        &self,
        mut state: MutexGuard<'a, PoolState<S>>,
        timeout: Option<Duration>,
    ) -> MutexGuard<'a, PoolState<S>> {
        state.listeners += 1;
        (state, _) = wait(&self.changed, state, timeout);
        state.listeners -= 1;
        state
    }

    /// The number of worker threads.
    pub(crate) fn thread_count(&self) -> usize {
        lock(&self.state).workers.live
    }

    /// Makes the leader (or one idle worker) and all threads in [`Pool::wait_for`] check again, because
    /// a manual clock was advanced or a signal arrived.
    pub(crate) fn wake_waiters(&self) {
        // Under the lock, so that a thread that is about to wait either sees the change or is woken. A task
        // registers under the lock as well, but is woken without it, because a waker may be user code.
        let state = lock(&self.state);
        if let Some(leader) = &state.workers.leader {
            leader.condvar.notify_one();
        } else if let Some(last) = state.workers.idle.last() {
            last.condvar.notify_one();
        }
        self.changed.notify_all();
        drop(state);
        #[cfg(feature = "tokio")]
        self.async_listeners.wake();
    }

    /// Carries out what was decided under the lock but must be done without it.
    #[inline]
    fn run_after_unlock(self: &Arc<Self>, after_unlock: Option<Box<AfterUnlock>>) {
        if let Some(after_unlock) = after_unlock {
            self.run_actions(*after_unlock);
        }
    }

    fn run_actions(self: &Arc<Self>, after_unlock: AfterUnlock) {
        let AfterUnlock { wakeups, notify_listeners, deferred } = after_unlock;
        #[cfg(feature = "tokio")]
        let deferred = deferred.map(Deferred::call_first);
        if notify_listeners {
            self.notify_listeners();
        }
        if let Some(wakeups) = wakeups {
            self.wake_workers(wakeups);
        }
        self.flush(deferred);
    }

    /// Makes the threads and tasks that wait for a change check again.
    fn notify_listeners(&self) {
        self.changed.notify_all();
        #[cfg(feature = "tokio")]
        self.async_listeners.wake();
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
            // Another thread may have relied on the workers that could not be spawned. Existing workers
            // can be notified instead; with the current number as the limit, no thread is spawned.
            let mut state = lock(&self.state);
            let (now, live) = (self.clock.now(), state.workers.live);
            let after_unlock = state.cover(now, false, |_| live);
            drop(state);
            self.run_after_unlock(after_unlock);
        }
    }

    /// Executes deferred effects. Effects that are deferred while it does so are handed to another
    /// worker: this thread may have other work or be a caller that waits for an answer, and new effects
    /// might keep arriving.
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
            // No other thread can do it.
            deferred = state.source.deferred_mut().take();
        }
    }

    fn flush_once(&self, deferred: Deferred) -> MutexGuard<'_, PoolState<S>> {
        let had_log = deferred.has_log();
        deferred.flush();
        let mut state = lock(&self.state);
        state.source.deferred_mut().flushed(had_log);
        if state.listeners > 0 && state.source.deferred().is_log_written() {
            self.notify_listeners();
        }
        state
    }

    /// Waits until every log line has been written, for at most `timeout`, because a log may block.
    pub(crate) fn wait_for_log(&self, timeout: Duration) {
        // In real time even under a virtual clock, because the log is written by real threads.
        let clock = Clock::system();
        let until = clock.now().saturating_add(nanos(timeout));
        let mut state = lock(&self.state);
        while !state.source.deferred().is_log_written() {
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                break;
            }
            state = self.listen(state, Some(Duration::from_nanos(left)));
        }
    }

    /// Spawns a worker that is already counted. If that fails, the worker is no longer counted.
    fn spawn_worker(self: &Arc<Self>) -> bool {
        let worker_id = {
            let mut state = lock(&self.state);
            state.workers.spawned += 1;
            state.workers.spawned
        };
        let pool = Arc::clone(self);
        let name = format!("{}-{worker_id}", self.thread_config.name_prefix);
        let body = Box::new(move || pool.run_worker(worker_id));
        let Err(error) = (self.thread_config.start)(name, self.thread_config.stack_size, body)
        else {
            return true;
        };
        let mut state = lock(&self.state);
        let now = self.clock.now();
        state.workers.spawn_failed(now);
        state.source.spawn_failed(&error);
        false
    }
}
