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

use self::crew::{Calls, Crew, Errands, Shift};
#[allow(unused_imports, reason = "only some features start threads that are no workers")]
pub(crate) use self::hiring::start_thread;
pub(crate) use self::hiring::{Hiring, start_worker};
use crate::sys::sync::{Condvar, Mutex, MutexGuard, lock, wait};
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

mod crew;
mod hiring;
#[cfg(feature = "testing")]
mod staged;
#[cfg(feature = "signals")]
mod without_blocking;
mod worker;
#[cfg(feature = "exit-hook")]
mod working;

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;
#[cfg(test)]
mod toy;

/// What the pool works for: knows what is due, and what to do about it.
pub(crate) trait Desk: Send + 'static {
    /// Which job is to be done.
    type Task;
    /// What it takes to do it outside of the lock. It is dropped under the lock, so nothing of the
    /// user's is in it.
    type Job: Send;
    /// What came of it; the same holds.
    type Report;
    /// What is left to do once the lock is released: logs to write, sleepers to wake.
    type Aftermath;

    /// The earliest instant at which [`Desk::take`] has something to do.
    fn next_due(&mut self) -> Option<Nanos>;
    /// The one after that, or an instant before it.
    fn due_after_next(&self) -> Option<Nanos>;
    /// Does what is due by itself, up to the first job for a worker, or to the first aftermath: no
    /// job waits for somebody else's log to be written.
    fn take(&mut self, now: Nanos) -> Option<Self::Task>;
    /// Takes a job back, with the report of it; there may be a job to be done right after it.
    fn finish(&mut self, job: Self::Job, report: Self::Report, back: Back) -> Option<Self::Task>;
    /// Gives a job out, under the lock under which it was named.
    fn job(&mut self, task: Self::Task) -> Self::Job;
    /// Does a job, where it is: a processor is slow to move what was just put together. Never panics.
    fn work(job: &Self::Job) -> Self::Report;
    /// A number for what the job is about.
    #[cfg(feature = "exit-hook")]
    fn subject(job: &Self::Job) -> u32;
    /// How long this job takes of late; `None`: too new to say.
    fn usual(&self, task: &Self::Task) -> Option<Nanos>;
    /// Whether threads are started beyond the limit that the user has set.
    fn is_unlimited(&self) -> bool;
    /// Whether this job is what is planned, and not what follows from it.
    #[cfg(feature = "testing")]
    fn is_run(_: &Self::Task) -> bool {
        true
    }
    /// How many jobs there can be at one time.
    fn most_jobs(&self) -> usize;
    /// Whether nothing will ever be due again unless somebody from outside says so.
    fn is_over(&mut self) -> bool;
    /// Whether something is to be done once the lock is released.
    fn has_aftermath(&self) -> bool;
    /// Takes the part of it that wakes sleepers: they wake when it is dropped, which never blocks.
    #[cfg(feature = "signals")]
    fn take_wakes(&mut self) -> impl Sized + use<Self>;
    /// Takes it. What must be done in order is not given out again before [`Desk::settled`].
    fn aftermath(&mut self) -> Option<Self::Aftermath>;
    /// Does it. Never panics.
    fn settle(aftermath: Self::Aftermath);
    /// What was taken has been done.
    fn settled(&mut self, in_order: bool);
    /// Whether it had a part that must be done in order.
    fn is_in_order(aftermath: &Self::Aftermath) -> bool;
    /// Whether nothing is left to be done in order, and nothing is being done.
    fn is_settled(&self) -> bool;
    /// Whether something happened, since last asked, that somebody may be waiting for.
    fn take_news(&mut self) -> bool;
    /// A thread could not be started.
    fn thread_failed(&mut self, error: &io::Error);
}

/// A worker comes back from a job.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
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
pub(crate) struct Pool<D: Desk> {
    shift: Mutex<Shift<D>>,
    /// Rung for those who wait for news.
    news: Condvar,
    clock: Clock,
    hiring: Hiring,
}

impl<D: Desk> Pool<D> {
    pub(crate) fn new(desk: D, clock: Clock, hiring: Hiring) -> Arc<Self> {
        let shift = Shift { desk, crew: Crew::default(), listeners: 0 };
        Arc::new(Self { shift: Mutex::new(shift), news: Condvar::new(), clock, hiring })
    }

    fn most(&self, desk: &D) -> usize {
        #[cfg(feature = "testing")]
        if self.clock.stage().is_some() {
            // The stage has threads of its own.
            return 0;
        }
        // One for each job, and one that waits for the next due time.
        let enough = desk.most_jobs().saturating_add(1);
        match self.hiring.most {
            Some(most) if !desk.is_unlimited() => most.max(1).min(enough),
            Some(_) | None => enough,
        }
    }

    /// Lets somebody who is not a worker see or change the desk.
    pub(crate) fn with<T>(self: &Arc<Self>, action: impl FnOnce(&mut D, Nanos) -> T) -> T {
        self.act(lock(&self.shift), action)
    }

