//! What other services may depend on.

/// What others may depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the service is in an activation.
    pub active: bool,
    /// Whether the first run of this activation has begun, or waits for its calendar time.
    pub ready: bool,
}
