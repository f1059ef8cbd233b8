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
//! * a worker that is about to do work ends with `cover` too. Only where the work is trusted to be
//!   short, and a stand-by looks a few milliseconds after the next due time at the latest, it does
//!   not wake anyone: the stand-by bounds the harm if the trust was wrong this once;
//! * a worker that is about to rest leads if there is something to wait for and the present leader,
//!   if any, would wake later.
//!
//! A wake-up that was sent counts as "on the way" until its receiver holds the lock, whether the
//! receiver was still asleep or was just waking by itself: being woken is being taken out of the
//! stack, not the ringing of the bell.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, Nanos};
use crate::sync::{Condvar, Mutex, MutexGuard, lock, wait};

#[cfg(all(test, shuttle))]
mod model;
#[cfg(all(test, not(shuttle)))]
mod tests;
#[cfg(test)]
mod toy;

/// How much later than the next due time a stand-by looks, at most.
const SLACK: Nanos = 5_000_000;
/// A stand-by is worth its wake-ups only while due times are this near.
const NEAR: Nanos = 20_000_000;
/// The wake-up is asked for at most this much early.
const MOST_EARLY: Nanos = 80_000;
/// The leader spins no longer than this, or than it has learned to wake early.
const MOST_SPIN: Nanos = 3_000;
/// Followers that stay however long they rest.
const STAY: usize = 2;
/// How long the others rest before they leave.
const REST: Duration = Duration::from_secs(5);
/// Not all at once: each waits this much longer than the one below it.
const STAGGER: Duration = Duration::from_millis(20);
/// So many short jobs in a row speak for one that nobody knows yet.
const STREAK: u32 = 4;

/// What the pool works for: knows what is due, and what to do about it.
pub(crate) trait Desk: Send + 'static {
    /// Something to do outside of the lock.
    type Job: Send;
    /// What came of it.
    type Report;
    /// What is left to do once the lock is released: logs to write, sleepers to wake.
    type Aftermath: Default;

    /// The earliest instant at which [`Desk::take`] has something to do.
    fn next_due(&mut self) -> Option<Nanos>;
    /// Does what is due by itself, up to the first job for a worker.
    fn take(&mut self, now: Nanos) -> Option<Self::Job>;
    /// Takes the report of a job; there may be a job to be done right after it.
    fn finish(&mut self, report: Self::Report, now: Nanos) -> Option<Self::Job>;
    /// Does a job. Never panics.
    fn work(job: Self::Job) -> Self::Report;
    /// Whether this job has been short so far; `None`: too new to say.
    fn is_short(job: &Self::Job) -> Option<bool>;
    /// How many jobs there can be at one time.
    fn most_jobs(&self) -> usize;
    /// Whether nothing will ever be due again unless somebody from outside says so.
    fn is_over(&mut self) -> bool;
    /// Takes what is to be done once the lock is released, if there is anything.
    fn aftermath(&mut self) -> Option<Self::Aftermath>;
    /// Does it.
    fn settle(aftermath: Self::Aftermath);
    /// Whether something happened, since last asked, that somebody may be waiting for.
    fn take_news(&mut self) -> bool;
    /// A thread could not be started.
    fn thread_failed(&mut self, error: &io::Error);
}

/// How threads are made.
#[derive(Clone, Debug)]
pub(crate) struct Hiring {
    /// Threads are called this, with a number.
    pub(crate) name: String,
    /// No more threads than this; default: one for each job there can be, and one that waits.
    pub(crate) most: Option<usize>,
}

#[derive(Debug)]
pub(crate) struct Pool<D: Desk> {
    shift: Mutex<Shift<D>>,
    /// Rung for those who wait for news.
    news: Condvar,
    clock: Clock,
    hiring: Hiring,
}

#[derive(Debug)]
struct Shift<D> {
    desk: D,
    crew: Crew,
    /// How many wait for news.
    listeners: usize,
}

/// The workers.
#[derive(Debug, Default)]
struct Crew {
    /// Started and not left.
    live: usize,
    /// Of those: woken or just started, and not yet at the lock.
    arriving: usize,
    /// Those who rest; the last one is woken first.
    resting: Vec<Resting>,
    leader: Option<Leader>,
    /// When the timed wait of a resting worker ends, if one stands by.
    stand_by: Option<StandBy>,
    /// How much earlier than due a wake-up is asked for.
    early: Nanos,
    /// The next one to arrive is to stand by, not to work: who called it works on.
    stand_by_wanted: bool,
    /// Jobs finished, to see whether anything moves.
    finished: u64,
    /// Short jobs finished in a row.
    streak: u32,
    /// Names for threads.
    hired: u64,
}

