//! The only threads: a leader/followers pool (Schmidt, O'Ryan, Kircher, Pyarali, Buschmann: "Leader/
//! Followers", 2000).
//!
//! All workers are equal. One of them, the leader, sleeps until the earliest due time. When it
//! wakes it does the work itself, so nothing is handed from a timer thread to a worker thread; but
//! before it does, it makes sure that somebody else waits for the next due time. The others, the
//! followers, wait in a stack: the one that rested last is woken first, and those at the bottom
//! leave after a while.
//!
//! # Why no due time is missed
//!
//! Everything (due times, who leads, who rests) is under one lock, and every wait releases that
//! lock in the same step in which it begins to listen. So it suffices that each *holder of the
//! lock* leaves behind a covered pool. Covered means: nothing is due ever, or a leader waits no
//! longer than until the earliest due time, or somebody is on the way (woken or being started, and
//! will look), or the holder itself will come back and look, by a bound:
//!
//! * [`Pool::with`], which everybody who is not a worker goes through, ends with `cover`;
//! * whoever leaves the lock to write logs or to drop the user's values, which may block for ever,
//!   covers what is due first;
//! * a worker that is about to do work ends with `cover` too. Only where the work is trusted to be
//!   short, and a stand-by looks a few milliseconds after the next due time at the latest, it does
//!   not wake anyone: the stand-by bounds the harm if the trust was wrong this once. While a leader
//!   waits for the next due time, the stand-by waits for the one after it. If what is due when its
//!   time comes has not been due for long, it leaves that to who is at it, and goes on standing by;
//!   if it has, it does that, and nobody is trusted until a job was short again;
//! * a worker that is about to rest leads if there is something to wait for and the present leader,
//!   if any, would wake later.
//!
//! If a thread cannot be started, whoever covers a second later tries again: the first worker that
//! comes back, anybody who asks the runner for anything, or who waits for an answer. Not sooner, for
//! the system has no thread to give, and each failure is told.
//!
//! A wake-up that was sent counts as "on the way" until its receiver holds the lock, whether the
//! receiver was still asleep or was just waking by itself: being woken is being taken out of the
//! stack, not the ringing of the bell.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use self::workers::{AfterUnlock, PoolState, Wakeups, Workers};
use crate::sys::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::sys::threads::ThreadConfig;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

#[cfg(feature = "exit-hook")]
mod active_worker;
mod driven;
#[cfg(feature = "signals")]
mod without_blocking;
mod worker;
mod workers;

#[cfg(test)]
mod fake_source;
#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;

/// What the pool works for: knows what is due, and what to do about it.
pub(crate) trait WorkSource: Send + 'static {
    /// Which job is to be done.
    type WorkId;
    /// What it takes to do it outside of the lock. It is dropped under the lock, so nothing of the
    /// user's is in it.
    type WorkItem: Send;
    /// What came of it; the same holds.
    type Completion;
    /// What is left to do once the lock is released: logs to write, sleepers to wake.
    type Deferred;

    /// The earliest instant at which [`WorkSource::take`] has something to do.
    fn next_due(&mut self) -> Option<Nanos>;
    /// The one after that, or an instant before it.
    fn due_after_next(&self) -> Option<Nanos>;
    /// Does what is due by itself, up to the first job for a worker, or to the first aftermath: no
    /// job waits for somebody else's log to be written.
    fn take(&mut self, now: Nanos) -> Option<Self::WorkId>;
    /// Takes a job back, with the report of it; there may be a job to be done right after it.
    fn finish(
        &mut self,
        item: Self::WorkItem,
        report: Self::Completion,
        back: Timing,
    ) -> Option<Self::WorkId>;
    /// Gives a job out, under the lock under which it was named.
    fn item(&mut self, id: Self::WorkId) -> Self::WorkItem;
    /// Does a job, where it is: a processor is slow to move what was just put together. Never panics.
    fn work(item: &Self::WorkItem) -> Self::Completion;
    /// A number for what the job is about.
    #[cfg(feature = "exit-hook")]
    fn subject(item: &Self::WorkItem) -> u32;
    /// How long this job takes of late; `None`: too new to say.
    fn usual(&self, id: &Self::WorkId) -> Option<Nanos>;
    /// Whether threads are started beyond the limit that the user has set.
    fn is_unlimited(&self) -> bool;
    /// Whether this job is what is planned, and not what follows from it.
    fn is_run(_: &Self::WorkId) -> bool {
        true
    }
    /// How many jobs there can be at one time.
    fn max_work(&self) -> usize;
    /// Whether nothing will ever be due again unless somebody from outside says so.
    fn is_over(&mut self) -> bool;
    /// Whether something is to be done once the lock is released.
    fn has_deferred(&self) -> bool;
    /// Takes the part of it that wakes sleepers: they wake when it is dropped, which never blocks.
    #[cfg(feature = "signals")]
    fn take_wakes(&mut self) -> impl Sized + use<Self>;
    /// Takes it. What must be done in order is not given out again before [`WorkSource::flushed`].
    fn deferred(&mut self) -> Option<Self::Deferred>;
    /// Does it. Never panics.
    fn flush(deferred: Self::Deferred);
    /// What was taken has been done.
    fn flushed(&mut self, ordered: bool);
    /// Whether it had a part that must be done in order.
    fn is_ordered(deferred: &Self::Deferred) -> bool;
    /// Whether nothing is left to be done in order, and nothing is being done.
    fn is_flushed(&self) -> bool;
    /// Whether something happened, since last asked, that somebody may be waiting for.
    fn take_news(&mut self) -> bool;
    /// A thread could not be started.
    fn thread_failed(&mut self, error: &io::Error);
}

