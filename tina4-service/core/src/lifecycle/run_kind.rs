//! How the runs of a service are executed.

/// How the runs of a service are executed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RunKind {
    /// A run is a call on a thread. It ends when the function returns, and the same thread may then
    /// begin the next run or the clean-up.
    #[default]
    Call,
    /// A run is the task of an async function. It can be dropped at any of its await points, and its
    /// thread must not block, so a worker carries out the clean-up.
    Task,
}
