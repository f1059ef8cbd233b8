//! What a step reports.

use std::time::Duration;

use super::crash::Crash;
use super::ending::Ending;

/// Something worth telling: to the log, to subscribers, to those who wait.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// An activation has begun.
    Started,
    /// Runs fell due that could not begin in time, and were left out.
    Skipped(u64),
    /// A run has crashed.
    Crashed {
        /// Why.
        crash: Crash,
        /// Consecutive crashes, this one included.
        in_a_row: u32,
        /// The backoff before the restart; `None` if the service has failed for good.
        restart_in: Option<Duration>,
    },
    /// A continuous service returned, and `restart = "always"` restarts it.
    Returned {
        /// The backoff before the restart.
        restart_in: Duration,
    },
    /// A continuous service returned, and fails because it may not be restarted once more.
    ReturnedTooOften {
        /// The text of the error.
        error: &'static str,
    },
    /// A restart is about to run.
    Restarted,
    /// A run has neither ended nor sent a heartbeat within its timeout.
    Stuck {
        /// The time since the run began.
        running_for: Duration,
    },
    /// No more runs begin until the service is resumed.
    Paused,
    /// A pause has ended.
    Resumed,
    /// The activation is ending.
    Stopping,
    /// The activation has ended, its clean-up included.
    Ended {
        /// How it ended.
        ending: Ending,
        /// A start was requested while it was stopping.
        start_again: bool,
    },
    /// The last run crashed after stop was requested, which does not count as a crash.
    CrashedWhileStopping(Crash),
    /// It did not end in time.
    Abandoned {
        /// The service had failed for good before.
        failed: bool,
    },
    /// What was left of an abandoned activation has ended after all.
    LateEnd,
}
