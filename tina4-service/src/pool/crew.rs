//! Who works, who waits, who is on the way; and whether the next due time is covered.

use std::sync::Arc;

use super::Desk;
use crate::clock::Nanos;
use crate::sync::Condvar;

/// How much later than the next due time a stand-by looks, at most.
pub(super) const SLACK: Nanos = 5_000_000;
/// The wake-up is asked for at most this much early.
pub(super) const MOST_EARLY: Nanos = 80_000;
#[derive(Debug)]
pub(super) struct Shift<D> {
    pub(super) desk: D,
    pub(super) crew: Crew,
    /// How many wait for news.
    pub(super) listeners: usize,
}

/// The workers.
#[derive(Debug, Default)]
pub(super) struct Crew {
    /// Started and not left.
    pub(super) live: usize,
    /// Of those: woken or just started, and not yet at the lock.
    pub(super) arriving: usize,
    /// Those who rest; the last one is woken first.
    pub(super) resting: Vec<Resting>,
    pub(super) leader: Option<Leader>,
    /// When the timed wait of a resting worker ends, if one stands by.
    pub(super) stand_by: Option<StandBy>,
    /// How much earlier than due a wake-up is asked for.
    pub(super) early: Nanos,
    /// The next one to arrive is to stand by, not to work: who called it works on.
    pub(super) stand_by_wanted: bool,
    /// Jobs finished, to see whether anything moves.
    pub(super) finished: u64,
    /// Short jobs finished in a row.
    pub(super) streak: u32,
    /// Names for threads.
    pub(super) hired: u64,
}

#[derive(Debug)]
pub(super) struct Resting {
    pub(super) worker: u64,
    pub(super) bell: Arc<Condvar>,
}

#[derive(Debug)]
pub(super) struct Leader {
    pub(super) worker: u64,
    pub(super) bell: Arc<Condvar>,
    /// It looks again then.
    pub(super) until: Nanos,
}

#[derive(Debug)]
pub(super) struct StandBy {
    pub(super) worker: u64,
    pub(super) until: Nanos,
    /// [`Crew::finished`] when it began.
    pub(super) finished: u64,
}

/// What somebody does after releasing the lock.
#[derive(Debug)]
pub(super) struct Errands<A> {
    pub(super) bells: [Option<Arc<Condvar>>; 2],
    pub(super) hires: usize,
    pub(super) listeners: bool,
    pub(super) aftermath: Option<A>,
}

impl Crew {
    /// Takes the follower that rested last out of the stack, and counts it as on the way.
    pub(super) fn call(&mut self) -> Option<Arc<Condvar>> {
        let follower = self.resting.pop()?;
        self.arriving += 1;
        if self.stand_by.as_ref().is_some_and(|stand_by| stand_by.worker == follower.worker) {
            self.stand_by = None;
        }
        Some(follower.bell)
    }

    /// Nothing will come any more: everybody leaves.
    pub(super) fn dismiss(&mut self) {
        while let Some(bell) = self.call() {
            bell.notify_one();
        }
        if let Some(leader) = &self.leader {
            leader.bell.notify_one();
        }
    }

    /// Whether a stand-by will look soon enough after `due`.
    pub(super) fn stands_by(&self, now: Nanos, due: Nanos) -> bool {
        let limit = due.max(now).saturating_add(SLACK);
        self.stand_by.as_ref().is_some_and(|stand_by| stand_by.until <= limit)
    }

    /// Counts a job that took so long.
    pub(super) fn count_finished(&mut self, took: Nanos) {
        self.finished += 1;
        self.streak = if took < crate::status::SHORT { self.streak.saturating_add(1) } else { 0 };
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
        if let Some(stand_by) = self.stand_by.take_if(|stand_by| stand_by.worker == worker) {
            // Nothing was finished for as long as it waited: what was trusted to be short is not.
            if stand_by.finished == self.finished && self.leader.is_none() {
                self.streak = 0;
            }
        }
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
}

impl<D: Desk> Shift<D> {
    /// Makes sure that the next due time is covered; see the top of this file.
    ///
    /// `trusted`: the caller is a worker that will look again in a moment.
    pub(super) fn cover(
        &mut self,
        now: Nanos,
        trusted: bool,
        most: usize,
    ) -> Errands<D::Aftermath> {
        let mut errands = Errands { listeners: self.desk.take_news(), ..Errands::none() };
        errands.listeners &= self.listeners > 0;
        errands.aftermath = self.desk.aftermath();
        // A log or a destructor may block: who goes to run one cannot be trusted to be back soon.
        let trusted = trusted && errands.aftermath.is_none();
        let crew = &mut self.crew;
        if self.desk.is_over() {
            crew.dismiss();
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

impl<A> Errands<A> {
    pub(super) fn none() -> Self {
        Self { bells: [None, None], hires: 0, listeners: false, aftermath: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bells.iter().all(Option::is_none)
            && self.hires == 0
            && !self.listeners
            && self.aftermath.is_none()
    }
}
