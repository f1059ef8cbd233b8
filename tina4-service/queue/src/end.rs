//! [`End`] and [`Ended`]: how a claim ends.

use std::time::Duration;

use crate::claim::Held;

/// How a claim ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The job is done, and forgotten.
    Done,
    /// The job is done, and a copy of it is kept, see [`Engine::done`](crate::Engine::done).
    Kept,
    /// The attempt failed, and another one follows.
    Again {
        /// How long from now the job becomes ready. A duration, because on some engines the clock of
        /// the server decides.
        delay: Duration,
        /// Why the attempt failed.
        error: String,
    },
    /// The attempt failed, and it was the last one: the job is kept among the dead ones.
    Dead {
        /// Why the attempt failed.
        error: String,
    },
    /// The job is given back as if it had not been claimed: the attempt does not count.
    Back,
}

impl End {
    /// Whether the job is done.
    pub(crate) const fn is_done(&self) -> bool {
        match self {
            Self::Done | Self::Kept => true,
            Self::Again { .. } | Self::Dead { .. } | Self::Back => false,
        }
    }

    /// How a job that is done ends.
    pub(crate) const fn done(keeps_copy: bool) -> Self {
        if keeps_copy { Self::Kept } else { Self::Done }
    }
}

/// A claim that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The claim.
    pub held: Held,
    /// How it ends.
    pub end: End,
}
