//! How an activation ends.

/// How an activation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It was asked to stop.
    Stopped,
    /// Its work is done.
    Finished,
    /// It crashed, and is not restarted.
    Failed,
}