#[derive(Debug)]
struct Resting {
    worker: u64,
    bell: Arc<Condvar>,
}

#[derive(Debug)]
struct Leader {
    worker: u64,
    bell: Arc<Condvar>,
    /// It looks again then.
    until: Nanos,
}

#[derive(Debug)]
struct StandBy {
    worker: u64,
    until: Nanos,
    /// [`Crew::finished`] when it began.
    finished: u64,
}

/// What somebody does after releasing the lock.
#[derive(Debug, Default)]
struct Errands<A> {
    bells: [Option<Arc<Condvar>>; 2],
    hires: usize,
    listeners: bool,
    aftermath: Option<A>,
}

impl Crew {
    /// Takes the follower that rested last out of the stack, and counts it as on the way.
    fn call(&mut self) -> Option<Arc<Condvar>> {
        let follower = self.resting.pop()?;
        self.arriving += 1;
        if self.stand_by.as_ref().is_some_and(|stand_by| stand_by.worker == follower.worker) {
            self.stand_by = None;
        }
        Some(follower.bell)
    }

    /// Whether a stand-by will look soon enough after `due`.
    fn stands_by(&self, now: Nanos, due: Nanos) -> bool {
        let limit = due.max(now).saturating_add(SLACK);
        self.stand_by.as_ref().is_some_and(|stand_by| stand_by.until <= limit)
    }

    /// Learns how late a timed wait ends: rises slowly, falls fast, so that it follows the best.
    fn learn(&mut self, late: Nanos) {
        self.early = if late > self.early {
            self.early + (late - self.early) / 16
        } else {
            self.early - (self.early - late) / 4
        }
        .min(MOST_EARLY);
    }
}

impl<D: Desk> Shift<D> {
    /// Makes sure that the next due time is covered; see the top of this file.
    ///
    /// `trusted`: the caller is a worker that will look again in a moment.
    fn cover(&mut self, now: Nanos, trusted: bool, most: usize) -> Errands<D::Aftermath> {
        let mut errands = Errands { listeners: self.desk.take_news(), ..Errands::default() };
        errands.listeners &= self.listeners > 0;
        errands.aftermath = self.desk.aftermath();
        let crew = &mut self.crew;
        if self.desk.is_over() {
            // Nothing will come: everybody leaves.
            while let Some(bell) = crew.call() {
                bell.notify_one();
            }
            if let Some(leader) = &crew.leader {
                leader.bell.notify_one();
            }
            return errands;
        }
        let Some(due) = self.desk.next_due() else {
            return errands;
        };
        if let Some(leader) = &mut crew.leader {
            if due < leader.until {
                leader.until = due;
                errands.bells[0] = Some(Arc::clone(&leader.bell));
            }
            return errands;
        }
        if trusted && crew.stands_by(now, due) {
            return errands;
        }
        // When more is due already and may block, two are sent for: a tree grows faster than a
        // chain. Where a stand-by is all that is missing, one will do.
        let wanted = if due <= now && !trusted { 2 } else { 1 };
        crew.stand_by_wanted = trusted;
        for bell in &mut errands.bells {
            if crew.arriving >= wanted {
                break;
            }
            *bell = crew.call();
            if bell.is_none() && crew.live < most {
                crew.live += 1;
                crew.arriving += 1;
                errands.hires += 1;
            }
        }
        errands
    }
}

impl<D: Desk> Pool<D> {
    pub(crate) fn new(desk: D, clock: Clock, hiring: Hiring) -> Arc<Self> {
        let shift = Shift { desk, crew: Crew::default(), listeners: 0 };
        Arc::new(Self { shift: Mutex::new(shift), news: Condvar::new(), clock, hiring })
    }

    fn most(&self, desk: &D) -> usize {
        // One for each job, and one that waits for the next due time.
        let enough = desk.most_jobs().saturating_add(1);
        self.hiring.most.map_or(enough, |most| most.max(1).min(enough))
    }

    /// Lets somebody who is not a worker see or change the desk.
    pub(crate) fn with<T>(self: &Arc<Self>, action: impl FnOnce(&mut D, Nanos) -> T) -> T {
        self.act(lock(&self.shift), action)
    }

