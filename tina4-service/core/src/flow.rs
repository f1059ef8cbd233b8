//! What happens after a run.

use std::time::Duration;

/// Returned by a service's function to say what happens next.
///
/// Returning `()` or `Ok(())` is equivalent to returning [`Flow::Wait`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Run again at the next due time of the schedule.
    ///
    /// A continuous service has no schedule: it is `finished`, or restarted with
    /// `restart = "always"`.
    #[default]
    Wait,
    /// Run again immediately. This does not move the grid of an interval.
    Again,
    /// Run again after this pause, then return to the schedule. This does not move the grid of an
    /// interval.
    After(Duration),
    /// The work is done: the service is `finished`.
    Done,
}
