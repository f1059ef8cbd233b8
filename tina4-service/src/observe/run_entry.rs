//! What the runner stores of runs that have ended: [`RunRecord`](crate::RunRecord)s in a compact form.

use std::sync::Arc;

use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::RunOutcome;
#[cfg(feature = "queue")]
use tina4_service_queue::JobId;

/// A run that has ended, or several in quick succession that ended well.
#[derive(Clone, Debug)]
pub(crate) struct RunEntry {
    /// The number of the first run.
    pub(crate) run: u64,
    /// The number of runs. Up to date once no more can follow: see [`RecentRuns`](super::recent_runs::RecentRuns).
    pub(crate) count: u64,
    /// How many runs of the service had ended before.
    pub(crate) ends_before: u64,
    /// When the first one was due, began and ended.
    pub(crate) due: Nanos,
    pub(crate) began: Nanos,
    pub(crate) first_ended: Nanos,
    /// When the last one ended, like `count`.
    pub(crate) ended: Nanos,
    /// How late the first one began.
    pub(crate) lateness: Nanos,
    /// The duration of the shortest and of the longest one, like `count`.
    pub(crate) shortest: Nanos,
    pub(crate) longest: Nanos,
    /// The occurrence that the first one was for, as Unix time in seconds.
    pub(crate) occurrence: Option<i64>,
    pub(crate) attempt: u32,
    pub(crate) trigger: RunTrigger,
    /// Who asked for it, if that is known.
    pub(crate) by: Option<Requester>,
    pub(crate) outcome: RunOutcome,
    #[cfg(feature = "queue")]
    pub(crate) job: Option<JobId>,
}

/// A failure, kept separately from the other runs.
#[derive(Clone, Debug)]
pub(crate) struct FailureEntry {
    pub(crate) run: RunEntry,
    /// `None`: not known yet.
    pub(crate) error: Option<Arc<str>>,
}

impl RunEntry {
    /// Whether others may share its entry: it ended well, and neither a person nor a failure made it begin.
    pub(crate) fn may_be_shared(&self) -> bool {
        self.outcome.is_ok()
            && match self.trigger {
                RunTrigger::Schedule => true,
                #[cfg(feature = "queue")]
                RunTrigger::Job => true,
                RunTrigger::Start | RunTrigger::Manual | RunTrigger::Restart => false,
            }
    }
}
