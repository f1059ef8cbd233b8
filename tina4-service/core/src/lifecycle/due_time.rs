//! A due time, as its schedule knows it.

use crate::nanos::Nanos;

/// When a run was due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DueTime {
    /// An instant of the runner's clock.
    Instant(Nanos),
    /// An occurrence of a calendar schedule, as Unix time in seconds.
    Occurrence(i64),
}
