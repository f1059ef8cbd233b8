//! Conversions between the numbers of the engine and those of SQLite, which have 64 bits and a sign.

use std::time::Duration;

use tina4_service_queue::{Held, JobId, Timestamp};

/// The id of a row.
pub(crate) fn id_of(row: i64) -> JobId {
    JobId::new(u128::try_from(row).unwrap_or(0))
}

/// The row with this id, if there can be one.
pub(crate) fn row_of(id: JobId) -> Option<i64> {
    i64::try_from(id.get()).ok()
}

/// Row and claim number, if there can be such a claim.
pub(crate) fn claim_of(held: Held) -> Option<(i64, i64)> {
    Some((row_of(held.id)?, i64::try_from(held.claim).ok()?))
}

/// A count, which is never negative.
pub(crate) fn count(found: i64) -> u64 {
    u64::try_from(found).unwrap_or(0)
}

/// A small count; the largest number if it does not fit.
pub(crate) fn small(found: i64) -> u32 {
    u32::try_from(found.max(0)).unwrap_or(u32::MAX)
}

/// A limit of rows.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Milliseconds after `now`.
pub(crate) fn after(now: Timestamp, duration: Duration) -> i64 {
    now.plus(duration).as_millis()
}
