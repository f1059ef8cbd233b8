//! The result of evaluating a condition that a thread waits for.

use tina4_service_core::Nanos;

/// Whether a condition that a thread waits for holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Poll<T> {
    /// The condition holds, with this value.
    Ready(T),
    /// The condition does not hold yet. Evaluate it again after a change, or at this instant if
    /// there is one.
    Pending(Option<Nanos>),
}
