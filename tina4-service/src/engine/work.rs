//! The work that a supervisor gives to the pool: one run of a service, or one clean-up.

use std::sync::Arc;

use crate::service::context::Context;
use crate::service::outcome::Exit;
use tina4_service_core::lifecycle::Crash;
#[cfg(feature = "queue")]
use tina4_service_core::lifecycle::RunOutcome;
#[cfg(feature = "queue")]
use tina4_service_queue::consumer::TurnReport;

/// Identifies a piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkId {
    /// The service's index in its runner.
    pub(crate) index: u32,
    pub(crate) kind: WorkKind,
}

// perf: without fields, so that the id of a plain run fits into a register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    /// One call of the service's function.
    Run,
    /// A run of the service's async function, which the task pool executes.
    #[cfg(feature = "tokio")]
    Task,
    /// The clean-up hooks of the activation that has ended.
    CleanUp,
    /// A turn of the queue: settle, renew, claim.
    #[cfg(feature = "queue")]
    Turn,
    /// A turn of the queue that claims nothing.
    #[cfg(feature = "queue")]
    TurnWithoutClaims,
    /// One item of the queue, a job or a dead one to report.
    #[cfg(feature = "queue")]
    Job,
}

/// A piece of work, ready to be executed without the lock.
#[derive(Debug)]
pub(crate) struct WorkItem {
    pub(crate) kind: WorkKind,
    /// The service's index in its runner.
    pub(crate) index: u32,
    /// The number of the item of the queue; 0: it is other work.
    #[cfg(feature = "queue")]
    pub(crate) number: u32,
    /// The context of the run; for a clean-up, that of the last run before it.
    pub(crate) context: Context,
}

/// The result of a [`WorkItem`].
#[derive(Debug)]
pub(crate) enum Completion {
    /// The run is over.
    Ran(Exit<Box<Crash>>),
    /// A task of the runtime executes it, and reports its end.
    #[cfg(feature = "tokio")]
    Queued,
    /// A turn of the queue is over.
    #[cfg(feature = "queue")]
    Turned(Box<TurnOutcome>),
    /// A job continues as a task, which reports its end.
    #[cfg(all(feature = "queue", feature = "tokio"))]
    JobSpawned,
    /// An item of the queue is over. Contains how the attempt ended, if it was a job, and the error text of
    /// `on_dead`, if that has failed.
    #[cfg(feature = "queue")]
    ItemEnded(RunOutcome, Option<Arc<str>>),
    /// The clean-up is over. Contains the error text of each hook that failed.
    CleanedUp(Vec<Arc<str>>),
}

/// The result of a turn of a queue.
#[cfg(feature = "queue")]
#[derive(Debug)]
pub(crate) struct TurnOutcome {
    /// What it has done, or why it failed.
    pub(crate) result: Result<TurnReport, Box<Crash>>,
}
