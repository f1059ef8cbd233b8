//! [`FinishError`].

use std::error::Error;
use std::fmt;

use crate::engine_error::EngineError;
use crate::job_id::JobId;

/// Why a job could not be finished or renewed.
#[derive(Debug)]
#[non_exhaustive]
pub enum FinishError {
    /// The lease had ended. Nothing was changed: another process has the job, or will.
    Stale {
        /// The name of the queue.
        queue: &'static str,
        /// The job.
        id: JobId,
    },
    /// The transaction is one of another engine. The claim ends with its lease.
    WrongEngine {
        /// The name of the queue.
        queue: &'static str,
        /// The engine of the queue.
        engine: &'static str,
        /// The engine of the transaction.
        transaction: &'static str,
    },
    /// The engine failed. If the job is not finished, its claim ends with its lease.
    Engine(EngineError),
}

impl fmt::Display for FinishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stale { queue, id } => write!(
                f,
                "the lease of job {id} of the queue `{queue}` has ended, and it runs again; finish jobs within their lease, or renew it"
            ),
            Self::WrongEngine { queue, engine, transaction } => write!(
                f,
                "the queue `{queue}` is on the engine `{engine}`, and the transaction belongs to `{transaction}`; use a transaction of the queue's own store"
            ),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl Error for FinishError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Stale { .. } | Self::WrongEngine { .. } => None,
            // `Display` has the text of the error already.
            Self::Engine(error) => error.source(),
        }
    }
}

impl From<EngineError> for FinishError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}
