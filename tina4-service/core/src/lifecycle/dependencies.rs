//! What a service knows about the services that it depends on.

/// Whether a service may start, judging by its dependencies: the services in its `after` and
/// `requires`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependencies {
    /// It may start.
    Met,
    /// It has to wait for at least one of them, which is still starting.
    Pending,
    /// A required one cannot become ready unless it is started.
    Unmet,
}
