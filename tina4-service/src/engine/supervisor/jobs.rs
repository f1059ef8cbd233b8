//! [`Jobs`]: the turns and jobs of one queue service, as the supervisor sees them.

use std::collections::BTreeMap;

use std::time::Duration;

use crate::service::instance::Instance;
use tina4_service_core::lifecycle::{Consuming, RunKind};
use tina4_service_core::{Nanos, nanos};
use tina4_service_queue::JobId;
use tina4_service_queue::consumer::Consumer;

/// The longest time between a turn that fails and the next one, while there are claims to renew or to settle.
const MAX_RETRY: Duration = Duration::from_secs(1);

/// The shortest wait for an engine that has failed, even if jobs are pushed.
const MIN_BACKOFF: Duration = Duration::from_secs(1);

/// The turns and jobs of one queue service.
#[derive(Debug)]
pub(super) struct Jobs {
    pub(super) concurrency: usize,
    pub(super) is_async: bool,
    /// When the next turn is due, if one may take place.
    pub(super) turn_due: Option<Nanos>,
    /// A turn is in progress.
    pub(super) is_turning: bool,
    /// Whether the turn in progress, or the last one, claims jobs.
    pub(super) turn_claims: bool,
    /// Another turn was asked for while one was in progress.
    pub(super) turn_again: bool,
    /// What the life cycle allowed after its last step.
    pub(super) consuming: Consuming,
    /// Whether a turn may take place.
    pub(super) may_turn: bool,
    /// Since when items wait to be taken; `None`: there are none.
    pub(super) ready_since: Option<Nanos>,
    /// The items in progress, by number.
    pub(super) active: BTreeMap<u32, ActiveItem>,
    /// After how long a job is cancelled.
    pub(super) cancel_after: Option<Nanos>,
    /// The number of the last item that was handed out.
    pub(super) last_number: u32,
    /// How soon a turn that has failed is tried again, if the backoff of the run does not apply: many times within
    /// a lease.
    retry: Nanos,
    /// When the last turn failed.
    failed_at: Nanos,
}

/// An item in progress.
#[derive(Clone, Copy, Debug)]
pub(super) struct ActiveItem {
    pub(super) began: Nanos,
    /// The number of the run, its attempt, and its job; `None`: it is the report of a dead job.
    pub(super) run: Option<(u64, u32, JobId)>,
    /// When the job is cancelled; `None`: never, or it was already.
    pub(super) cancel_at: Option<Nanos>,
}

impl Jobs {
    /// `None`: the service has no queue.
    pub(super) fn new(instance: &Instance) -> Option<Self> {
        let queue = instance.queue()?;
        Some(Self {
            concurrency: queue.settings().concurrency,
            retry: nanos(MAX_RETRY.min(queue.settings().lease / 10)),
            failed_at: 0,
            is_async: instance.definition.run_kind() == RunKind::Task,
            turn_due: None,
            is_turning: false,
            turn_claims: false,
            turn_again: false,
            consuming: Consuming::Nothing,
            may_turn: false,
            ready_since: None,
            active: BTreeMap::new(),
            cancel_after: queue.cancel_after.map(nanos),
            last_number: 0,
        })
    }

    /// When a turn or an item is due.
    pub(super) fn due(&self) -> Option<Nanos> {
        let turn = self.turn_due.filter(|_| self.may_turn && !self.is_turning);
        turn.into_iter().chain(self.ready_since).chain(self.next_cancellation()).min()
    }

    /// When the next job has to be cancelled.
    fn next_cancellation(&self) -> Option<Nanos> {
        self.cancel_after?;
        self.active.values().filter_map(|item| item.cancel_at).min()
    }

    /// Whether items are in progress.
    pub(super) fn is_active(&self) -> bool {
        !self.active.is_empty()
    }

    /// Whether what the last turn has left may begin. If a stop or a pause came during the turn, the next one
    /// gives the claimed jobs back first.
    pub(super) fn may_begin_items(&self) -> bool {
        match self.consuming {
            Consuming::Claiming | Consuming::Nothing => true,
            Consuming::Pausing
            | Consuming::Stopping
            | Consuming::BackingOff
            | Consuming::Paused
            | Consuming::Abandoned => !self.turn_claims,
        }
    }

    /// Whether a turn claims jobs.
    pub(super) fn may_claim(&self) -> bool {
        self.consuming == Consuming::Claiming
    }

    /// Whether a turn may take place: the life cycle is in its run, or jobs have outlasted it.
    pub(super) fn may_turn(&self) -> bool {
        self.may_turn
    }

    /// Whether jobs are in progress, or anything is to be settled.
    pub(super) fn has_work(&self, instance: &Instance) -> bool {
        let consumer = || instance.queue().and_then(|queue| queue.consumer());
        self.is_executing() || consumer().is_some_and(Consumer::is_unsettled)
    }

    /// A turn has failed: returns when it is tried again at the latest, while there is anything to do.
    pub(super) fn turn_failed(&mut self, now: Nanos) -> Nanos {
        self.failed_at = now;
        now.saturating_add(self.retry)
    }

    /// Until when the service backs off, if the engine seems to work again.
    pub(super) fn shortened_backoff(&self, now: Nanos) -> Nanos {
        self.failed_at.saturating_add(nanos(MIN_BACKOFF)).max(now)
    }

    /// Whether a worker is busy with this service.
    pub(super) fn is_executing(&self) -> bool {
        self.is_turning || self.is_active()
    }

    /// When the job that has been in progress longest began; `now` if there is none.
    pub(super) fn oldest(&self, now: Nanos) -> Nanos {
        self.active.values().map(|item| item.began).min().unwrap_or(now)
    }

    /// How many threads it needs in addition to the one of its turns: one for each plain job.
    pub(super) fn threads(&self) -> usize {
        if self.is_async { 1 } else { self.concurrency }
    }

    /// Makes a turn due now, or after the one in progress.
    pub(super) fn request_turn(&mut self, now: Nanos) {
        if self.is_turning {
            self.turn_again = true;
        } else {
            self.turn_due = Some(self.turn_due.map_or(now, |due| due.min(now)));
        }
    }
}