/// A worker comes back from a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timing {
    /// When the job began: after what the worker did for others first, such as to start a thread.
    pub(crate) began: Nanos,
    /// When the job was over: to wait for the lock is no part of it.
    pub(crate) ended: Nanos,
    /// When the worker had the lock; the same, if nobody held it.
    pub(crate) now: Nanos,
    /// Whether the job that is to be done next may be the same one anew.
    pub(crate) may_repeat: bool,
}

#[derive(Debug)]
pub(crate) struct Pool<D: WorkSource> {
    state: Mutex<PoolState<D>>,
    /// Rung for those who wait for news.
    news: Condvar,
    clock: Clock,
    threads: ThreadConfig,
}

impl<D: WorkSource> Pool<D> {
    pub(crate) fn new(source: D, clock: Clock, mut threads: ThreadConfig) -> Arc<Self> {
        if clock.drives() {
            threads.most = Some(0);
        }
        let state = PoolState { source, workers: Workers::default(), listeners: 0 };
        Arc::new(Self { state: Mutex::new(state), news: Condvar::new(), clock, threads })
    }

    fn most(&self, source: &D) -> usize {
        // One for each job, and one that waits for the next due time.
        let enough = source.max_work().saturating_add(1);
        match self.threads.most {
            // The clock drives the pool with threads of its own.
            Some(0) => 0,
            Some(most) if !source.is_unlimited() => most.min(enough),
            Some(_) | None => enough,
        }
    }

    /// Lets somebody who is not a worker see or change the desk.
    pub(crate) fn with<T>(self: &Arc<Self>, action: impl FnOnce(&mut D, Nanos) -> T) -> T {
        self.act(lock(&self.state), action)
    }

    fn act<T>(
        self: &Arc<Self>,
        mut state: MutexGuard<'_, PoolState<D>>,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> T {
        let now = self.clock.now();
        let result = action(&mut state.source, now);
        let most = self.most(&state.source);
        let after_unlock = state.cover(now, false, most);
        drop(state);
        self.run_after_unlock(after_unlock);
        if let Some(clock) = self.clock.as_virtual() {
            clock.notify_change();
        }
        result
    }

