//! [`Pushed`].

use crate::job_id::JobId;

/// What became of a push.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pushed {
    /// A new job was stored.
    New(JobId),
    /// Its unique key is taken: this job was there already, and nothing was stored.
    Known(JobId),
}

impl Pushed {
    /// The id of the job, whether it is new or was there already.
    #[must_use]
    pub const fn id(self) -> JobId {
        match self {
            Self::New(id) | Self::Known(id) => id,
        }
    }

    /// Whether a new job was stored.
    #[must_use]
    pub const fn is_new(self) -> bool {
        match self {
            Self::New(_) => true,
            Self::Known(_) => false,
        }
    }
}
