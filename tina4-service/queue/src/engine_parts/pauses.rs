//! The pauses between attempts to connect, and limits in texts.

use std::time::Duration;

/// They double from the first to the longest.
const FIRST: Duration = Duration::from_millis(50);
const LONGEST: Duration = Duration::from_secs(1);

/// The pause after this many attempts that failed, from 1: 50 ms, and then doubled up to a second.
#[must_use]
pub fn pause_after(failures: u32) -> Duration {
    doubled(FIRST, LONGEST, failures)
}

/// A limit as it is told to people: some of it may have passed before the call.
#[must_use]
pub fn rounded(limit: Duration) -> Duration {
    let millis = limit.saturating_add(Duration::from_micros(500)).as_millis();
    Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
}

/// The first pause after one failure, and then doubled up to the longest.
pub(super) fn doubled(first: Duration, longest: Duration, failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    first.saturating_mul(1 << doublings).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_second() {
        let pauses: Vec<_> = [1, 2, 3, 4, 5, 6, 7, u32::MAX]
            .map(|failures| pause_after(failures).as_millis())
            .to_vec();
        assert_eq!(pauses, [50, 100, 200, 400, 800, 1000, 1000, 1000]);
    }

    #[test]
    fn a_limit_is_told_without_what_has_passed() {
        assert_eq!(rounded(Duration::from_micros(199_700)), Duration::from_millis(200));
        assert_eq!(rounded(Duration::from_secs(2)), Duration::from_secs(2));
        assert_eq!(rounded(Duration::MAX), Duration::from_millis(u64::MAX));
    }
}
