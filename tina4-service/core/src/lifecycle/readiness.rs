//! Whether dependent services may start.

/// Whether services that come `after` a service may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// Whether the service is in an activation.
    pub active: bool,
    /// Whether this activation has begun its first run or waits for its first occurrence.
    pub ready: bool,
}
