//! [`Consumer`]: the jobs of one queue that one service of this process works on.
//!
//! A consumer owns a set of claims. It has no thread and no clock: its owner calls [`Consumer::turn`] when
//! the last turn has said so, when a job has ended, and when a job was pushed. Between turns, any number of
//! threads take claimed jobs and report how they ended.
//!
//! ```text
//! turn: renew, settle what has ended, claim ─► take ─► the function ─► finish ─► the next turn
//! ```
//!
//! A consumer that has found its queue empty looks at it again in each `poll`. That is [`Consumer::poll`]: it asks the
//! engine about the queues of all consumers that wait for a poll, and takes a turn only if there is something to do.
//!
//! The lock of a consumer is held for a few instructions at a time, and never while an engine or a function
//! is called. So a turn sees the jobs as they were when it began, and what ends during a turn is settled by
//! the next one. There is one turn at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

mod call_limit;
mod delivery;
mod poll;
mod purge;
mod settings;
mod settling;
mod state;
mod turn_report;
mod unsettled;
mod waiting;

pub use self::delivery::{Attempt, Delivery, Item};
pub use self::settings::ConsumerSettings;
pub use self::turn_report::{Settled, Settlement, TurnReport};

use self::call_limit::CallLimit;
use self::settling::{IfStale, Settling, count, dead_job};
use self::state::{Quiet, State};
use self::unsettled::Unsettled;
use self::waiting::Waiting;
use crate::claim::{Claim, Held};
use crate::counters::Counters;
use crate::end::{End, Ended};
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::polls::PollId;
use crate::queues::Queues;
use crate::timestamp::Timestamp;
use crate::want::{Turn, Want};

/// The shortest time to the next turn that an engine can ask for.
const MIN_WAIT: Duration = Duration::from_millis(1);

/// How soon the result of a job is checked again that another thread was finishing when its function returned.
const RETURNED_WAIT: Duration = Duration::from_millis(20);

/// How soon an end is asked for again whose job another transaction has locked.
const LOCKED_WAIT: Duration = Duration::from_millis(250);

/// The jobs of one queue that one service of this process works on. See the [module](self).
#[derive(Debug)]
pub struct Consumer {
    queues: Queues,
    settings: ConsumerSettings,
    poll_id: PollId,
    call_limit: CallLimit,
    state: Mutex<State>,
}

impl Consumer {
    /// A consumer that has claimed nothing yet.
    #[must_use]
    pub fn new(queues: Queues, settings: ConsumerSettings) -> Self {
        let poll_id = queues.polls().new_id();
        let call_limit = CallLimit::new(settings.lease, Duration::MAX);
        Self { queues, settings, poll_id, call_limit, state: Mutex::default() }
    }

    /// Limits how long a call of the engine may take: to a third of the time that its owner has to stop, so that a stop
    /// does not have to wait for one that was begun before. In any case, a call takes at most a third of the lease.
    #[must_use]
    pub fn with_stop_timeout(mut self, stop_timeout: Duration) -> Self {
        self.call_limit = CallLimit::new(self.settings.lease, stop_timeout);
        self
    }

    /// Says until when its owner stops, if it does: a call takes at most half of the time until then.
    pub fn stops_by(&self, deadline: Option<Duration>) {
        self.lock().stops_by = deadline;
    }

    /// The engine with its clock.
    #[must_use]
    pub fn queues(&self) -> &Queues {
        &self.queues
    }

    /// How it works.
    #[must_use]
    pub fn settings(&self) -> &ConsumerSettings {
        &self.settings
    }

