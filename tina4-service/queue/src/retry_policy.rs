//! [`RetryPolicy`]: how often a job is attempted, and when.

use std::time::Duration;

/// How often a job is attempted, and how long it waits between attempts.
///
/// The wait doubles from `backoff` up to `max_backoff`, and varies by a fifth in both directions, so
/// that jobs that failed together do not come back together.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_queue::RetryPolicy;
///
/// let policy = RetryPolicy { attempts: 3, ..RetryPolicy::DEFAULT };
/// assert_eq!(policy.backoff_after(1), Duration::from_secs(2));
/// assert_eq!(policy.backoff_after(5), Duration::from_secs(32));
/// assert!(policy.is_last(3));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The number of attempts after which a job is dead; 0 counts as 1.
    pub attempts: u32,
    /// The wait after the first failed attempt.
    pub backoff: Duration,
    /// The longest wait.
    pub max_backoff: Duration,
}

impl RetryPolicy {
    /// Ten attempts, with waits of 2 s, 4 s .. 512 s: 17 minutes in all.
    pub const DEFAULT: Self = Self {
        attempts: 10,
        backoff: Duration::from_secs(2),
        max_backoff: Duration::from_secs(3600),
    };

    /// The wait after attempt number `attempt` has failed, without the variation. The first is 1.
    #[must_use]
    pub fn backoff_after(&self, attempt: u32) -> Duration {
        let mut delay = self.backoff.min(self.max_backoff);
        for _ in 1..attempt {
            // It has reached its maximum, or stays zero.
            if delay >= self.max_backoff || delay.is_zero() {
                break;
            }
            delay = delay.saturating_mul(2).min(self.max_backoff);
        }
        delay
    }

    /// The wait after attempt number `attempt` has failed, varied by up to a fifth.
    ///
    /// `random` selects the variation: any number, evenly distributed.
    #[must_use]
    pub fn delay_after(&self, attempt: u32, random: u64) -> Duration {
        // From 800 to 1200 thousandths.
        let thousandths = 800 + u32::try_from(random % 401).unwrap_or(0);
        let varied = self.backoff_after(attempt).saturating_mul(thousandths) / 1000;
        varied.min(self.max_backoff)
    }

    /// The wait after the claim of a job was lost for the `lost`-th time.
    ///
    /// The first time there is none: usually the process was killed and the job is innocent.
    #[must_use]
    pub fn delay_after_loss(&self, lost: u32) -> Duration {
        if lost <= 1 { Duration::ZERO } else { self.backoff_after(lost - 1) }
    }

    /// Whether no attempt follows attempt number `attempt`.
    #[must_use]
    pub const fn is_last(&self, attempt: u32) -> bool {
        attempt >= self.attempts
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_131_waits_double_up_to_their_maximum() {
        let policy = RetryPolicy::DEFAULT;
        let waits: Vec<_> = (1..=13).map(|k| policy.backoff_after(k).as_secs()).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 3600, 3600]);
        assert_eq!(policy.backoff_after(u32::MAX).as_secs(), 3600);
        let none = RetryPolicy { backoff: Duration::ZERO, ..policy };
        assert_eq!(none.backoff_after(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn rule_131_waits_vary_by_a_fifth() {
        let policy = RetryPolicy::DEFAULT;
        for (random, millis) in [(0, 1600), (200, 2000), (400, 2400), (401, 1600)] {
            assert_eq!(policy.delay_after(1, random), Duration::from_millis(millis), "{random}");
        }
        assert_eq!(policy.delay_after(40, 400), policy.max_backoff);
    }

    #[test]
    fn rule_132_the_first_lost_claim_costs_no_wait() {
        let waits: Vec<_> =
            (0..5).map(|lost| RetryPolicy::DEFAULT.delay_after_loss(lost).as_secs()).collect();
        assert_eq!(waits, [0, 0, 2, 4, 8]);
    }

    #[test]
    fn no_attempts_count_as_one() {
        let policy = RetryPolicy { attempts: 0, ..RetryPolicy::DEFAULT };
        assert!(policy.is_last(1));
    }
}
