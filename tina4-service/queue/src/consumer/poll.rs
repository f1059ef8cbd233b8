//! Polls: turns that nobody has asked for.

use std::time::Duration;

use super::call_limit::CallLimit;
use super::state::{Quiet, State};
use super::turn_report::TurnReport;
use super::{Consumer, MIN_WAIT, RETURNED_WAIT, purge};
use crate::engine_error::EngineError;
use crate::timestamp::Timestamp;

impl Consumer {
    /// Takes a turn, unless it is only time to look at the queue, which is empty, or whether another thread has finished
    /// its job.
    ///
    /// One request shows that for all consumers of the engine that wait for a poll; if another consumer has just made it,
    /// none is needed. Use [`turn`](Self::turn) when a job was pushed. The arguments are those of `turn`.
    ///
    /// # Errors
    ///
    /// As [`turn`](Self::turn).
    pub fn poll(&self, now: Duration) -> Result<TurnReport, EngineError> {
        self.finish_returned();
        if let Some(wait) = self.waits_for_results(now) {
            return Ok(self.report_quiet(false, wait, now));
        }
        if !self.is_poll(now) {
            return self.turn(now, true);
        }
        let time = self.queues.now();
        if !self.queues.draining().may_claim(self.settings.queue, time) {
            return self.turn(now, true);
        }
        if let Some(wait) = self.queues.polls().postpone(self.poll_id, time) {
            return Ok(self.report_quiet(false, wait, now));
        }
        let next = self.look(now, time);
        if next.is_some_and(|next| next.is_zero()) {
            return self.turn(now, true);
        }
        self.lock().quiet = Some(Quiet::new(next, now));
        Ok(self.report_quiet(true, self.settings.poll, now))
    }

    /// Looks at its queue, and at those of other consumers. Returns how long until its own has something to do: zero also
    /// if that is unknown, as the turn that follows finds out.
    ///
    /// Those of the others that have something to do before their next poll, or may have, are told so, as if a job had
    /// been pushed. (If the engine panics, they are not: they look for themselves in their next poll.)
    fn look(&self, now: Duration, time: Timestamp) -> Option<Duration> {
        let queues = &self.queues;
        let limit = {
            let state = self.lock();
            CallLimit::before_renewal(self.call_limit(&state, now), self.renews_in(&state, now))
        };
        let look = queues.polls().begin_look(self.poll_id, time);
        let Some(mut look) = look else { return Some(Duration::ZERO) };
        let others = look.others.iter().map(|(queue, _)| *queue);
        let names: Vec<&str> = std::iter::once(self.settings.queue).chain(others).collect();
        let found = queues.engine().next_due_within(limit, &names, time).unwrap_or_default();
        let others = std::mem::take(&mut look.others);
        drop(look);
        let mut found = found.into_iter();
        let mut next_due = || found.next().unwrap_or(Some(Duration::ZERO));
        let own = next_due();
        for (queue, poll) in others {
            if next_due().is_some_and(|due| due < poll) {
                queues.notify(queue);
            }
        }
        own
    }

    /// Whether a [`poll`](Self::poll) will most likely return at once.
    ///
    /// That is so if nothing is due except for a look at the queue, and another consumer has looked at it since the last
    /// poll.
    #[must_use]
    pub fn polls_in_passing(&self, now: Duration) -> bool {
        self.is_poll(now) && self.queues.polls().has_news(self.poll_id)
    }

    /// For how long to wait for the results of functions that have returned while other threads finish their jobs, if
    /// nothing else is due.
    fn waits_for_results(&self, now: Duration) -> Option<Duration> {
        let state = self.lock();
        let waits = !state.returned.is_empty()
            && !state.ended.iter().any(|ended| ended.is_due(now))
            && state.untaken.is_empty()
            && state.free(self.settings.concurrency) <= state.left_free
            && state.turn_at.is_none_or(|at| now < at);
        let turn = state.turn_at.map_or(RETURNED_WAIT, |at| at.saturating_sub(now));
        waits.then(|| turn.min(RETURNED_WAIT))
    }

    /// Whether nothing is due except for a look at the queue.
    fn is_poll(&self, now: Duration) -> bool {
        let state = self.lock();
        state.quiet.as_ref().is_some_and(|quiet| !quiet.is_over(now))
            && state.ended.is_empty()
            && state.untaken.is_empty()
            && state.returned.is_empty()
            && state.free(self.settings.concurrency) > 0
            && self.renews_in(&state, now).is_none_or(|wait| !wait.is_zero())
            && !purge::is_due(&self.queues, &self.settings, &state, now)
    }

    /// How long until the claims are to be renewed, if there are any.
    pub(super) fn renews_in(&self, state: &State, now: Duration) -> Option<Duration> {
        let renews = self.has_leases() && state.holds();
        renews.then(|| state.renew_at(self.settings.lease).saturating_sub(now))
    }

    /// The report of a poll that has found nothing to do. The next one is due after `wait`.
    fn report_quiet(&self, reached_engine: bool, wait: Duration, now: Duration) -> TurnReport {
        let mut state = self.lock();
        let mut report = std::mem::take(&mut state.report);
        report.reached_engine = reached_engine;
        report.ready = state.ready(self.settings.concurrency);
        let quiet = state.quiet.as_ref().and_then(|quiet| quiet.left(now));
        let renewal = self.renews_in(&state, now);
        let next = quiet.into_iter().chain(renewal).fold(wait, Duration::min);
        report.next = Some(next.max(MIN_WAIT));
        report
    }
}

/// Nobody looks at its queue for it any more.
impl Drop for Consumer {
    fn drop(&mut self) {
        self.queues.polls().leave(self.poll_id);
    }
}
