//! Why a request is refused.

/// Why a request does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is in an activation already.
    Active,
    /// It is not in an activation.
    NotActive,
    /// It is waiting for services that it comes `after`.
    WaitingForDependencies,
    /// A run is in progress.
    Busy,
    /// It is ending.
    Stopping,
    /// An abandoned run of it is still alive.
    Lingering,
}
