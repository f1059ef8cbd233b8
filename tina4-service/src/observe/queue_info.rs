//! What is known about the queue of a service.

use tina4_service_queue::{Backlog, Counters};

/// What is known about the queue of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueInfo {
    /// The name of the queue.
    pub name: &'static str,
    /// The number of jobs in progress in this service.
    pub running: usize,
    /// What this process has done with the queue.
    pub counters: Counters,
    /// The jobs in the store, of all processes; `None`: the engine cannot count them or has failed, or the
    /// service has not been started yet.
    pub backlog: Option<Backlog>,
}
