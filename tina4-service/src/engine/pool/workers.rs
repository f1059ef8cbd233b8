//! Who works, who waits, who is on the way; and whether the next due time is covered.

use std::sync::Arc;
#[cfg(feature = "exit-hook")]
use std::sync::Weak;

use super::WorkSource;
#[cfg(feature = "exit-hook")]
use super::active_worker::ActiveWorker;
use crate::sys::sync::Condvar;
use tina4_service_core::Nanos;

/// How much later than the next due time a stand-by looks, at most.
pub(super) const SLACK: Nanos = 5_000_000;
/// The wake-up is asked for at most this much early.
pub(super) const MOST_EARLY: Nanos = 200_000;
/// A job is short below this, or below how late somebody who waits is awake, if that is more: to
/// hand over would take longer than the job.
const SHORT: Nanos = 20_000;
/// Followers that stay however long they rest.
pub(super) const MIN_IDLE: usize = 2;
/// How long nobody is hired after a thread could not be started.
const SPAWN_RETRY: Nanos = 1_000_000_000;
/// A job that nobody knows yet is trusted from this confidence on.
const MIN_SAMPLES: u32 = 4;
/// Confidence rises no further: a few jobs in a row that are not short use it up.
const MAX_CONFIDENCE: u32 = 16;

#[derive(Debug)]
pub(super) struct PoolState<D> {
    pub(super) source: D,
    pub(super) workers: Workers,
    /// How many wait for news.
    pub(super) listeners: usize,
}

/// The workers.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// Started and not left.
    pub(super) live: usize,
    /// Of those: woken or just started, and not yet at the lock.
    pub(super) arriving: usize,
    /// Those who rest; the last one is woken first.
    pub(super) resting: Vec<Resting>,
    pub(super) leader: Option<Leader>,
    /// Who rests and looks by itself, if somebody does: the one that looks first.
    pub(super) stand_by: Option<StandBy>,
    /// How much earlier than due a wake-up is asked for.
    pub(super) early: Nanos,
    /// The next one to arrive is to stand by, not to work: who called it works on. Whoever calls
    /// says it anew.
    pub(super) stand_by_wanted: bool,
    /// Nobody is trusted until a job was short again: a stand-by had to step in.
    pub(super) wary: bool,
    /// How far the jobs of late speak for one that nobody knows yet, from 0 to [`MAX_CONFIDENCE`]:
    /// one up with each that was short, halved by each that was not. One alone proves nothing, for a
    /// new thread, or one that was taken off its processor, is as slow with a job that is short.
    pub(super) confidence: u32,
    /// Names for threads.
    pub(super) hired: u64,
    /// What the workers are at, and some that have left.
    #[cfg(feature = "exit-hook")]
    pub(super) working: Vec<Weak<ActiveWorker>>,
    /// A thread could not be started: the next one is tried then.
    pub(super) hire_after: Nanos,
}

#[derive(Debug)]
pub(super) struct Resting {
    pub(super) worker: u64,
    pub(super) condvar: Arc<Condvar>,
}

#[derive(Debug)]
pub(super) struct Leader {
    pub(super) worker: u64,
    pub(super) condvar: Arc<Condvar>,
    /// It looks again then.
    pub(super) until: Nanos,
}

#[derive(Debug)]
pub(super) struct StandBy {
    pub(super) worker: u64,
    pub(super) until: Nanos,
}

/// What somebody does after releasing the lock.
#[derive(Debug)]
pub(super) struct AfterUnlock<A> {
    pub(super) calls: Option<Wakeups>,
    /// Whether somebody waits for the news that there are.
    pub(super) ring_news: bool,
    pub(super) deferred: Option<A>,
}

/// Workers that are sent for: whom to ring, how many to hire.
#[derive(Debug)]
pub(super) struct Wakeups {
    pub(super) notify: [Option<Arc<Condvar>>; 2],
    pub(super) spawn: usize,
}

impl Workers {
    /// Adds what a new worker is at.
    #[cfg(feature = "exit-hook")]
    pub(super) fn add_working(&mut self, new: &Arc<ActiveWorker>) {
        if self.working.len() > 2 * self.live {
            self.working.retain(|working| working.strong_count() > 0);
        }
        self.working.push(Arc::downgrade(new));
    }

    /// Takes the follower that rested last out of the stack, and counts it as on the way.
    pub(super) fn call(&mut self) -> Option<Arc<Condvar>> {
        let follower = self.resting.pop()?;
        self.arriving += 1;
        if self.stand_by.as_ref().is_some_and(|stand_by| stand_by.worker == follower.worker) {
            self.stand_by = None;
        }
        Some(follower.condvar)
    }

