//! A worker's life: work, rest, lead, follow, leave.

use std::sync::Arc;
use std::time::Duration;

use super::crew::{Errands, Leader, Resting, SLACK, STAY, Shift, StandBy};
#[cfg(feature = "exit-hook")]
use super::working::Working;
use super::{Back, Desk, Pool};
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

impl<D: Desk> Pool<D> {
    /// A worker's life.
    pub(super) fn work(self: &Arc<Self>, worker: u64) {
        let bell = Arc::new(Condvar::new());
        let process = fork::generation();
        #[cfg(feature = "exit-hook")]
        let working = Working::here();
        let mut shift = lock(&self.shift);
        #[cfg(feature = "exit-hook")]
        shift.crew.add_working(&working);
        shift.crew.arriving -= 1;
        let mut looks = shift.crew.is_called_to_work();
        let mut now = self.clock.now();
        // What is to be done right after the job that was just done.
        let mut following = None;
        loop {
            let looks_now = std::mem::replace(&mut looks, true);
            let mut task = following.take();
            if task.is_none() && looks_now && !shift.desk.has_aftermath() {
                task = shift.desk.take(now);
            }
            let most = self.most(&shift.desk);
            if let Some(task) = task {
                let trusted = shift.crew.trusts(shift.desk.usual(&task));
                let job = shift.desk.job(task);
                let errands = shift.cover(now, trusted && !self.clock.is_manual(), most);
                drop(shift);
                let mut began = now;
                if errands.is_some() {
                    self.carry_out(errands);
                    // To start a thread takes longer than many a job, and is no part of it.
                    began = self.clock.now();
                }
                #[cfg(feature = "exit-hook")]
                working.begin(D::subject(&job));
                let report = D::work(&job);
                if fork::generation() != process {
                    // The job has returned in a child that it has forked. The services are the
                    // parent's; the only thread of the child ends, and with it the child.
                    return;
                }
                let ended;
                // What is done under the lock is done at a time that is read under it: one that was
                // read before may have passed meanwhile, and with it what is waited for.
                (shift, ended, now) = match try_lock(&self.shift) {
                    Some(shift) => {
                        let now = self.clock.now();
                        (shift, now, now)
                    }
                    None => {
                        let ended = self.clock.now();
                        let shift = lock(&self.shift);
                        (shift, ended, self.clock.now())
                    }
                };
                shift.crew.count_finished(ended.saturating_sub(began));
                let back = Back { began, ended, now, may_repeat: true };
                following = shift.desk.finish(job, report, back);
                continue;
            }
            // What was done without a job may still have left something to do outside.
            let (ring_news, aftermath) = shift.leftovers();
            if ring_news || aftermath.is_some() {
                // A log may block for ever: somebody else waits for what is due meanwhile.
                let uncovered =
                    if aftermath.is_some() { shift.uncovered(now, false) } else { None };
                let calls = uncovered.and_then(|due| shift.crew.send_for(now, due, false, most));
                drop(shift);
                self.carry_out(Errands::new(calls, ring_news, aftermath));
                shift = lock(&self.shift);
                now = self.clock.now();
                continue;
            }
            match self.rest(shift, worker, &bell, now) {
                Some(rested) => (shift, looks) = rested,
                None => return,
            }
            now = self.clock.now();
        }
    }

    /// Rests, as the leader or as a follower, and says whether it is to look for work then; `None`:
    /// this worker leaves.
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
                    // It goes on waiting for its time, as a follower.
                    shift.crew.let_go(&bell);
                    shift.crew.resting.push(Resting { worker, bell });
                }
                Some(self.lead(shift, worker, bell, due))
            }
            (due, leader) => {
                shift.crew.leader = leader;
                self.follow(shift, worker, bell, due)
            }
        }
    }

    /// Waits for the next due time, or to be rung.
    fn lead<'a>(
        &'a self,
        mut shift: MutexGuard<'a, Shift<D>>,
        worker: u64,
        bell: &Arc<Condvar>,
        due: Nanos,
    ) -> (MutexGuard<'a, Shift<D>>, bool) {
        // Much may have been done since this worker last looked, and a wait counts from now.
        let now = self.clock.now();
        shift.crew.leader = Some(Leader { worker, bell: Arc::clone(bell), until: due });
        let mut target = due.saturating_sub(shift.crew.early);
        if target <= now {
            // Too near for a sleep that ends in time: it ends too late rather than spin for long.
            target = due.saturating_sub(MOST_SPIN);
        }
        let most_spin = shift.crew.early.clamp(LEAST_SPIN, MOST_SPIN);
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
        if left > 0 && left <= most_spin && !self.clock.is_manual() {
            drop(shift);
            while self.clock.now() < due {
                std::hint::spin_loop();
            }
            shift = lock(&self.shift);
        }
        let called = shift.crew.stand_down(worker);
        let looks = !called || shift.crew.is_called_to_work();
        (shift, looks)
    }

    /// Waits to be called; alone looks after a while whether to stand by on, or to leave.
    fn follow<'a>(
        &'a self,
        mut shift: MutexGuard<'a, Shift<D>>,
        worker: u64,
        bell: &Arc<Condvar>,
        due: Option<Nanos>,
    ) -> Option<(MutexGuard<'a, Shift<D>>, bool)> {
        let now = self.clock.now();
        // What the leader waits for is not left to the stand-by, but what comes after it.
        let due = if shift.crew.leader.is_some() { shift.desk.due_after_next() } else { due };
        let crew = &mut shift.crew;
        let mut leaving = false;
        let until =
            due.map(|due| due.saturating_add(SLACK).max(now.saturating_add(LEAST_SLACK))).filter(
                |until| !self.clock.is_manual() && crew.stand_by(StandBy { worker, until: *until }),
            );
        let timeout = match until {
            Some(until) => Some(Duration::from_nanos(until - now)),
            None if crew.resting.len() >= STAY => {
                leaving = true;
                let place = u32::try_from(crew.resting.len()).unwrap_or(u32::MAX);
                Some(REST + STAGGER.saturating_mul(place))
            }
            None => None,
        };
        crew.resting.push(Resting { worker, bell: Arc::clone(bell) });
        let timed_out;
        (shift, timed_out) = wait(bell, shift, timeout);
        let called = shift.crew.stand_down(worker);
        let due = shift.desk.next_due();
        let crew = &mut shift.crew;
        if leaving && timed_out && !called && crew.resting.len() >= STAY {
            crew.live -= 1;
            return None;
        }
        let looks = if called {
            crew.is_called_to_work()
        } else {
            !timed_out || crew.needs_stand_by(self.clock.now(), due)
        };
        Some((shift, looks))
    }
}
