//! [`Cancelled`].

/// The result of cancelling a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// It was waiting, and is deleted.
    Deleted,
    /// It is in the hands of a process; nothing was changed.
    Claimed,
    /// The queue has no such job: it is done, dead or was never there.
    Unknown,
}
