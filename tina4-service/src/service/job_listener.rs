//! How a queue service tells its runner that there is something to do.

use std::sync::Arc;

#[cfg(feature = "tokio")]
use tina4_service_core::lifecycle::RunOutcome;

/// The part of a runner that has to know when jobs may be ready, and when the task of one has ended.
///
/// A trait, because the engine that implements it is in a higher layer. The methods do not block.
pub(crate) trait JobListener: Send + Sync {
    /// A job was pushed to the queue of this service. `instance` is the address of its instance, because
    /// another service may have the same name by now.
    fn jobs_may_be_ready(self: Arc<Self>, service: &str, instance: usize);

    /// The task of a job, or of a report of a dead job, of the service with this index has ended like this: that of
    /// the item with this number. `failure`: the error text of `on_dead`.
    #[cfg(feature = "tokio")]
    fn job_ended(
        self: Arc<Self>,
        index: u32,
        item: u32,
        outcome: RunOutcome,
        failure: Option<Arc<str>>,
    );
}
