//! [`Settling`]: a claim that ends.

use std::time::Duration;

use crate::claim::Claim;
use crate::counters::Counters;
use crate::dead_job::DeadJob;
use crate::end::{End, Ended};
use crate::timestamp::Timestamp;

/// A claim that ends.
#[derive(Debug)]
pub(super) struct Settling {
    pub(super) claim: Claim,
    pub(super) end: End,
    /// What it means if the engine says that it is not held any more.
    pub(super) if_stale: IfStale,
    /// Whether the engine may have been asked before to end it, and has not answered.
    pub(super) was_sent: bool,
    /// Before when the engine is not asked again, because another transaction had locked the job; `None`: it had not.
    pub(super) not_before: Option<Duration>,
}

/// What it means that a claim is not held any more which is to be ended.
#[derive(Debug)]
pub(super) enum IfStale {
    /// Another process has the job, or will.
    Lost,
    /// The function has completed the job in a transaction, which was committed after all. It has been counted.
    Completed,
    /// The function has ended it like this, most likely, in a call whose answer was lost.
    Ended(End),
}

impl Settling {
    /// A job that is given back.
    pub(super) fn back(claim: Claim) -> Self {
        Self { claim, end: End::Back, if_stale: IfStale::Lost, was_sent: false, not_before: None }
    }

    /// Whether the engine is to be asked now.
    pub(super) fn is_due(&self, now: Duration) -> bool {
        self.not_before.is_none_or(|at| now >= at)
    }

    pub(super) fn to_ended(&self) -> Ended {
        Ended { held: self.claim.held, end: self.end.clone() }
    }
}

/// Counts the end of a claim.
pub(super) fn count(end: &End, counters: &mut Counters) {
    match end {
        End::Done | End::Kept => counters.done += 1,
        End::Again { .. } => counters.failed += 1,
        End::Dead { .. } => {
            counters.failed += 1;
            counters.dead += 1;
        }
        End::Back => counters.returned += 1,
    }
}

/// A job that has died, as it is reported.
pub(super) fn dead_job(claim: &Claim, error: &str, died_at: Timestamp) -> DeadJob {
    DeadJob {
        id: claim.held.id,
        payload: claim.payload.clone(),
        attempts: claim.attempt,
        error: error.to_owned(),
        pushed_at: claim.pushed_at,
        died_at,
    }
}
