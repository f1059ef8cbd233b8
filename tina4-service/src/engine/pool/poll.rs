//! The answer of a condition that a thread waits for.

use tina4_service_core::Nanos;

/// The answer of a condition that a thread waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poll<T> {
    /// It holds.
    Ready(T),
    /// Not yet. Ask again after a change, or at this instant.
    Pending(Option<Nanos>),
}