    /// Waits until `ready` returns something, at most until the instant it asks for.
    ///
    /// `ready` is called under the lock, at first, whenever there is news, and when the time it
    /// asked for has come.
    pub(crate) fn wait_for<T>(
        self: &Arc<Self>,
        mut ready: impl FnMut(&mut D, Nanos) -> Result<T, Option<Nanos>>,
    ) -> T {
        let mut state = lock(&self.state);
        loop {
            // Counted before `ready` looks, so that no change in between is missed.
            let driver = self.clock.as_virtual();
            let driver = driver.and_then(|clock| Some((Arc::clone(clock), clock.changes()?)));
            let now = self.clock.now();
            let result = ready(&mut state.source, now);
            let most = self.most(&state.source);
            let after_unlock = state.cover(now, false, most);
            if after_unlock.is_some() {
                drop(state);
                self.run_after_unlock(after_unlock);
                match result {
                    Ok(value) => return value,
                    Err(_) => {
                        state = lock(&self.state);
                        continue;
                    }
                }
            }
            match result {
                Ok(value) => return value,
                Err(until) => {
                    let until = until.into_iter().chain(state.workers.spawn_retry_at(now)).min();
                    if let Some((clock, seen)) = driver {
                        drop(state);
                        clock.wait_for_change(until, seen);
                        state = lock(&self.state);
                        continue;
                    }
                    state.listeners += 1;
                    let timeout = until.and_then(|until| self.clock.real_wait(now, until));
                    (state, _) = wait(&self.news, state, timeout);
                    state.listeners -= 1;
                }
            }
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        lock(&self.state).workers.live
    }

    /// Everybody who waits looks again: a manual clock was moved, a signal came.
    pub(crate) fn look_again(&self) {
        // Under the lock, so that who is about to wait either sees the change or is woken.
        let state = lock(&self.state);
        if let Some(leader) = &state.workers.leader {
            leader.condvar.notify_one();
        } else if let Some(last) = state.workers.resting.last() {
            last.condvar.notify_one();
        }
        self.news.notify_all();
    }

    /// Does what was decided under the lock.
    #[inline]
    fn run_after_unlock(self: &Arc<Self>, after_unlock: Option<Box<AfterUnlock<D::Deferred>>>) {
        if let Some(after_unlock) = after_unlock {
            self.run_boxed(*after_unlock);
        }
    }

    fn run_boxed(self: &Arc<Self>, after_unlock: AfterUnlock<D::Deferred>) {
        let AfterUnlock { calls, ring_news, deferred } = after_unlock;
        if ring_news {
            self.news.notify_all();
        }
        if let Some(calls) = calls {
            self.call(calls);
        }
        self.flush(deferred);
    }

    /// Notifies workers, and spawns some. `false`: not all of those could be started.
    fn notify_and_spawn(self: &Arc<Self>, Wakeups { notify, spawn }: Wakeups) -> bool {
        for condvar in notify.into_iter().flatten() {
            condvar.notify_one();
        }
        // All of them are tried: they are counted as on the way.
        (0..spawn).filter(|_| !self.spawn_worker()).count() == 0
    }

    /// Rings for workers, and starts some.
    fn call(self: &Arc<Self>, calls: Wakeups) {
        if !self.notify_and_spawn(calls) {
            // Somebody may have relied on those who do not come. Others can be called; with no more
            // than the present threads, nobody is hired.
            let mut state = lock(&self.state);
            let (now, live) = (self.clock.now(), state.workers.live);
            let after_unlock = state.cover(now, false, live);
            drop(state);
            self.run_after_unlock(after_unlock);
        }
    }

    /// Does what is to be done outside of the lock. What came up meanwhile was left to who is at it,
    /// and is left to another worker in turn: who is here may have a job in hand, or be a caller who
    /// wants an answer, and more may come up for ever.
    fn flush(self: &Arc<Self>, mut deferred: Option<D::Deferred>) {
        while let Some(taken) = deferred {
            let mut state = self.flush_once(taken);
            if !state.source.has_deferred() {
                return;
            }
            let (now, most) = (self.clock.now(), self.most(&state.source));
            if let Some(calls) = state.workers.send_anybody(now, most) {
                drop(state);
                return self.call(calls);
            }
            // There is nobody else.
            deferred = state.source.deferred();
        }
    }

    fn flush_once(&self, taken: D::Deferred) -> MutexGuard<'_, PoolState<D>> {
        let ordered = D::is_ordered(&taken);
        D::flush(taken);
        let mut state = lock(&self.state);
        state.source.flushed(ordered);
        if state.listeners > 0 && state.source.is_flushed() {
            self.news.notify_all();
        }
        state
    }

    /// Waits until all that must be done in order is done, but not for ever: a log may block.
    pub(crate) fn wait_until_flushed(&self, limit: Duration) {
        // In real time, whatever the clock: a log is written by real threads.
        let clock = Clock::system();
        let until = clock.now().saturating_add(nanos(limit));
        let mut state = lock(&self.state);
        while !state.source.is_flushed() {
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                break;
            }
            state.listeners += 1;
            (state, _) = wait(&self.news, state, Some(Duration::from_nanos(left)));
            state.listeners -= 1;
        }
    }

    /// Starts a worker that was already counted. If that fails it is taken off the count.
    fn spawn_worker(self: &Arc<Self>) -> bool {
        let worker = {
            let mut state = lock(&self.state);
            state.workers.hired += 1;
            state.workers.hired
        };
        let pool = Arc::clone(self);
        let name = format!("{}-{worker}", self.threads.name);
        let body = Box::new(move || pool.work(worker));
        let Err(error) = (self.threads.start)(name, self.threads.stack_size, body) else {
            return true;
        };
        let mut state = lock(&self.state);
        let now = self.clock.now();
        state.workers.spawn_failed(now);
        state.source.thread_failed(&error);
        false
    }
}
