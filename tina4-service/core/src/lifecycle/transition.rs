//! The changes that a step reports.

use std::time::Duration;

use super::crash::Crash;
use super::due_time::DueTime;
use super::end_reason::EndReason;

/// A change to report to the log, to subscribers and to waiting threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transition {
    /// An activation has begun.
    Started,
    /// It waits for services that it depends on.
    WaitsForDependencies,
    /// A service that it requires cannot become ready unless it is started.
    Blocked,
    /// It is no longer blocked.
    Unblocked,
    /// Runs were missed and skipped.
    Skipped {
        /// How many.
        count: u64,
        /// When the first of them was due.
        first: DueTime,
    },
    /// A run has ended well after crashes.
    Recovered {
        /// The number of consecutive crashes before it.
        crashes: u32,
    },
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
    /// A continuous service with `restart = "always"` returned, and has failed because no restart
    /// is left.
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
    /// The run that was just reported as stuck is cancelled: it is asked to return, or dropped if it is a
    /// task.
    RunCancelled,
    /// The run, which is a task, was asked to return and has not done so in time: it is to be dropped.
    RunDropped,
    /// The cancelled run has ended. The request to return must be withdrawn before the next run or
    /// clean-up begins. A [`Transition::Crashed`] follows.
    CancelledRunEnded,
    /// No more runs begin until the service is resumed, except on request.
    Paused,
    /// A pause has ended.
    Resumed,
    /// The service follows another schedule from now on.
    Rescheduled,
    /// A stop was requested: the activation is ending.
    Stopping,
    /// The activation has ended, its clean-up included.
    Ended {
        /// Why it ended.
        reason: EndReason,
        /// Whether it is to be started again: a start was requested while it was stopping, and no
        /// stop after that.
        start_again: bool,
    },
    /// The last run crashed after a stop was requested; that does not count as a crash.
    CrashedWhileStopping(Crash),
    /// The activation did not end in time.
    Abandoned {
        /// Whether the service had failed for good before.
        failed: bool,
    },
    /// The run or clean-up of an abandoned activation has ended after all.
    LateEnd,
}
