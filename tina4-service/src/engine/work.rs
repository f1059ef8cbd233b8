//! The work that a supervisor gives to the pool: one run of a service, or one clean-up.

use std::sync::Arc;

use crate::service::context::Context;
use crate::service::outcome::Exit;
use tina4_service_core::lifecycle::Crash;

/// Identifies a piece of work.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WorkId {
    /// The service's index in its runner.
    pub(crate) index: u32,
    pub(crate) kind: WorkKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WorkKind {
    /// One call of the service's function.
    Run,
    /// One call of the service's async function, whose future becomes a task.
    Task,
    /// The clean-up hooks of the activation that has ended.
    CleanUp,
}

/// A piece of work, ready to be executed without the lock.
#[derive(Debug)]
pub(crate) struct WorkItem {
    pub(crate) kind: WorkKind,
    /// The service's index in its runner.
    pub(crate) index: u32,
    /// The context of the run; for a clean-up, that of the last run before it.
    pub(crate) context: Context,
}

/// The result of a [`WorkItem`].
#[derive(Debug)]
pub(crate) enum Completion {
    /// The run is over.
    Ran(Exit<Box<Crash>>),
    /// It continues as a task, which reports its end.
    #[cfg(feature = "tokio")]
    Spawned,
    /// The clean-up is over. Contains the error text of each hook that failed.
    CleanedUp(Vec<Arc<str>>),
}
