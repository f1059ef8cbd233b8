//! A worker's life: work, rest, lead, follow, leave.

use std::sync::Arc;
use std::time::Duration;

use super::crew::{Errands, Leader, Resting, SLACK, Shift, StandBy};
use super::{Desk, Pool};
use crate::clock::Nanos;
use crate::sync::{Condvar, MutexGuard, lock, wait};

/// A stand-by is worth its wake-ups only while due times are this near.
const NEAR: Nanos = 20_000_000;
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

impl<D: Desk> Pool<D> {
    /// A worker's life.
    pub(super) fn work(self: &Arc<Self>, worker: u64) {
        let bell = Arc::new(Condvar::new());
        let mut arrived = true;
        let mut shift = lock(&self.shift);
        shift.crew.arriving -= 1;
        let mut now = self.clock.now();
        // What is to be done right after the job that was just done.
        let mut following = None;
        loop {
            // While another worker chews through a burst of short jobs, one that it called does not
            // compete with it, but looks in a few milliseconds whether it is still getting on.
            let stands_by = std::mem::take(&mut arrived)
                && std::mem::take(&mut shift.crew.stand_by_wanted)
                && shift.crew.stand_by.is_none();
            let mut task = following.take();
            if task.is_none() && !stands_by && !shift.desk.has_aftermath() {
                task = shift.desk.take(now);
            }
            let most = self.most(&shift.desk);
            if let Some(task) = task {
                let short = shift.desk.is_short(&task).unwrap_or(shift.crew.streak >= STREAK);
                let job = shift.desk.job(task);
                let errands = shift.cover(now, short && !self.clock.is_manual(), most);
                drop(shift);
                self.carry_out(errands);
                let report = D::work(job);
                shift = lock(&self.shift);
                let began = now;
                now = self.clock.now();
                shift.crew.count_finished(now.saturating_sub(began));
                following = shift.desk.finish(report, now, true);
                continue;
            }
            // What was done without a job may still have left something to do outside.
            let mut errands = Errands {
                listeners: shift.desk.take_news() && shift.listeners > 0,
                aftermath: shift.desk.aftermath(),
                ..Errands::none()
            };
            if !errands.is_empty() {
                if errands.aftermath.is_some() {
                    // A log may block for ever: somebody else waits for what is due meanwhile.
                    let Errands { bells, hires, .. } = shift.cover(now, false, most);
                    (errands.bells, errands.hires) = (bells, hires);
                }
                drop(shift);
                self.carry_out(errands);
                shift = lock(&self.shift);
                now = self.clock.now();
                continue;
            }
            match self.rest(shift, worker, &bell, now) {
                Some((woken, called)) => (shift, arrived) = (woken, called),
                None => return,
            }
            now = self.clock.now();
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
            shift.crew.dismiss();
            shift.crew.live -= 1;
            return None;
        }
        let due = shift.desk.next_due();
        match (due, shift.crew.leader.take()) {
            (Some(due), leader)
                if due > now && leader.as_ref().is_none_or(|old| due < old.until) =>
            {
                if let Some(Leader { worker, bell, .. }) = leader {
                    // It goes on waiting, as a follower. It was waiting for a time that may be far,
                    // and where there are enough of them a follower leaves after a while: rung, it
                    // begins to wait for that.
                    if shift.crew.resting.len() >= STAY {
                        bell.notify_one();
                    }
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
        let called = shift.crew.stand_down(worker);
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
        let called = shift.crew.stand_down(worker);
        let crew = &mut shift.crew;
        if leaving && timed_out && !called && crew.resting.len() >= STAY {
            crew.live -= 1;
            return None;
        }
        Some((shift, called))
    }
}