    /// Nothing will come any more: everybody leaves.
    pub(super) fn dismiss(&mut self) {
        while let Some(condvar) = self.call() {
            condvar.notify_one();
        }
        if let Some(leader) = &self.leader {
            leader.condvar.notify_one();
        }
    }

    /// Whether a stand-by will look soon enough after `due`.
    pub(super) fn stands_by(&self, now: Nanos, due: Nanos) -> bool {
        let limit = due.max(now).saturating_add(SLACK);
        self.stand_by.as_ref().is_some_and(|stand_by| stand_by.until <= limit)
    }

    /// Whether somebody who was called is to look for work. While another worker chews through a
    /// burst of short jobs it is not: it would only compete with it.
    pub(super) fn is_called_to_work(&mut self) -> bool {
        !std::mem::take(&mut self.stand_by_wanted)
    }

    /// Lets a follower stand by, unless another one does and looks as soon. Says whether it does.
    pub(super) fn stand_by(&mut self, new: StandBy) -> bool {
        if self.stand_by.as_ref().is_some_and(|old| old.until <= new.until) {
            return false;
        }
        if let Some(old) = self.stand_by.replace(new)
            && let Some(old) = self.resting.iter().find(|resting| resting.worker == old.worker)
        {
            self.let_go(&old.condvar);
        }
        true
    }

    /// Rings for a follower that waits for a time that may be far. Where there are enough of them,
    /// one that waits for nothing leaves after a while: it begins to wait for that.
    pub(super) fn let_go(&self, condvar: &Condvar) {
        if self.resting.len() >= MIN_IDLE {
            condvar.notify_one();
        }
    }

    /// Whether a stand-by whose time has come is to look for work: nobody waits for it, and what is
    /// due has been due for a while. Either what was trusted to be short is not, or there is more to
    /// do than one worker can; others must be woken for what comes next.
    pub(super) fn needs_stand_by(&mut self, now: Nanos, due: Option<Nanos>) -> bool {
        let is_late = due.is_some_and(|due| due.saturating_add(SLACK) <= now);
        let needed = is_late && self.leader.is_none();
        if needed {
            self.wary = true;
            self.confidence = 0;
        }
        needed
    }

    /// Whether a job that usually takes so long, if that is known, is trusted to be over before
    /// anybody is needed.
    #[inline]
    pub(super) fn trusts(&self, usual: Option<Nanos>) -> bool {
        !self.wary && usual.map_or(self.confidence >= MIN_SAMPLES, |usual| self.is_short(usual))
    }

    #[inline]
    fn is_short(&self, took: Nanos) -> bool {
        took < SHORT.max(self.early)
    }

    /// Counts a job that took so long.
    #[inline]
    pub(super) fn count_finished(&mut self, took: Nanos) {
        let short = self.is_short(took);
        self.confidence =
            if short { (self.confidence + 1).min(MAX_CONFIDENCE) } else { self.confidence / 2 };
        self.wary &= !short;
    }

    /// Learns how late a timed wait ends: rises slowly, falls fast, so that it follows the best.
    pub(super) fn learn(&mut self, late: Nanos) {
        // One very late wake-up says nothing about the next.
        let late = late.min(MOST_EARLY);
        self.early = if late > self.early {
            self.early + (late - self.early) / 16
        } else {
            self.early - (self.early - late) / 4
        }
        .min(MOST_EARLY);
    }

    /// A worker that waited is awake and holds the lock: takes it off whatever list it is on.
    /// Returns whether somebody had called it.
    pub(super) fn stand_down(&mut self, worker: u64) -> bool {
        self.stand_by.take_if(|stand_by| stand_by.worker == worker);
        if self.leader.take_if(|leader| leader.worker == worker).is_some() {
            return false;
        }
        if let Some(place) = self.resting.iter().position(|resting| resting.worker == worker) {
            self.resting.remove(place);
            return false;
        }
        // Not the leader and not in the stack: it was called.
        self.arriving -= 1;
        true
    }