    fn act<T>(
        self: &Arc<Self>,
        mut shift: MutexGuard<'_, Shift<D>>,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> T {
        let now = self.clock.now();
        let result = action(&mut shift.desk, now);
        let most = self.most(&shift.desk);
        let errands = shift.cover(now, false, most);
        drop(shift);
        self.carry_out(errands);
        #[cfg(feature = "testing")]
        if let Some(stage) = self.clock.stage() {
            stage.touch();
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
        let mut shift = lock(&self.shift);
        loop {
            // Before looking, so that what changes meanwhile is not missed.
            #[cfg(feature = "testing")]
            let stage = self.clock.stage().filter(|stage| !stage.is_closed());
            #[cfg(feature = "testing")]
            let seen = stage.map_or(0, |stage| stage.changes());
            let now = self.clock.now();
            let result = ready(&mut shift.desk, now);
            let most = self.most(&shift.desk);
            let errands = shift.cover(now, false, most);
            if errands.is_some() {
                drop(shift);
                self.carry_out(errands);
                match result {
                    Ok(value) => return value,
                    Err(_) => {
                        shift = lock(&self.shift);
                        continue;
                    }
                }
            }
            match result {
                Ok(value) => return value,
                Err(until) => {
                    let until = until.into_iter().chain(shift.crew.hires_again(now)).min();
                    #[cfg(feature = "testing")]
                    if let Some(stage) = stage {
                        drop(shift);
                        stage.wait_for_news(until, seen);
                        shift = lock(&self.shift);
                        continue;
                    }
                    shift.listeners += 1;
                    let timeout = until.and_then(|until| self.clock.real_wait(now, until));
                    (shift, _) = wait(&self.news, shift, timeout);
                    shift.listeners -= 1;
                }
            }
        }
    }

    /// How many threads there are.
    pub(crate) fn threads(&self) -> usize {
        lock(&self.shift).crew.live
    }

    /// Everybody who waits looks again: a manual clock was moved, a signal came.
    pub(crate) fn look_again(&self) {
        // Under the lock, so that who is about to wait either sees the change or is woken.
        let shift = lock(&self.shift);
        if let Some(leader) = &shift.crew.leader {
            leader.bell.notify_one();
        } else if let Some(last) = shift.crew.resting.last() {
            last.bell.notify_one();
        }
        self.news.notify_all();
    }

    /// Does what was decided under the lock.
    #[inline]
    fn carry_out(self: &Arc<Self>, errands: Option<Box<Errands<D::Aftermath>>>) {
        if let Some(errands) = errands {
            self.run_errands(*errands);
        }
    }

    fn run_errands(self: &Arc<Self>, errands: Errands<D::Aftermath>) {
        let Errands { calls, ring_news, aftermath } = errands;
        if ring_news {
            self.news.notify_all();
        }
        if let Some(calls) = calls {
            self.call(calls);
        }
        self.settle(aftermath);
    }

    /// Notifies workers, and spawns some. `false`: not all of those could be started.
    fn notify_and_spawn(self: &Arc<Self>, Calls { bells, hires }: Calls) -> bool {
        for bell in bells.into_iter().flatten() {
            bell.notify_one();
        }
        // All of them are tried: they are counted as on the way.
        (0..hires).filter(|_| !self.hire()).count() == 0
    }

    /// Rings for workers, and starts some.
    fn call(self: &Arc<Self>, calls: Calls) {
        if !self.notify_and_spawn(calls) {
            // Somebody may have relied on those who do not come. Others can be called; with no more
            // than the present threads, nobody is hired.
            let mut shift = lock(&self.shift);
            let (now, live) = (self.clock.now(), shift.crew.live);
            let errands = shift.cover(now, false, live);
            drop(shift);
            self.carry_out(errands);
        }
    }

    /// Does what is to be done outside of the lock. What came up meanwhile was left to who is at it,
    /// and is left to another worker in turn: who is here may have a job in hand, or be a caller who
    /// wants an answer, and more may come up for ever.
    fn settle(self: &Arc<Self>, mut aftermath: Option<D::Aftermath>) {
        while let Some(taken) = aftermath {
            let mut shift = self.settle_once(taken);
            if !shift.desk.has_aftermath() {
                return;
            }
            let (now, most) = (self.clock.now(), self.most(&shift.desk));
            if let Some(calls) = shift.crew.send_anybody(now, most) {
                drop(shift);
                return self.call(calls);
            }
            // There is nobody else.
            aftermath = shift.desk.aftermath();
        }
    }

    fn settle_once(&self, taken: D::Aftermath) -> MutexGuard<'_, Shift<D>> {
        let in_order = D::is_in_order(&taken);
        D::settle(taken);
        let mut shift = lock(&self.shift);
        shift.desk.settled(in_order);
        if shift.listeners > 0 && shift.desk.is_settled() {
            self.news.notify_all();
        }
        shift
    }

    /// Waits until all that must be done in order is done, but not for ever: a log may block.
    pub(crate) fn wait_until_settled(&self, limit: Duration) {
        // In real time, whatever the clock: a log is written by real threads.
        let clock = Clock::system();
        let until = clock.now().saturating_add(nanos(limit));
        let mut shift = lock(&self.shift);
        while !shift.desk.is_settled() {
            let left = until.saturating_sub(clock.now());
            if left == 0 {
                break;
            }
            shift.listeners += 1;
            (shift, _) = wait(&self.news, shift, Some(Duration::from_nanos(left)));
            shift.listeners -= 1;
        }
    }

    /// Starts a worker that was already counted. If that fails it is taken off the count.
    fn hire(self: &Arc<Self>) -> bool {
        let worker = {
            let mut shift = lock(&self.shift);
            shift.crew.hired += 1;
            shift.crew.hired
        };
        let pool = Arc::clone(self);
        let name = format!("{}-{worker}", self.hiring.name);
        let body = Box::new(move || pool.work(worker));
        let Err(error) = (self.hiring.start)(name, self.hiring.stack_size, body) else {
            return true;
        };
        let mut shift = lock(&self.shift);
        let now = self.clock.now();
        shift.crew.hire_failed(now);
        shift.desk.thread_failed(&error);
        false
    }
}
