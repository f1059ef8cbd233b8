//! Why an activation ended.

/// Why an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A stop was requested, or the start failed.
    Stopped,
    /// It was asked to, and its last run, a task, was dropped because it had not ended in time.
    Cancelled,
    /// Its work is done.
    Finished,
    /// It crashed, or returned with `restart = "always"`, and no restart is allowed.
    Failed,
}
