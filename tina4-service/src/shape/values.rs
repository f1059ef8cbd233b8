//! How instants, durations and words are written.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_core::ser::{Serialize, Serializer};

/// The text that `Display` prints.
pub(super) struct Text<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Text<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// An instant in UTC, with milliseconds: `2026-01-02T03:04:05.678Z`; null outside the years 1970 to 9999, which that
/// form cannot represent.
pub(super) struct Instant(pub(super) SystemTime);

/// The seconds from 1970 to the year 10000.
const YEAR_10000: u64 = 253_402_300_800;

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(since) if since.as_secs() < YEAR_10000 => {
                serializer.collect_str(&humantime::format_rfc3339_millis(self.0))
            }
            Ok(_) | Err(_) => serializer.serialize_none(),
        }
    }
}

/// A duration as a number of seconds.
pub(super) struct Seconds(pub(super) Duration);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.0.as_secs_f64())
    }
}
