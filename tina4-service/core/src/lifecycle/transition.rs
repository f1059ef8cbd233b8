//! What a step changes that others want to know.

use std::time::Duration;

use super::crash::Crash;
use super::end_reason::EndReason;

/// A change to report to the log, to subscribers and to waiting threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// An activation has begun.
    Started,
    /// This many runs were missed and left out.
    Skipped(u64),
    /// A run has crashed.
    Crashed {
        /// Why it crashed.
        crash: Crash,
        /// Consecutive crashes, this one included.
        consecutive_crashes: u32,
        /// The backoff before the restart; `None` if the service has failed for good.
        restart_in: Option<Duration>,
    },
    /// A continuous service returned, and `restart = "always"` restarts it.
    Returned {
        /// The backoff before the restart.
        restart_in: Duration,
    },
    /// A continuous service with `restart = "always"` returned, and has failed: it may not be
    /// restarted again.
    ReturnedTooOften {
        /// The text of the error.
        error: &'static str,
    },
    /// A restart begins: its backoff is over.
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
        reason: EndReason,
        /// Whether a start was requested while it was stopping.
        start_again: bool,
    },
    /// The last run crashed after stop was requested; that does not count as a crash.
    CrashedWhileStopping(Crash),
    /// The activation did not end in time.
    Abandoned {
        /// Whether the service had failed for good before.
        failed: bool,
    },
    /// The run or clean-up of an abandoned activation has ended after all.
    LateEnd,
}
