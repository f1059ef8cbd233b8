//! How the task of an async function tells its runner that it has ended.

use std::sync::Arc;

use tina4_service_core::lifecycle::Crash;

use crate::service::outcome::Exit;

/// The part of a runner that has to know when a task has ended.
///
/// A trait, because the engine that implements it is in a higher layer. The methods do not block.
pub(crate) trait TaskListener: Send + Sync {
    /// The run of the service with this index has ended.
    fn run_ended(self: Arc<Self>, index: u32, exit: Exit<Box<Crash>>);

    /// The clean-up of that service has ended. `failures`: the error text of each hook that failed.
    fn clean_up_ended(self: Arc<Self>, index: u32, failures: Vec<Arc<str>>);
}
