//! The claims of a consumer.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use super::delivery::{Attempt, Delivery};
use super::settling::Settling;
use super::turn_report::{Settled, Settlement, TurnReport};
use crate::claim::{Claim, Held};
use crate::dead_job::DeadJob;
use crate::shared_claim::SharedClaim;

/// For how long old dead jobs are kept because there is always a claim.
const MAX_PURGE_DELAY: Duration = Duration::from_secs(24 * 3_600);

/// The claims of a consumer. Each claim is in one place only.
#[derive(Debug, Default)]
pub(super) struct State {
    /// Claimed jobs that nobody has begun.
    pub(super) untaken: VecDeque<Claim>,
    /// The jobs in progress.
    pub(super) running: HashMap<Held, Running>,
    /// Those whose functions have returned while another thread was about to end the claim. They are in `running`, too.
    pub(super) returned: Vec<(Delivery, Attempt)>,
    /// Claims that are lost, but whose functions still run.
    pub(super) lost: HashSet<Held>,
    /// When the next turn is due, apart from their results; `None`: when something happens.
    pub(super) turn_at: Option<Duration>,
    /// How many slots the last turn has left free, because there was no job for them, or none may be claimed yet.
    pub(super) left_free: usize,
    /// What has ended and is not settled yet.
    pub(super) ended: Vec<Settling>,
    /// Dead jobs that are still to be reported.
    pub(super) dead: VecDeque<DeadJob>,
    /// The number of dead jobs that are being reported.
    pub(super) reporting: usize,
    /// Since when the claims last: the oldest of them.
    pub(super) renewed_at: Duration,
    /// Nothing is claimed before this time, because the store has given out a job that still runs here.
    pub(super) claims_again_at: Option<Duration>,
    /// Set if the last turn has left nothing to claim. The consumer waits for its next poll then: see `Polls`.
    pub(super) quiet: Option<Quiet>,
    /// When the time of the owner to stop is over, if it stops.
    pub(super) stops_by: Option<Duration>,
    /// When to look for old dead jobs; `None`: in the next turn.
    pub(super) purge_at: Option<Duration>,
    /// What the next report says. Kept here, so that it outlasts a turn that fails.
    pub(super) report: TurnReport,
}

/// A queue without a job that can be claimed.
#[derive(Debug)]
pub(super) struct Quiet {
    /// Until when, unless somebody changes the queue; `None`: for ever.
    until: Option<Duration>,
}

impl Quiet {
    /// From `now` on, for this long.
    pub(super) fn new(next: Option<Duration>, now: Duration) -> Self {
        Self { until: next.map(|next| now.saturating_add(next)) }
    }

    pub(super) fn is_over(&self, now: Duration) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// For how much longer.
    pub(super) fn left(&self, now: Duration) -> Option<Duration> {
        self.until.map(|until| until.saturating_sub(now))
    }
}

/// A job in progress.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) attempt: u32,
    pub(super) shared: Arc<SharedClaim>,
}

impl State {
    /// The number of claims, begun or not.
    pub(super) fn claims(&self) -> usize {
        self.untaken.len() + self.running.len()
    }

    /// How many functions run.
    pub(super) fn functions(&self) -> usize {
        self.running.len() + self.lost.len() + self.reporting
    }

    /// How many more jobs may be claimed, so that each can begin.
    pub(super) fn free(&self, concurrency: usize) -> usize {
        concurrency.saturating_sub(self.functions() + self.untaken.len() + self.dead.len())
    }

    /// The claims to be renewed: those that nobody has ended. A renewal would wait for the transaction of a
    /// function that is about to end its claim.
    pub(super) fn held(&self) -> Vec<Held> {
        let untaken = self.untaken.iter().map(|claim| claim.held);
        let running = self.running.iter().filter(|(_, running)| running.shared.is_open());
        untaken.chain(running.map(|(held, _)| *held)).collect()
    }

    /// Whether there are claims to be renewed.
    pub(super) fn holds(&self) -> bool {
        !self.untaken.is_empty() || self.running.values().any(|running| running.shared.is_open())
    }

    /// When the claims are to be renewed, so that several attempts at it can fail: see `CallLimit`.
    pub(super) fn renew_at(&self, lease: Duration) -> Duration {
        self.renewed_at.saturating_add(lease / 3)
    }

    /// Takes what the engine is to be asked to end now. What others have locked is left for later, so that the other jobs
    /// do not wait for it again and again.
    pub(super) fn take_ended(&mut self, now: Duration) -> Vec<Settling> {
        self.ended.extract_if(.., |ended| ended.is_due(now)).collect()
    }

    /// When to ask again for the first end whose job was locked; `None`: there is none.
    pub(super) fn locked_until(&self) -> Option<Duration> {
        self.ended.iter().filter_map(|ended| ended.not_before).min()
    }

    /// Gives back the jobs that nobody has begun.
    pub(super) fn give_back_untaken(&mut self) {
        self.ended.extend(self.untaken.drain(..).map(Settling::back));
    }

    /// Gives up claims that are no longer held, and reports them. Returns their number. A function that has
    /// lost its claim keeps its slot while it runs.
    pub(super) fn lose(&mut self, lost: &[Held]) -> u64 {
        let mut count = 0;
        for held in lost {
            let attempt = if let Some(running) = self.running.get(held) {
                // Its function has ended it during the renewal, or in a call whose answer was lost.
                if !running.shared.is_open() || running.shared.may_be_ended() {
                    continue;
                }
                let attempt = running.attempt;
                self.running.remove(held);
                self.lost.insert(*held);
                attempt
            } else {
                let index = self.untaken.iter().position(|claim| claim.held == *held);
                let Some(claim) = index.and_then(|index| self.untaken.remove(index)) else {
                    continue;
                };
                claim.attempt
            };
            count += 1;
            self.report.settled.push(Settled {
                id: held.id,
                attempt,
                settlement: Settlement::Stale,
            });
        }
        count
    }

    /// Adds new claims. Those of jobs whose lost function still runs here are given back, for another process.
    /// Returns whether there were any.
    pub(super) fn add(&mut self, claims: Vec<Claim>) -> bool {
        let (runs, new): (Vec<_>, Vec<_>) = claims
            .into_iter()
            .partition(|claim| self.lost.iter().any(|lost| lost.id == claim.held.id));
        self.untaken.extend(new);
        let any = !runs.is_empty();
        self.ended.extend(runs.into_iter().map(Settling::back));
        any
    }

    /// How many items can be taken.
    pub(super) fn ready(&self, concurrency: usize) -> usize {
        let slots = concurrency.saturating_sub(self.functions());
        slots.min(self.untaken.len() + self.dead.len())
    }

    /// Takes a job to begin.
    pub(super) fn take_job(&mut self) -> Option<(Claim, Arc<SharedClaim>)> {
        let claim = self.untaken.pop_front()?;
        let shared = Arc::new(SharedClaim::default());
        let running = Running { attempt: claim.attempt, shared: Arc::clone(&shared) };
        self.running.insert(claim.held, running);
        Some((claim, shared))
    }

    /// Takes a dead job to report.
    pub(super) fn take_dead(&mut self) -> Option<DeadJob> {
        let dead = self.dead.pop_front()?;
        self.reporting += 1;
        Some(dead)
    }

    /// Whether it is time to delete old dead jobs. That may take a while, so it waits until there are no claims, but
    /// not for more than a day.
    pub(super) fn is_purge_due(&self, now: Duration) -> bool {
        let Some(at) = self.purge_at else { return self.claims() == 0 };
        now >= if self.claims() == 0 { at } else { at.saturating_add(MAX_PURGE_DELAY) }
    }
}
