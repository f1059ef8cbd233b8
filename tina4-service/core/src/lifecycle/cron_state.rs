//! What only a service with a cron schedule remembers.

use super::occurrence::{NEVER, Occurrence};
use crate::nanos::Nanos;

/// What only a service with a cron schedule remembers. Occurrences are in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(super) struct CronState {
    /// The occurrence it waits for, or waited for last.
    pub(super) next: Occurrence,
    /// The occurrence that the current or last run is for; `None` for a restart or a run on request.
    pub(super) run_occurrence: Option<i64>,
    /// All occurrences up to here have been run or skipped.
    pub(super) handled_through: i64,
    /// The last occurrence that ran.
    pub(super) last_run_occurrence: i64,
}

impl CronState {
    /// The state of a service that has not waited yet.
    pub(super) const NEW: Self = Self {
        next: Occurrence { at: NEVER, jitter: 0, due: Nanos::MAX },
        run_occurrence: None,
        handled_through: i64::MIN,
        last_run_occurrence: i64::MIN,
    };
}

impl Default for CronState {
    fn default() -> Self {
        Self::NEW
    }
}
