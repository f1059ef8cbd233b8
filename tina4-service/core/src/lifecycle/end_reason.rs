//! How an activation ends.

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// Stop was requested.
    Stopped,
    /// Its work is done.
    Finished,
    /// It crashed, and may not be restarted.
    Failed,
}
