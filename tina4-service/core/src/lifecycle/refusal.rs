//! Why a request is refused.

/// Why a request is not possible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The service is already in an activation.
    Active,
    /// The service is not in an activation.
    NotActive,
    /// The service is waiting for others that it depends on.
    WaitingForDependencies,
    /// The service is blocked by one that it requires.
    Blocked,
    /// A run is in progress.
    Busy,
    /// The activation is ending.
    Stopping,
    /// An abandoned run or clean-up has not ended yet.
    Lingering,
}
