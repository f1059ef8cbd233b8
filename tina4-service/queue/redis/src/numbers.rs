//! Conversions between the numbers of the engine and those of the scripts, which are exact up to 2^53.

use std::time::Duration;

use tina4_service_queue::{JobId, Timestamp};

/// The longest duration that is stored, in milliseconds: about 9,500 years.
const MAX_MILLIS: u128 = 300_000_000_000_000;

/// The most jobs that are claimed for a request in one turn, so that other programs are not held up.
const MAX_CLAIMS: usize = 10_000;

/// An id as the scripts write it; one that no job has, if it is too large.
pub(crate) fn id_text(id: JobId) -> String {
    format!("{:016}", id.get())
}

/// The id that a script wrote.
pub(crate) fn id_of(text: &str) -> Option<JobId> {
    text.parse().ok().map(JobId::new)
}

/// Milliseconds, rounded up, so that nothing is due too early.
pub(crate) fn millis(duration: Duration) -> String {
    duration.as_nanos().div_ceil(1_000_000).min(MAX_MILLIS).to_string()
}

/// Microseconds, rounded up.
pub(crate) fn micros(duration: Duration) -> String {
    duration.as_nanos().div_ceil(1000).min(MAX_MILLIS * 1000).to_string()
}

/// A number of jobs to claim.
pub(crate) fn limit(count: usize) -> usize {
    count.min(MAX_CLAIMS)
}

/// A count, which is never negative.
pub(crate) fn count(found: i64) -> u64 {
    u64::try_from(found).unwrap_or(0)
}

/// A small count.
pub(crate) fn small(found: i64) -> u32 {
    u32::try_from(count(found)).unwrap_or(u32::MAX)
}

/// A duration in milliseconds.
pub(crate) fn duration(millis: i64) -> Duration {
    Duration::from_millis(count(millis))
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
        assert_eq!(millis(Duration::ZERO), "0");
        assert_eq!(millis(Duration::from_nanos(1)), "1");
        assert_eq!(micros(Duration::from_nanos(1)), "1");
        assert_eq!(millis(Duration::from_secs(3)), "3000");
        assert_eq!(millis(Duration::MAX), "300000000000000");
    }

    #[test]
    fn ids_have_sixteen_digits() {
        let id = JobId::new(1_780_000_000_000_000);
        assert_eq!(id_text(id), "1780000000000000");
        assert_eq!(id_of(&id_text(id)), Some(id));
        assert_eq!(id_text(JobId::new(7)), "0000000000000007");
        assert!(id_text(JobId::new(u128::MAX)).len() > 16, "which no job has");
        assert_eq!(id_of("x"), None);
    }

    /// The scripts write times with 15 digits.
    #[test]
    fn the_longest_delay_fits_for_a_thousand_years() {
        let year_3000 = 32_503_680_000_000;
        assert!(year_3000 + MAX_MILLIS < 1_000_000_000_000_000);
    }
}
