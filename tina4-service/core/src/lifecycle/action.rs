//! What the supervisor has to do after a step.

use super::refusal::Refusal;
use super::run_kind::RunKind;
use crate::nanos::Nanos;

/// What to do after a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Wait for the next input.
    Nothing,
    /// Call the function.
    Run {
        /// When the run was due.
        due: Nanos,
        /// The number of consecutive crashes before this run, plus 1.
        attempt: u32,
        /// How the run is executed.
        kind: RunKind,
    },
    /// Run the clean-up hooks, then report [`Input::CleanedUp`](super::Input::CleanedUp).
    CleanUp,
    /// The request is not possible in this state.
    Refused(Refusal),
}