    /// The same, but gives up if the lock cannot be had by `limit`: for the end of the process,
    /// when its holder may be frozen.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn with_before<T>(
        self: &Arc<Self>,
        clock: &Clock,
        limit: Nanos,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> Option<T> {
        loop {
            match self.shift.try_lock() {
                Ok(shift) => return Some(self.act(shift, action)),
                Err(std::sync::TryLockError::Poisoned(poisoned)) => {
                    return Some(self.act(poisoned.into_inner(), action));
                }
                Err(std::sync::TryLockError::WouldBlock) if clock.now() >= limit => {
                    return None;
                }
                Err(std::sync::TryLockError::WouldBlock) => std::thread::yield_now(),
            }
        }
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
        self.run(errands);
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
            let now = self.clock.now();
            let result = ready(&mut shift.desk, now);
            let most = self.most(&shift.desk);
            let errands = shift.cover(now, false, most);
            if !errands.is_empty() {
                drop(shift);
                self.run(errands);
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

    /// Does what was decided under the lock. Returns whether a thread could be started, where one
    /// was wanted.
    fn run(self: &Arc<Self>, errands: Errands<D::Aftermath>) {
        for bell in errands.bells.into_iter().flatten() {
            bell.notify_one();
        }
        if errands.listeners {
            self.news.notify_all();
        }
        for _ in 0..errands.hires {
            self.hire();
        }
        if let Some(aftermath) = errands.aftermath {
            D::settle(aftermath);
        }
    }

    /// Starts a worker that was already counted. If that fails it is taken off the count, and the
    /// next one who covers tries again.
    fn hire(self: &Arc<Self>) {
        let worker = {
            let mut shift = lock(&self.shift);
            shift.crew.hired += 1;
            shift.crew.hired
        };
        let pool = Arc::clone(self);
        let name = format!("{}-{worker}", self.hiring.name);
        if let Err(error) = start_thread(name, move || pool.work(worker)) {
            let mut shift = lock(&self.shift);
            shift.crew.live -= 1;
            shift.crew.arriving -= 1;
            shift.desk.thread_failed(&error);
            let aftermath = shift.desk.aftermath();
            drop(shift);
            self.news.notify_all();
            if let Some(aftermath) = aftermath {
                D::settle(aftermath);
            }
        }
    }

    /// A worker's life.
    fn work(self: &Arc<Self>, worker: u64) {
        let bell = Arc::new(Condvar::new());
        let mut report = None;
        let mut began = 0;
        let mut arrived = true;
        let mut shift = lock(&self.shift);
        shift.crew.arriving -= 1;
        loop {
            let now = self.clock.now();
            let mut job = None;
            if let Some(report) = report.take() {
                let crew = &mut shift.crew;
                crew.finished += 1;
                let short = now.saturating_sub(began) < crate::status::SHORT;
                crew.streak = if short { crew.streak.saturating_add(1) } else { 0 };
                job = shift.desk.finish(report, now);
            }
            // While another worker chews through a burst of short jobs, one that it called does not
            // compete with it, but looks in a few milliseconds whether it is still getting on.
            let stands_by = std::mem::take(&mut arrived)
                && std::mem::take(&mut shift.crew.stand_by_wanted)
                && shift.crew.stand_by.is_none();
            if job.is_none() && !stands_by {
                job = shift.desk.take(now);
            }
            let most = self.most(&shift.desk);
            if let Some(job) = job {
                let short = D::is_short(&job).unwrap_or(shift.crew.streak >= STREAK);
                let errands = shift.cover(now, short && !self.clock.is_manual(), most);
                drop(shift);
                self.run(errands);
                began = now;
                report = Some(D::work(job));
                shift = lock(&self.shift);
                continue;
            }
            // What was done without a job may still have left something to do outside.
            let errands = Errands {
                listeners: shift.desk.take_news() && shift.listeners > 0,
                aftermath: shift.desk.aftermath(),
                ..Errands::default()
            };
            if !errands.is_empty() {
                drop(shift);
                self.run(errands);
                shift = lock(&self.shift);
                continue;
            }
            match self.rest(shift, worker, &bell, now) {
                Some((woken, called)) => (shift, arrived) = (woken, called),
                None => return,
            }
        }
    }

    /// Rests, as the leader or as a follower, and says whether somebody called it; `None`: this
    /// worker leaves.
    fn rest<'a>(
        &'a self,
        mut shift: MutexGuard<'a, Shift<D>>,
        worker: u64,
        bell: &Arc<Condvar>,
        now: Nanos,
    ) -> Option<(MutexGuard<'a, Shift<D>>, bool)> {
        if shift.desk.is_over() {
            shift.crew.live -= 1;
            return None;
        }
        let due = shift.desk.next_due();
        match (due, shift.crew.leader.take()) {
            (Some(due), leader)
                if due > now && leader.as_ref().is_none_or(|old| due < old.until) =>
            {
                if let Some(Leader { worker, bell, .. }) = leader {
                    // It goes on waiting, as a follower that looks once more when its time comes.
                    shift.crew.resting.push(Resting { worker, bell });
                }
                Some(self.lead(shift, worker, bell, now, due))
            }
            (due, leader) => {
                shift.crew.leader = leader;
                self.follow(shift, worker, bell, now, due)
            }
        }
    }

    /// Waits for the next due time, or to be rung.
    fn lead<'a>(
        &'a self,
        mut shift: MutexGuard<'a, Shift<D>>,
        worker: u64,
        bell: &Arc<Condvar>,
        now: Nanos,
        due: Nanos,
    ) -> (MutexGuard<'a, Shift<D>>, bool) {
        shift.crew.leader = Some(Leader { worker, bell: Arc::clone(bell), until: due });
        let target = due.saturating_sub(shift.crew.early);
        let mut woken = now;
        if target > now {
            let timed_out;
            (shift, timed_out) = wait(bell, shift, self.clock.real_wait(now, target));
            woken = self.clock.now();
            if timed_out {
                shift.crew.learn(woken.saturating_sub(target));
            }
        }
        let left = due.saturating_sub(woken);
        if left > 0 && left <= shift.crew.early.max(MOST_SPIN) && !self.clock.is_manual() {
            drop(shift);
            while self.clock.now() < due {
                std::hint::spin_loop();
            }
            shift = lock(&self.shift);
        }
        let called = self.stand_down(&mut shift, worker);
        (shift, called)
    }

