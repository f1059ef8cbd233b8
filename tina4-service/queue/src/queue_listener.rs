//! [`QueueListener`].

/// Is told that jobs of a queue may be ready: a consumer in this process.
pub trait QueueListener: Send + Sync {
    /// Called after each push, without a lock, on the thread that has pushed. It must not block.
    fn jobs_may_be_ready(&self);
}
