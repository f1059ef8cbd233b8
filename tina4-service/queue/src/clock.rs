//! The clocks of the system: the only file of this crate that reads them.

#[cfg(feature = "contract")]
use std::time::Instant;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::timestamp::Timestamp;

/// The current time of the machine; the Unix epoch if its clock is before that.
#[expect(clippy::disallowed_methods, reason = "this file owns the clock of the crate")]
pub(crate) fn system() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX))
}

/// The monotonic clock, for tests that measure.
#[cfg(feature = "contract")]
#[expect(clippy::disallowed_methods, reason = "this file owns the clock of the crate")]
pub(crate) fn monotonic() -> Instant {
    Instant::now()
}
