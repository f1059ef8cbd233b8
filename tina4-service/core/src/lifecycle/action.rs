//! What the supervisor has to do after a step.

use super::refusal::Refusal;
use crate::nanos::Nanos;

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait for the next event.
    Nothing,
    /// Call the function.
    Run {
        /// When the run was due.
        due: Nanos,
        /// 1 plus the number of consecutive crashes before this run.
        attempt: u32,
    },
    /// Run the clean-up hooks, then report `CleanedUp`.
    CleanUp,
    /// The request does not fit.
    Refused(Refusal),
}
