//! [`DeadJob`] and [`DeadSelection`].

use std::time::Duration;

use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// A job that is not attempted any more, and is kept until somebody decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadJob {
    /// The id of the job.
    pub id: JobId,
    /// The payload, as JSON.
    pub payload: String,
    /// How often it was attempted.
    pub attempts: u32,
    /// Why the last attempt failed.
    pub error: String,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// When it died.
    pub died_at: Timestamp,
}

/// Which of the dead jobs of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeadSelection {
    /// All of them.
    All,
    /// The one with this id, if it is among them.
    One(JobId),
    /// Those that died before this instant.
    DiedBefore(Timestamp),
    /// Those that died this long ago or longer, by the clock of the engine.
    OlderThan(Duration),
}

impl DeadSelection {
    /// Whether it selects the job with this id that died at this instant, if it is `now`.
    #[must_use]
    pub fn selects(self, id: JobId, died_at: Timestamp, now: Timestamp) -> bool {
        match self {
            Self::All => true,
            Self::One(one) => one == id,
            Self::DiedBefore(limit) => died_at < limit,
            Self::OlderThan(age) => died_at <= now.minus(age),
        }
    }
}