    /// Waits to be called; alone looks after a while whether to stand by on, or to leave.
    fn follow<'a>(
        &'a self,
        mut shift: MutexGuard<'a, Shift<D>>,
        worker: u64,
        bell: &Arc<Condvar>,
        now: Nanos,
        due: Option<Nanos>,
    ) -> Option<(MutexGuard<'a, Shift<D>>, bool)> {
        let crew = &mut shift.crew;
        let near = due.filter(|due| *due <= now.saturating_add(NEAR));
        let mut leaving = false;
        let timeout = match near {
            Some(due) if crew.stand_by.is_none() && !self.clock.is_manual() => {
                let until = due.max(now).saturating_add(SLACK);
                crew.stand_by = Some(StandBy { worker, until, finished: crew.finished });
                Some(Duration::from_nanos(until - now))
            }
            _ if crew.resting.len() >= STAY => {
                leaving = true;
                let place = u32::try_from(crew.resting.len()).unwrap_or(u32::MAX);
                Some(REST + STAGGER.saturating_mul(place))
            }
            _ => None,
        };
        crew.resting.push(Resting { worker, bell: Arc::clone(bell) });
        let timed_out;
        (shift, timed_out) = wait(bell, shift, timeout);
        let called = self.stand_down(&mut shift, worker);
        let crew = &mut shift.crew;
        if leaving && timed_out && !called && crew.resting.len() >= STAY {
            crew.live -= 1;
            return None;
        }
        Some((shift, called))
    }

    /// A worker that waited is awake and holds the lock: takes it off whatever list it is on.
    /// Returns whether somebody had called it.
    fn stand_down(&self, shift: &mut Shift<D>, worker: u64) -> bool {
        let crew = &mut shift.crew;
        if let Some(stand_by) = crew.stand_by.take_if(|stand_by| stand_by.worker == worker) {
            // Nothing was finished for as long as it waited: what was trusted to be short is not.
            if stand_by.finished == crew.finished && crew.leader.is_none() {
                crew.streak = 0;
            }
        }
        if crew.leader.take_if(|leader| leader.worker == worker).is_some() {
            return false;
        }
        if let Some(place) = crew.resting.iter().position(|resting| resting.worker == worker) {
            crew.resting.remove(place);
            return false;
        }
        // Not the leader and not in the stack: it was called.
        crew.arriving -= 1;
        true
    }
}

impl<A> Errands<A> {
    fn is_empty(&self) -> bool {
        self.bells.iter().all(Option::is_none)
            && self.hires == 0
            && !self.listeners
            && self.aftermath.is_none()
    }
}

#[cfg(not(shuttle))]
#[expect(clippy::disallowed_methods, reason = "this file is the one that starts threads")]
pub(crate) fn start_thread(name: String, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    std::thread::Builder::new().name(name).spawn(body).map(drop)
}

#[cfg(shuttle)]
pub(crate) fn start_thread(_name: String, body: impl FnOnce() + Send + 'static) -> io::Result<()> {
    shuttle::thread::spawn(body);
    Ok(())
}
