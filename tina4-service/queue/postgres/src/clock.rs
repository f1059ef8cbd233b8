//! The monotonic clock, for waits only: the only file of this crate that reads it. Jobs have the clock of the server.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The current instant.
#[expect(clippy::disallowed_methods, reason = "this file owns the clock of the crate")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// The instant this much later: in a year if it is too far away to be an instant.
pub(crate) fn later(time: Duration) -> Instant {
    let now = now();
    now.checked_add(time).unwrap_or(now + Duration::from_secs(365 * 24 * 3600))
}

/// The time until an instant.
pub(crate) fn until(end: Instant) -> Duration {
    end.saturating_duration_since(now())
}

/// Waits for this long, between attempts.
pub(crate) fn pause(time: Duration) {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    let guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
    drop(never.wait_timeout_while(guard, time, |()| true));
}
