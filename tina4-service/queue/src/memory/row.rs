//! [`Row`] and [`DeadRow`]: one job of the memory engine.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::dead_job::DeadJob;
use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// A job that waits or is claimed.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) queue: Arc<str>,
    pub(super) payload: String,
    pub(super) state: State,
    pub(super) priority: i8,
    pub(super) due: Timestamp,
    pub(super) attempt: u32,
    pub(super) claim: u64,
    pub(super) lost: u32,
    pub(super) error: Option<String>,
    pub(super) pushed_at: Timestamp,
    /// The key that is unique while the job exists.
    pub(super) key: Option<String>,
}

/// What a job waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A claim.
    Ready,
    /// Its due time.
    Later,
    /// The end of the claim.
    Claimed { owner: String, until: Timestamp },
}

/// The place of a ready job in the order of its queue.
pub(super) type Place = (Reverse<i8>, Timestamp, JobId);

impl Row {
    pub(super) fn place(&self, id: JobId) -> Place {
        (Reverse(self.priority), self.due, id)
    }

    /// Whether it is held by this owner, with this claim number, at this instant.
    pub(super) fn is_held(&self, claim: u64, owner: &str, now: Timestamp) -> bool {
        match &self.state {
            State::Ready | State::Later => false,
            State::Claimed { owner: holder, until } => {
                self.claim == claim && holder == owner && *until > now
            }
        }
    }
}

/// A job that is dead.
#[derive(Clone, Debug)]
pub(super) struct DeadRow {
    pub(super) payload: String,
    pub(super) priority: i8,
    pub(super) attempt: u32,
    /// Kept, so that the claim numbers go on if the job is put back.
    pub(super) claim: u64,
    pub(super) error: String,
    pub(super) pushed_at: Timestamp,
    pub(super) died_at: Timestamp,
}

impl DeadRow {
    pub(super) fn to_job(&self, id: JobId) -> DeadJob {
        DeadJob {
            id,
            payload: self.payload.clone(),
            attempts: self.attempt,
            error: self.error.clone(),
            pushed_at: self.pushed_at,
            died_at: self.died_at,
        }
    }
}
