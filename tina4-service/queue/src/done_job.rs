//! [`DoneJob`].

use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// The copy of a job that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DoneJob {
    /// The id of the job.
    pub id: JobId,
    /// The payload, as JSON.
    pub payload: String,
    /// How often it was attempted, with the attempt that succeeded.
    pub attempts: u32,
    /// When it was pushed.
    pub pushed_at: Timestamp,
    /// When it was done.
    pub done_at: Timestamp,
}
