//! Why an activation ended.

/// Why an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// A stop was requested, or the start failed.
    Stopped,
    /// Its work is done.
    Finished,
    /// It crashed, or returned with `restart = "always"`, and no restart is allowed.
    Failed,
}
