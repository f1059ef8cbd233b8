//! The only place that reads a clock, and that waits.

use std::thread;
use std::time::{Duration, SystemTime};

#[expect(clippy::disallowed_methods, reason = "this file is the one that reads the clock")]
pub(crate) fn wall() -> SystemTime {
    SystemTime::now()
}

#[expect(clippy::disallowed_methods, reason = "another process is asked again after a pause")]
pub(crate) fn pause(duration: Duration) {
    thread::sleep(duration);
}
