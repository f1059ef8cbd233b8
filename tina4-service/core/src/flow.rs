//! What a run wants to happen next.

use std::time::Duration;

/// What a run wants to happen next.
///
/// A function that returns `()` or `Result<(), E>` means [`Flow::Wait`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Flow {
    /// Run again as scheduled.
    #[default]
    Wait,
    /// Run again immediately; the grid of an interval stays where it is.
    Again,
    /// Run again after this pause, once; the grid of an interval stays where it is.
    After(Duration),
    /// The work is done: the service is `finished`.
    Done,
}