    /// What this process has done with the queue.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.queues.counters(self.settings.queue)
    }

    /// How long a call of the engine may take that begins now.
    fn call_limit(&self, state: &State, now: Duration) -> Duration {
        let has_claims = self.has_leases() && state.claims() > 0;
        let leases_end = has_claims.then(|| state.renewed_at.saturating_add(self.settings.lease));
        self.call_limit.at(now, leases_end, state.stops_by)
    }

    /// Whether claims end unless they are renewed. Otherwise they last as long as the connection.
    fn has_leases(&self) -> bool {
        self.queues.capabilities().has(Feature::Lease)
    }

    /// Each change of the state is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Renews the claims if that is due, settles the jobs that have ended, and claims as many as may run.
    ///
    /// `now` is the time of a monotonic clock since any origin. Without `may_claim`, nothing is claimed,
    /// and the claimed jobs that nobody has begun are given back.
    ///
    /// # Errors
    ///
    /// If the engine fails. What was to be settled is settled by the next turn, if its claims last so long.
    /// The same if the engine panics.
    pub fn turn(&self, now: Duration, may_claim: bool) -> Result<TurnReport, EngineError> {
        let ConsumerSettings { queue, concurrency, lease, poll, .. } = self.settings;
        self.finish_returned();
        let mut unsettled = Unsettled { state: &self.state, jobs: Vec::new(), was_sent: false };
        let mut waiting = Waiting { queues: &self.queues, queue, waits: Some(false) };
        let is_held_back = !self.queues.draining().may_claim(queue, self.queues.now());
        let (renewing, open, free, limit) = {
            let mut state = self.lock();
            if state.quiet.take().is_some() {
                self.queues.polls().leave(self.poll_id);
            }
            if !may_claim {
                state.give_back_untaken();
            }
            unsettled.jobs = state.take_ended(now);
            let is_renewal_due = self.has_leases() && now >= state.renew_at(lease);
            let renewing = if is_renewal_due { state.held() } else { Vec::new() };
            let waits = state.claims_again_at.is_some_and(|at| now < at);
            let claims = may_claim && !is_held_back && !waits;
            let limit = self.call_limit(&state, now);
            let open = state.free(concurrency);
            (renewing, open, if claims { open } else { 0 }, limit)
        };
        if !renewing.is_empty() {
            self.renew(limit, &renewing, now)?;
        }
        // Before the turn, whose claims must not wait for it, but after what has ended is settled.
        if may_claim && unsettled.jobs.is_empty() {
            let limit = CallLimit::before_renewal(limit, self.renews_in(&self.lock(), now));
            purge::purge(&self.queues, &self.settings, &self.state, limit, now);
        }
        let time = self.queues.now();
        let ended: Vec<Ended> = unsettled.jobs.iter().map(Settling::to_ended).collect();
        // Also if the engine panics.
        unsettled.was_sent = true;
        let turn = self
            .call_engine(limit, &ended, free, time)
            .inspect_err(|error| unsettled.was_sent = !error.is_unchanged())?;
        if may_claim {
            waiting.waits = (free > 0).then_some(turn.waits_to_be_alone);
        }
        let held_back = (may_claim && is_held_back).then_some(poll);
        let left_free = if may_claim { open.saturating_sub(turn.claims.len()) } else { 0 };
        let next_job = self.record(turn, unsettled.settled(), free, now, time);
        let mut state = self.lock();
        state.left_free = left_free;
        let mut report = std::mem::take(&mut state.report);
        report.reached_engine = !renewing.is_empty() || !ended.is_empty() || free > 0;
        report.ready = state.ready(concurrency);
        let claims_again = state.claims_again_at.filter(|_| may_claim);
        let claims_again = claims_again.map(|at| at.saturating_sub(now));
        let returned = (!state.returned.is_empty()).then_some(RETURNED_WAIT);
        let locked = state.locked_until().map(|at| at.saturating_sub(now));
        let renewal = self.renews_in(&state, now);
        let next = next_job
            .into_iter()
            .chain(held_back)
            .chain(claims_again)
            .chain(locked)
            .chain(renewal)
            .min()
            .map(|wait| wait.max(MIN_WAIT));
        state.turn_at = next.map(|wait| now.saturating_add(wait));
        report.next = next.into_iter().chain(returned).min();
        Ok(report)
    }

    fn renew(&self, limit: Duration, held: &[Held], now: Duration) -> Result<(), EngineError> {
        let ConsumerSettings { queue, lease, .. } = self.settings;
        let lost = self.queues.engine().renew_within(limit, held, lease, self.queues.now())?;
        let mut state = self.lock();
        let stale = state.lose(&lost);
        state.renewed_at = now;
        drop(state);
        self.queues.count(queue, |counters| counters.stale += stale);
        Ok(())
    }

    /// Settles and claims, if there is anything to do.
    fn call_engine(
        &self,
        limit: Duration,
        ended: &[Ended],
        free: usize,
        time: Timestamp,
    ) -> Result<Turn, EngineError> {
        let ConsumerSettings { queue, lease, ref policy, .. } = self.settings;
        let want = Want { queue, count: free, lease, policy };
        let wants = if free > 0 { std::slice::from_ref(&want) } else { &[] };
        if ended.is_empty() && wants.is_empty() {
            return Ok(Turn::default());
        }
        self.queues.engine().turn_within(limit, ended, wants, time)
    }

    /// Records the result of a turn. Returns when to look for jobs again; `None`: as many as may run are
    /// claimed, or none may be.
    fn record(
        &self,
        turn: Turn,
        settling: Vec<Settling>,
        free: usize,
        now: Duration,
        time: Timestamp,
    ) -> Option<Duration> {
        let ConsumerSettings { queue, poll, reports_dead, .. } = self.settings;
        let Turn { claims, stale, locked, mut dead, lost, next, waits_to_be_alone } = turn;
        let mut counters = Counters { lost, dead: dead.len() as u64, ..Counters::default() };
        let mut state = self.lock();
        state.report.lost_for_good.extend(dead.iter().map(|job| (job.id, job.error.clone())));
        let (locked, settled): (Vec<_>, Vec<_>) =
            settling.into_iter().partition(|settling| locked.contains(&settling.claim.held));
        let not_before = Some(now.saturating_add(LOCKED_WAIT));
        let again = locked.into_iter().map(|settling| Settling { not_before, ..settling });
        state.ended.splice(..0, again);
        for Settling { claim, end, if_stale, was_sent, not_before: _ } in settled {
            let ended = match (stale.contains(&claim.held), if_stale) {
                (false, _) => Some(end),
                // If it was sent before, the engine has most likely ended it then, and the answer was lost.
                (true, IfStale::Lost) => was_sent.then_some(end),
                (true, IfStale::Completed) => continue,
                // Not reported, as if the answer had come.
                (true, IfStale::Ended(end)) if end.is_done() => {
                    count(&end, &mut counters);
                    continue;
                }
                (true, IfStale::Ended(end)) => Some(end),
            };
            let settlement = if let Some(end) = ended {
                count(&end, &mut counters);
                if let End::Dead { error } = &end {
                    dead.push(dead_job(&claim, error, time));
                }
                Settlement::Ended(end)
            } else {
                counters.stale += 1;
                Settlement::Stale
            };
            let Claim { held: Held { id, .. }, attempt, .. } = claim;
            state.report.settled.push(Settled { id, attempt, settlement });
        }
        if reports_dead {
            state.dead.extend(dead);
        }
        let claimed = claims.len();
        // All claims are renewed together, when the oldest of them needs it.
        if state.claims() == 0 {
            state.renewed_at = now;
        }
        state.claims_again_at = state.claims_again_at.filter(|at| now < *at);
        if state.add(claims) {
            state.claims_again_at = Some(now.saturating_add(poll));
        }
        let is_to_settle = state.ended.iter().any(|ended| ended.is_due(now));
        let looks_again = free > 0 && claimed < free;
        let is_quiet = looks_again && !waits_to_be_alone && state.ended.is_empty();
        state.quiet = is_quiet.then(|| Quiet::new(next, now));
        drop(state);
        self.queues.count(queue, |all| all.add(counters));
        if is_quiet {
            self.queues.polls().enter(self.poll_id, queue, poll, time);
        }
        if is_to_settle {
            return Some(Duration::ZERO);
        }
        looks_again.then(|| next.map_or(poll, |next| next.min(poll)))
    }

    /// Takes a claimed job, or a dead one to report. `None`: there is none, it was given back, or as many
    /// functions run as may.
    #[must_use]
    pub fn take(&self) -> Option<Item> {
        let mut state = self.lock();
        if state.functions() >= self.settings.concurrency {
            return None;
        }
        // Jobs first, because their leases run.
        if let Some((claim, shared)) = state.take_job() {
            drop(state);
            let delivery = Delivery::new(self.queues.clone(), self.settings, claim, shared);
            return Some(Item::Job(Box::new(delivery)));
        }
        state.take_dead().map(Item::Dead)
    }

    /// Records how an attempt has ended. The next turn settles it.
    pub fn finish(&self, delivery: Delivery, attempt: Attempt) {
        let settling = match delivery.settle(attempt) {
            Ok(settling) => settling,
            // The next turns try again.
            Err(attempt) => {
                self.lock().returned.push((delivery, attempt));
                return;
            }
        };
        let by_function = delivery.ended_by_function(|| self.queues.now());
        let mut state = self.lock();
        // A claim that was found lost is known to the others already.
        if state.running.remove(&delivery.held()).is_none() {
            state.lost.remove(&delivery.held());
            return;
        }
        state.ended.extend(settling);
        if let Some((settled, dead)) = by_function {
            state.report.settled.push(settled);
            if self.settings.reports_dead {
                state.dead.extend(dead);
            }
        }
    }

    /// Records how those jobs have ended whose functions had returned before that was known.
    fn finish_returned(&self) {
        let returned = std::mem::take(&mut self.lock().returned);
        for (delivery, attempt) in returned {
            self.finish(delivery, attempt);
        }
    }

    /// Records that the report of a dead job is over.
    pub fn reported(&self) {
        let mut state = self.lock();
        state.reporting = state.reporting.saturating_sub(1);
    }

    /// Abandons a claim as a killed process does: it is neither settled nor renewed.
    pub fn forget(&self, delivery: Delivery) {
        let mut state = self.lock();
        state.running.remove(&delivery.held());
        state.lost.remove(&delivery.held());
    }

    /// Gives up what could not be settled; the claims end with their leases.
    pub fn forget_ended(&self) {
        let mut state = self.lock();
        state.ended.clear();
        let returned = std::mem::take(&mut state.returned);
        for (delivery, _) in &returned {
            state.running.remove(&delivery.held());
            state.lost.remove(&delivery.held());
        }
        drop(state);
        drop(returned);
    }

    /// Whether something has ended that the next turn is to settle, or is claimed and not begun.
    #[must_use]
    pub fn is_unsettled(&self) -> bool {
        let state = self.lock();
        !state.ended.is_empty() || !state.untaken.is_empty() || !state.returned.is_empty()
    }

    /// The number of jobs in progress, including those whose claims were lost.
    #[must_use]
    pub fn running(&self) -> usize {
        let state = self.lock();
        state.running.len() + state.lost.len()
    }
}
