//! [`Polls`]: the consumers of an engine that have nothing to do but to look at their queues from time to time.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::timestamp::Timestamp;

/// How many queues are looked at with one request, so that it does not hold up other requests.
const MAX_QUEUES: usize = 1_000;

/// The consumers of an engine that wait for their next poll.
///
/// Whoever is due looks at the queues of the others as well, with one request. So the polls of all fall together in
/// time, and a hundred idle queues cost as much as one.
#[derive(Debug, Default)]
pub(crate) struct Polls(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    last_id: u64,
    waiting: BTreeMap<u64, Waiting>,
    /// Whether a consumer is asking the engine.
    is_looking: bool,
}

/// Identifies a consumer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PollId(u64);

/// A consumer that waits for its next poll.
#[derive(Debug)]
struct Waiting {
    queue: &'static str,
    poll: Duration,
    /// When its queue was looked at last.
    looked_at: Timestamp,
    /// Whether another consumer did that, and this one has not taken it into account yet.
    is_news: bool,
}

impl Polls {
    pub(crate) fn new_id(&self) -> PollId {
        let mut state = self.lock();
        state.last_id += 1;
        PollId(state.last_id)
    }

    /// A consumer, which has just looked at its queue, waits for its next poll.
    pub(crate) fn enter(
        &self,
        id: PollId,
        queue: &'static str,
        poll: Duration,
        looked_at: Timestamp,
    ) {
        let waiting = Waiting { queue, poll, looked_at, is_news: false };
        self.lock().waiting.insert(id.0, waiting);
    }

    /// A consumer does not wait for a poll any more.
    pub(crate) fn leave(&self, id: PollId) {
        self.lock().waiting.remove(&id.0);
    }

    /// Whether another consumer has looked at the queue of this one.
    pub(crate) fn has_news(&self, id: PollId) -> bool {
        self.lock().waiting.get(&id.0).is_some_and(|waiting| waiting.is_news)
    }

    /// The time until the next poll of a consumer that is due, if another one has looked at its queue meanwhile.
    ///
    /// Each look counts once, so a clock that was set back delays a poll by no more than its period.
    pub(crate) fn postpone(&self, id: PollId, now: Timestamp) -> Option<Duration> {
        let mut state = self.lock();
        let waiting = state.waiting.get_mut(&id.0)?;
        if !std::mem::take(&mut waiting.is_news) {
            return None;
        }
        waiting.poll.checked_sub(now.since(waiting.looked_at)).filter(|left| !left.is_zero())
    }

    /// Begins a look for a consumer that is due. It includes the queues of the others that have waited for half their time:
    /// the rest would be looked at too often. `None` if another look is in progress: one that does not end must not hold up
    /// everybody.
    pub(crate) fn begin_look(&self, id: PollId, now: Timestamp) -> Option<Look<'_>> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.is_looking, true) {
            return None;
        }
        let mut others = Vec::new();
        for (other, waiting) in &mut state.waiting {
            let is_own = *other == id.0;
            // The clock may have been set back.
            let is_soon =
                now < waiting.looked_at || now.since(waiting.looked_at) >= waiting.poll / 2;
            if !is_own && (!is_soon || others.len() >= MAX_QUEUES) {
                continue;
            }
            (waiting.looked_at, waiting.is_news) = (now, !is_own);
            if !is_own {
                others.push((waiting.queue, waiting.poll));
            }
        }
        Some(Look { polls: self, others })
    }

    /// Each change of the state is complete before anything can panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A look in progress. It is over when this is dropped, also in a panic.
pub(crate) struct Look<'a> {
    polls: &'a Polls,
    /// The queues of the other consumers that it includes, with their periods.
    pub(crate) others: Vec<(&'static str, Duration)>,
}

impl Drop for Look<'_> {
    fn drop(&mut self) {
        self.polls.lock().is_looking = false;
    }
}
