//! How a service tells its runner that it is ready.

use std::sync::Arc;

/// The part of a runner that has to know when a service says that it is ready.
///
/// A trait, because the engine that implements it is in a higher layer.
pub(crate) trait ReadyListener: Send + Sync {
    /// The service has called `ctx.ready()`. `instance` is the address of its instance, because another
    /// service may have the same name by now. `may_block`: this thread may write the log.
    fn notified(self: Arc<Self>, service: &str, instance: usize, may_block: bool);
}
