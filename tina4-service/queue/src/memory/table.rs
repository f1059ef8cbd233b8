//! [`Table`]: the jobs of a memory engine, and each change of them as one step.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use super::row::{DeadRow, Row, State};
use super::shelf::Shelf;
use crate::backlog::Backlog;
use crate::cancelled::Cancelled;
use crate::claim::{Claim, Held};
use crate::dead_job::{DeadJob, DeadSelection};
use crate::done_job::DoneJob;
use crate::end::{End, Ended};
use crate::job_id::JobId;
use crate::losses::{self, SUSPECT};
use crate::new_job::NewJob;
use crate::pushed::Pushed;
use crate::timestamp::Timestamp;
use crate::want::{Turn, Want};

/// All jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Table {
    last_id: u64,
    jobs: BTreeMap<JobId, Row>,
    shelves: HashMap<Arc<str>, Shelf>,
}

impl Table {
    pub(super) fn push(&mut self, job: &NewJob<'_>, now: Timestamp) -> Pushed {
        let queue: Arc<str> = job.queue.into();
        let shelf = self.shelves.entry(Arc::clone(&queue)).or_default();
        shelf.windows.retain(|_, (_, until)| *until > now);
        let known = job.unique.and_then(|unique| shelf.known(unique.key, now));
        if let Some(id) = known {
            return Pushed::Known(id);
        }
        self.last_id += 1;
        let id = JobId::new(self.last_id.into());
        let mut key = None;
        if let Some(unique) = job.unique {
            let owned = unique.key.to_owned();
            if let Some(window) = unique.window {
                shelf.windows.insert(owned, (id, now.plus(window)));
            } else {
                shelf.live_keys.insert(owned.clone(), id);
                key = Some(owned);
            }
        }
        let row = Row {
            queue,
            payload: job.payload.to_owned(),
            state: if job.delay.is_zero() { State::Ready } else { State::Later },
            priority: job.priority,
            due: now.plus(job.delay),
            attempt: 0,
            claim: 0,
            lost: 0,
            error: None,
            pushed_at: now,
            key,
        };
        shelf.add(id, &row);
        self.jobs.insert(id, row);
        Pushed::New(id)
    }

    /// Ends a claim. Returns whether it was held.
    pub(super) fn end(&mut self, ended: &Ended, owner: &str, now: Timestamp) -> bool {
        let Held { id, claim } = ended.held;
        if !self.jobs.get(&id).is_some_and(|row| row.is_held(claim, owner, now)) {
            return false;
        }
        match &ended.end {
            End::Done => drop(self.take(id)),
            End::Kept => self.keep(id, now),
            End::Dead { error } => drop(self.bury(id, error.clone(), now)),
            End::Again { delay, error } => self.change(id, |row| {
                row.state = if delay.is_zero() { State::Ready } else { State::Later };
                row.due = now.plus(*delay);
                row.error = Some(error.clone());
            }),
            End::Back => self.change(id, |row| {
                row.state = State::Ready;
                row.attempt -= 1;
            }),
        }
        true
    }

    /// Renews a claim. Returns whether it was held.
    pub(super) fn renew(
        &mut self,
        held: Held,
        owner: &str,
        now: Timestamp,
        renewed: Timestamp,
    ) -> bool {
        let is_held =
            self.jobs.get(&held.id).is_some_and(|row| row.is_held(held.claim, owner, now));
        if is_held {
            self.change(held.id, |row| {
                row.state = State::Claimed { owner: owner.to_owned(), until: renewed };
            });
        }
        is_held
    }

    /// Ends the lost claims of a queue, and makes jobs ready that are due.
    pub(super) fn recover(&mut self, want: &Want<'_>, now: Timestamp, turn: &mut Turn) {
        let Some(shelf) = self.shelves.get(want.queue) else { return };
        let due = shelf.later.iter().take_while(|(due, _)| *due <= now).map(|(_, id)| *id);
        let due: Vec<_> = due.collect();
        let lost = shelf.claimed.iter().take_while(|(until, _)| *until <= now).map(|(_, id)| *id);
        let lost: Vec<_> = lost.collect();
        for id in due {
            self.change(id, |row| row.state = State::Ready);
        }
        for id in lost {
            turn.lost += 1;
            let Some(row) = self.jobs.get(&id) else { continue };
            let lost = row.lost.saturating_add(1);
            if want.policy.is_last(row.attempt) {
                turn.dead.extend(self.bury(id, losses::error(lost), now));
                continue;
            }
            let delay = want.policy.delay_after_loss(lost);
            self.change(id, |row| {
                row.lost = lost;
                row.error = Some(losses::error(lost));
                if delay.is_zero() {
                    row.state = State::Ready;
                } else {
                    row.state = State::Later;
                    row.due = now.plus(delay);
                }
            });
        }
    }

