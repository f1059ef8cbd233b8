//! The only place that reads a clock.

use std::time::{Instant, SystemTime};

#[expect(clippy::disallowed_methods, reason = "this file is the one that reads the clock")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this file is the one that reads the clock")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

/// Blocks this thread. Only a thread does so on which nobody waits, and only for a fraction of a second.
#[expect(clippy::disallowed_methods, reason = "the pause is shorter than any stop")]
pub(crate) fn pause(duration: std::time::Duration) {
    std::thread::sleep(duration);
}
