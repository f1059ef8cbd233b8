//! [`Claim`] and [`Held`]: a job in the hands of one process.

use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// A job that an engine has handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// What the engine needs to recognize the claim.
    pub held: Held,
    /// The index of the [`Want`](crate::Want) that it answers.
    pub want: usize,
    /// The payload, as JSON.
    pub payload: String,
    /// Which attempt this is; the first is 1.
    pub attempt: u32,
    /// How many claims of this job were lost, because their lease ended without a finish.
    pub lost: u32,
    /// The priority of the job.
    pub priority: i8,
    /// When the job was pushed.
    pub pushed_at: Timestamp,
    /// The error of the last attempt that failed.
    pub last_error: Option<String>,
}

/// One claim of one job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Held {
    /// The job.
    pub id: JobId,
    /// The fence: each claim of a job has a higher number than all claims of it before.
    ///
    /// It never restarts, not even when attempts are given back or a dead job is put back, so that a
    /// process that wakes up late cannot finish a claim of another one.
    pub claim: u64,
}