    /// Claims ready jobs of a queue, in their order.
    pub(super) fn claim(
        &mut self,
        index: usize,
        want: &Want<'_>,
        owner: &str,
        now: Timestamp,
        until: Timestamp,
        turn: &mut Turn,
    ) {
        for _ in 0..want.count {
            let Some(shelf) = self.shelves.get(want.queue) else { return };
            let Some((_, _, id)) = shelf.ready.first().copied() else { return };
            let lost = self.jobs.get(&id).map_or(0, |row| row.lost);
            let (held, most_lost) = self.held_by(owner, now);
            if most_lost >= SUSPECT || (lost >= SUSPECT && held > 0) {
                turn.waits_to_be_alone |= lost >= SUSPECT;
                return;
            }
            self.change(id, |row| {
                row.state = State::Claimed { owner: owner.to_owned(), until };
                row.attempt = row.attempt.saturating_add(1);
                row.claim += 1;
            });
            turn.claims.extend(self.jobs.get(&id).map(|row| Claim {
                held: Held { id, claim: row.claim },
                want: index,
                payload: row.payload.clone(),
                attempt: row.attempt,
                lost: row.lost,
                priority: row.priority,
                pushed_at: row.pushed_at,
                last_error: row.error.clone(),
            }));
        }
    }

    /// How many jobs this owner holds, and how often at most one of them was lost.
    fn held_by(&self, owner: &str, now: Timestamp) -> (usize, u32) {
        let claimed = self.shelves.values().flat_map(|shelf| &shelf.claimed);
        let rows = claimed.filter_map(|(_, id)| self.jobs.get(id));
        let held = rows.filter(|row| row.is_held(row.claim, owner, now));
        held.fold((0, 0), |(count, most), row| (count + 1, most.max(row.lost)))
    }

    /// Makes the next claim of each job that nobody holds have a higher number than this.
    #[cfg(all(test, shuttle))]
    pub(super) fn raise_claims(&mut self, number: u64) {
        for row in
            self.jobs.values_mut().filter(|row| matches!(row.state, State::Ready | State::Later))
        {
            row.claim = row.claim.max(number);
        }
    }

    /// When the next job of a queue becomes ready by itself.
    pub(super) fn next_change(&self, queue: &str) -> Option<Timestamp> {
        let shelf = self.shelves.get(queue)?;
        shelf.later.first().into_iter().chain(shelf.claimed.first()).map(|(at, _)| *at).min()
    }

    /// How long from now a turn of a queue has something to do.
    pub(super) fn next_due(&self, queue: &str, now: Timestamp) -> Option<Duration> {
        if self.shelves.get(queue).is_some_and(|shelf| !shelf.ready.is_empty()) {
            return Some(Duration::ZERO);
        }
        self.next_change(queue).map(|at| at.since(now))
    }

    pub(super) fn backlog(&self, queue: &str, now: Timestamp) -> Backlog {
        let Some(shelf) = self.shelves.get(queue) else { return Backlog::default() };
        let due = shelf.later.iter().take_while(|(due, _)| *due <= now).map(|(due, _)| *due);
        let due: Vec<_> = due.collect();
        let ready = shelf.ready.iter().map(|(_, due, _)| *due).chain(due.iter().copied());
        let oldest = ready.min();
        Backlog {
            ready: (shelf.ready.len() + due.len()) as u64,
            delayed: (shelf.later.len() - due.len()) as u64,
            claimed: shelf.claimed.len() as u64,
            dead: shelf.dead.len() as u64,
            oldest_ready: oldest.map(|oldest| now.since(oldest)),
        }
    }

