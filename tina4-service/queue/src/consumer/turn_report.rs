//! [`TurnReport`]: what a turn of a consumer has done.

use std::time::Duration;

use crate::end::End;
use crate::job_id::JobId;

/// What a turn of a consumer has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TurnReport {
    /// How many items can be taken now.
    pub ready: usize,
    /// Whether the engine was called, so that it is known to work.
    pub reached_engine: bool,
    /// When the next turn is due, from now, unless a job ends or is pushed before; `None`: then only.
    pub next: Option<Duration>,
    /// The claims that have ended, except those that their function has completed by itself.
    pub settled: Vec<Settled>,
    /// The jobs that died because their claims were lost too often, with their errors.
    pub lost_for_good: Vec<(JobId, String)>,
}

/// A claim that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// The job.
    pub id: JobId,
    /// Which attempt it was; the first is 1.
    pub attempt: u32,
    /// How it has ended.
    pub settlement: Settlement,
}

/// What became of a claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It has ended in this way.
    Ended(End),
    /// Its lease had ended before, so another process has the job, or will.
    Stale,
}
