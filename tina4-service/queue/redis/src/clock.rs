//! The monotonic clock and pauses, for connections only: the only file of this crate that reads it. Jobs have the
//! clock of the server.

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

/// Waits until an instant: for at most a second, between attempts to connect.
pub(crate) fn pause_until(end: Instant) {
    let (lock, never) = (Mutex::new(()), Condvar::new());
    let mut guard = lock.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let left = end.saturating_duration_since(now());
        if left.is_zero() {
            return;
        }
        let waited = never.wait_timeout(guard, left.min(Duration::from_secs(1)));
        guard = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
}