    pub(super) fn cancel(&mut self, queue: &str, id: JobId) -> Cancelled {
        let Some(row) = self.jobs.get(&id).filter(|row| *row.queue == *queue) else {
            return Cancelled::Unknown;
        };
        match row.state {
            State::Claimed { .. } => Cancelled::Claimed,
            State::Ready | State::Later => {
                self.take(id);
                Cancelled::Deleted
            }
        }
    }

    pub(super) fn dead(&self, queue: &str, after: Option<JobId>, limit: usize) -> Vec<DeadJob> {
        let dead = self.shelves.get(queue).into_iter().flat_map(|shelf| &shelf.dead);
        let dead = dead.filter(|(id, _)| after.is_none_or(|after| **id > after));
        dead.take(limit).map(|(id, row)| row.to_job(*id)).collect()
    }

    pub(super) fn redrive(&mut self, queue: &str, which: DeadSelection, now: Timestamp) -> u64 {
        let taken = self.take_dead(queue, which, now);
        let count = taken.len() as u64;
        for (id, dead) in taken {
            let row = Row {
                queue: queue.into(),
                payload: dead.payload,
                state: State::Ready,
                priority: dead.priority,
                due: now,
                attempt: 0,
                claim: dead.claim,
                lost: 0,
                error: Some(dead.error),
                pushed_at: dead.pushed_at,
                key: None,
            };
            if let Some(shelf) = self.shelves.get_mut(queue) {
                shelf.add(id, &row);
            }
            self.jobs.insert(id, row);
        }
        count
    }

    pub(super) fn purge(&mut self, queue: &str, which: DeadSelection, now: Timestamp) -> u64 {
        self.take_dead(queue, which, now).len() as u64
    }

    pub(super) fn done(&self, queue: &str, after: Option<JobId>, limit: usize) -> Vec<DoneJob> {
        let done = self.shelves.get(queue).into_iter().flat_map(|shelf| shelf.done.values());
        done.filter(|job| after.is_none_or(|after| job.id > after)).take(limit).cloned().collect()
    }

    pub(super) fn purge_done(&mut self, queue: &str, age: Duration, now: Timestamp) -> u64 {
        let Some(shelf) = self.shelves.get_mut(queue) else { return 0 };
        let limit = now.minus(age);
        shelf.done.extract_if(.., |_, job| job.done_at <= limit).count() as u64
    }

    fn take_dead(
        &mut self,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Vec<(JobId, DeadRow)> {
        let Some(shelf) = self.shelves.get_mut(queue) else { return Vec::new() };
        shelf.dead.extract_if(.., |id, dead| which.selects(*id, dead.died_at, now)).collect()
    }

    /// Changes a job, and moves it to where its new state belongs.
    fn change(&mut self, id: JobId, change: impl FnOnce(&mut Row)) {
        let Some(row) = self.jobs.get_mut(&id) else { return };
        let Some(shelf) = self.shelves.get_mut(&row.queue) else { return };
        shelf.remove(id, row);
        change(row);
        shelf.add(id, row);
    }

    /// Removes a job, and frees its key.
    fn take(&mut self, id: JobId) -> Option<Row> {
        let row = self.jobs.remove(&id)?;
        let shelf = self.shelves.get_mut(&row.queue)?;
        shelf.remove(id, &row);
        if let Some(key) = &row.key {
            shelf.live_keys.remove(key);
        }
        Some(row)
    }

    /// Removes a job that is done, and keeps a copy of it.
    fn keep(&mut self, id: JobId, now: Timestamp) {
        let Some(row) = self.take(id) else { return };
        let Some(shelf) = self.shelves.get_mut(&row.queue) else { return };
        let Row { payload, attempt: attempts, pushed_at, .. } = row;
        shelf.done.insert(id, DoneJob { id, payload, attempts, pushed_at, done_at: now });
    }

    /// Moves a job to the dead ones.
    fn bury(&mut self, id: JobId, error: String, now: Timestamp) -> Option<DeadJob> {
        let row = self.take(id)?;
        let dead = DeadRow {
            payload: row.payload,
            priority: row.priority,
            attempt: row.attempt,
            claim: row.claim,
            error,
            pushed_at: row.pushed_at,
            died_at: now,
        };
        let job = dead.to_job(id);
        self.shelves.get_mut(&row.queue)?.dead.insert(id, dead);
        Some(job)
    }
}
