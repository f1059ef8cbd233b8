//! What is remembered of the runs of all services.

use crate::observe::ledger::Ledger;
use crate::observe::run_entry::{FailureEntry, RunEntry};

/// The runs and the failures of all services. `supervisor/history.rs` adds and removes them.
#[derive(Debug, Default)]
pub(super) struct PastRuns {
    pub(super) runs: Ledger<RunEntry>,
    pub(super) failures: Ledger<FailureEntry>,
}
