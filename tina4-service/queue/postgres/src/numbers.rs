//! Conversions between the numbers of the engine and those of PostgreSQL, which have a sign.

use std::time::Duration;

use tina4_service_queue::{Held, JobId, Timestamp};

/// The longest duration that is stored, in microseconds: ten thousand years.
const MAX_MICROS: i64 = 10_000 * 366 * 24 * 3600 * 1_000_000;

/// The id of a row.
pub(crate) fn id_of(row: i64) -> JobId {
    JobId::new(u128::try_from(row).unwrap_or(0))
}

/// The row with this id; -1, which no row has, if there can be none.
pub(crate) fn row_of(id: JobId) -> i64 {
    i64::try_from(id.get()).unwrap_or(-1)
}

/// Row and claim number; -1 for what cannot be there.
pub(crate) fn claim_of(held: Held) -> (i64, i64) {
    (row_of(held.id), i64::try_from(held.claim).unwrap_or(-1))
}

/// A count, which is never negative.
pub(crate) fn count(found: i64) -> u64 {
    u64::try_from(found).unwrap_or(0)
}

/// A small count.
pub(crate) fn small(found: i32) -> u32 {
    u32::try_from(found).unwrap_or(0)
}

/// A limit of rows.
pub(crate) fn limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}

/// Microseconds, rounded up, so that nothing is due too early.
pub(crate) fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos().div_ceil(1000)).unwrap_or(i64::MAX).min(MAX_MICROS)
}

/// A duration in microseconds.
pub(crate) fn duration(micros: i64) -> Duration {
    Duration::from_micros(count(micros))
}

/// An instant in milliseconds since the Unix epoch.
pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_up_and_limited() {
        assert_eq!(micros(Duration::from_nanos(1)), 1);
        assert_eq!(micros(Duration::from_micros(7)), 7);
        assert_eq!(micros(Duration::MAX), MAX_MICROS);
        assert_eq!(duration(micros(Duration::from_millis(3))), Duration::from_millis(3));
    }

    #[test]
    fn what_cannot_be_there_matches_no_row() {
        let held = Held { id: JobId::new(u128::MAX), claim: u64::MAX };
        assert_eq!(claim_of(held), (-1, -1));
    }
}