    /// Sends for somebody who will wait for what is due then, unless enough are on the way.
    pub(super) fn send_for(
        &mut self,
        now: Nanos,
        due: Nanos,
        trusted: bool,
        most: usize,
    ) -> Option<Wakeups> {
        if let Some(leader) = &mut self.leader {
            leader.until = due;
            return Some(Wakeups { notify: [Some(Arc::clone(&leader.condvar)), None], spawn: 0 });
        }
        // When more is due already and may block, two are sent for: a tree grows faster than a
        // chain. Where a stand-by is all that is missing, one will do.
        let wanted = if due <= now && !trusted { 2 } else { 1 };
        self.stand_by_wanted = trusted;
        let (mut notify, mut spawn) = ([None, None], 0);
        for condvar in &mut notify {
            if self.arriving >= wanted {
                break;
            }
            *condvar = self.call();
            if condvar.is_none() && self.counts_in(now, most) {
                spawn += 1;
            }
        }
        (notify[0].is_some() || spawn > 0).then_some(Wakeups { notify, spawn })
    }

    /// Sends for somebody, whoever it is, who will look what there is to do; `None`: there is nobody.
    pub(super) fn send_anybody(&mut self, now: Nanos, most: usize) -> Option<Wakeups> {
        if self.live == 0 {
            return None;
        }
        if self.arriving > 0 {
            return Some(Wakeups { notify: [None, None], spawn: 0 });
        }
        let leader = self.leader.as_ref().map(|leader| Arc::clone(&leader.condvar));
        let condvar = leader.or_else(|| self.call());
        let spawn = usize::from(condvar.is_none() && self.counts_in(now, most));
        (condvar.is_some() || spawn > 0).then_some(Wakeups { notify: [condvar, None], spawn })
    }

    /// Counts one more, who is to be hired, if there may be one.
    fn counts_in(&mut self, now: Nanos, most: usize) -> bool {
        let may = self.live < most && (self.live == 0 || now >= self.hire_after);
        self.live += usize::from(may);
        self.arriving += usize::from(may);
        may
    }

    /// Who was counted could not be started.
    pub(super) fn spawn_failed(&mut self, now: Nanos) {
        self.live -= 1;
        self.arriving -= 1;
        self.hire_after = now.saturating_add(SPAWN_RETRY);
    }

    /// When a thread may be started again, if not now.
    pub(super) fn spawn_retry_at(&self, now: Nanos) -> Option<Nanos> {
        Some(self.hire_after).filter(|again| *again > now)
    }
}

impl<D: WorkSource> PoolState<D> {
    /// Makes sure that the next due time is covered; see the top of this file.
    ///
    /// `trusted`: the caller is a worker that will look again in a moment.
    // Forced, because it is part of every run, and called from too many places to be inlined otherwise.
    #[inline(always)]
    pub(super) fn cover(
        &mut self,
        now: Nanos,
        trusted: bool,
        most: usize,
    ) -> Option<Box<AfterUnlock<D::Deferred>>> {
        let (ring_news, deferred) = self.leftovers();
        // A log or a destructor may block: who goes to run one cannot be trusted to be back soon.
        let trusted = trusted && deferred.is_none();
        let uncovered = self.uncovered(now, trusted);
        if uncovered.is_none() && !ring_news && deferred.is_none() {
            return None;
        }
        let calls = uncovered.and_then(|due| self.workers.send_for(now, due, trusted, most));
        AfterUnlock::new(calls, ring_news, deferred)
    }

    /// The next due time, if nobody waits for it.
    // Forced, because it is part of every run, and called from too many places to be inlined otherwise.
    #[inline(always)]
    pub(super) fn uncovered(&mut self, now: Nanos, trusted: bool) -> Option<Nanos> {
        let due = self.source.next_due();
        if due.is_none() && self.source.is_over() {
            self.workers.dismiss();
        }
        due.filter(|due| !self.is_covered(now, *due, trusted))
    }

    /// What is left to do outside of the lock: whether to wake those who wait for news, and the
    /// aftermath.
    #[inline]
    pub(super) fn leftovers(&mut self) -> (bool, Option<D::Deferred>) {
        let ring_news = self.source.take_news() && self.listeners > 0;
        (ring_news, self.source.deferred())
    }

    /// Whether somebody waits for what is due then already.
    #[inline]
    fn is_covered(&self, now: Nanos, due: Nanos, trusted: bool) -> bool {
        match &self.workers.leader {
            Some(leader) => leader.until <= due,
            None => trusted && self.workers.stands_by(now, due),
        }
    }
}

impl<A> AfterUnlock<A> {
    /// On the heap, because mostly there are none.
    #[inline]
    pub(super) fn new(
        calls: Option<Wakeups>,
        ring_news: bool,
        deferred: Option<A>,
    ) -> Option<Box<Self>> {
        let any = calls.is_some() || ring_news || deferred.is_some();
        any.then(|| Box::new(Self { calls, ring_news, deferred }))
    }
}
