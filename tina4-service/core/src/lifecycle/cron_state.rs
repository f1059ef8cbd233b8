//! The state that only services with a calendar schedule need.

use super::occurrence::{NEVER, Occurrence};
use crate::nanos::Nanos;

/// The state that only services with a calendar schedule need. Occurrences are Unix times in seconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct CronState {
    /// The occurrence it waits for, or waited for last.
    pub(super) next: Occurrence,
    /// The occurrence that the current or last run is for; `None` for a restart, or for a run that
    /// the function or a caller requested.
    pub(super) run_occurrence: Option<i64>,
    /// The same of the run before.
    pub(super) previous_run_occurrence: Option<i64>,
    /// All occurrences up to and including this one have been run or skipped.
    pub(super) handled_through: i64,
    /// The last occurrence that ran; `i64::MIN` if none has.
    pub(super) last_run_occurrence: i64,
}

impl CronState {
    /// The state of a service that has not waited yet.
    pub(super) const NEW: Self = Self {
        next: Occurrence { at: NEVER, jitter: 0, due: Nanos::MAX },
        run_occurrence: None,
        previous_run_occurrence: None,
        handled_through: i64::MIN,
        last_run_occurrence: i64::MIN,
    };
}

impl Default for CronState {
    fn default() -> Self {
        Self::NEW
    }
}
