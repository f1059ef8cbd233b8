//! Restart policy: the exponential backoff after a crash, and when to give up.
//!
//! [`RestartPolicy::backoff_after`] computes the backoff. [`Restarts`] counts consecutive crashes,
//! and, if there is a window, the restarts within it: the restart intensity of an Erlang/OTP
//! supervisor.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use crate::nanos::Nanos;

/// Whether a service is restarted after it crashes or returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// After a crash.
    #[default]
    OnFailure,
    /// After a crash, and after a continuous service returns.
    Always,
    /// Never: the first crash makes the service `failed`.
    Never,
}

impl Restart {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::OnFailure, Self::Always, Self::Never];

    /// The value as written in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnFailure => "on-failure",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// Parses a value as written in the attribute.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|restart| restart.as_str() == word)
    }
}

impl fmt::Display for Restart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether, how often and after which backoff a crashed service is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Whether to restart at all.
    pub restart: Restart,
    /// The number of restarts allowed since the last recovery, or within `window` if there is one;
    /// `None` means unlimited.
    pub max_restarts: Option<u32>,
    /// Count the restarts within this sliding window instead of those since the last recovery.
    pub window: Option<Duration>,
    /// The backoff after the first of several consecutive crashes.
    pub backoff: Duration,
    /// The longest backoff. The backoff doubles with each consecutive crash until it reaches this
    /// value.
    pub max_backoff: Duration,
}

impl RestartPolicy {
    /// Unlimited restarts, after 1 s, 2 s, 4 s .. 60 s.
    pub const DEFAULT: Self = Self {
        restart: Restart::OnFailure,
        max_restarts: None,
        window: None,
        backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(60),
    };

    /// How long a run of a continuous service must have lasted for its end to reset the count of
    /// consecutive crashes.
    pub const RECOVERY: Duration = Duration::from_secs(60);

    /// The backoff after the `k`-th consecutive crash; `k` starts at 1.
    ///
    /// That is `backoff * 2^(k-1)`, but at most `max_backoff`.
    #[must_use]
    pub fn backoff_after(&self, k: u32) -> Duration {
        let mut delay = self.backoff.min(self.max_backoff);
        for _ in 1..k {
            // It has reached its maximum, or stays zero.
            if delay >= self.max_backoff || delay.is_zero() {
                break;
            }
            delay = delay.saturating_mul(2).min(self.max_backoff);
        }
        delay
    }
}

/// Whether a restart may help after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashKind {
    /// It may: the cause can go away.
    Transient,
    /// It cannot: the error says that it is permanent.
    Permanent,
}

/// What to do after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Restart after this backoff.
    RestartAfter(Duration),
    /// The service has failed for good.
    GiveUp,
}

/// Counts the consecutive crashes, and the recent restarts, of one activation.
///
/// Most services never crash, so nothing is allocated before the first crash.
#[derive(Clone, Debug, Default)]
pub struct Restarts(Option<Box<Counters>>);

#[derive(Clone, Debug, Default)]
struct Counters {
    consecutive_crashes: u32,
    /// Times of the last restarts, oldest first; only recorded if the policy has a window.
    recent: VecDeque<Nanos>,
}

impl Restarts {
    /// The number of consecutive crashes since the last recovery.
    #[must_use]
    #[inline]
    pub fn consecutive_crashes(&self) -> u32 {
        self.0.as_ref().map_or(0, |counters| counters.consecutive_crashes)
    }

    /// Records a recovery: resets the number of consecutive crashes, and returns it.
    ///
    /// Restarts within the window still count.
    #[inline]
    pub fn recovered(&mut self) -> u32 {
        match &mut self.0 {
            Some(counters) => std::mem::take(&mut counters.consecutive_crashes),
            None => 0,
        }
    }

    /// Records a restart at `now`, in nanoseconds of the runner's clock.
    pub fn restarted(&mut self, policy: &RestartPolicy, now: Nanos) {
        let (Some(window), Some(max)) = (policy.window, policy.max_restarts) else {
            return;
        };
        // Only the newest `max` restarts inside the window can still matter.
        let Counters { recent, .. } = &mut **self.0.get_or_insert_default();
        recent.retain(|at| is_inside(window, *at, now));
        recent.push_back(now);
        while recent.len() > max as usize {
            recent.pop_front();
        }
    }

    /// Records a crash at `now` and decides whether to restart.
    ///
    /// Without a window, `max_restarts` consecutive restarts are allowed, and the next crash is
    /// final. With a window, a crash is final if one more restart would exceed `max_restarts`
    /// within it. A permanent crash is always final.
    pub fn crashed(&mut self, policy: &RestartPolicy, now: Nanos, kind: CrashKind) -> Verdict {
        let Counters { consecutive_crashes, recent } = &mut **self.0.get_or_insert_default();
        *consecutive_crashes = consecutive_crashes.saturating_add(1);
        match (kind, policy.restart) {
            (CrashKind::Permanent, _) | (CrashKind::Transient, Restart::Never) => {
                return Verdict::GiveUp;
            }
            (CrashKind::Transient, Restart::OnFailure | Restart::Always) => {}
        }
        let exhausted = match (policy.max_restarts, policy.window) {
            (None, _) => false,
            (Some(max), None) => *consecutive_crashes > max,
            (Some(max), Some(window)) => {
                let inside = recent.iter().filter(|at| is_inside(window, **at, now));
                inside.count() >= max as usize
            }
        };
        if exhausted {
            Verdict::GiveUp
        } else {
            Verdict::RestartAfter(policy.backoff_after(*consecutive_crashes))
        }
    }
}

/// Whether `at` lies within the `window` that ends at `now`.
fn is_inside(window: Duration, at: Nanos, now: Nanos) -> bool {
    u128::from(now.saturating_sub(at)) < window.as_nanos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secs(verdict: Verdict) -> Option<u64> {
        match verdict {
            Verdict::RestartAfter(delay) => Some(delay.as_secs()),
            Verdict::GiveUp => None,
        }
    }

    #[test]
    fn rule_20_the_backoff_doubles_up_to_its_maximum() {
        let policy = RestartPolicy::DEFAULT;
        let mut restarts = Restarts::default();
        let delays: Vec<_> = (0..9)
            .map(|_| secs(restarts.crashed(&policy, 0, CrashKind::Transient)).unwrap())
            .collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(policy.backoff_after(u32::MAX), Duration::from_secs(60));
        let year = Duration::from_secs(366 * 86_400);
        let wide = RestartPolicy { backoff: Duration::from_millis(1), max_backoff: year, ..policy };
        assert_eq!(wide.backoff_after(35), Duration::from_millis(1 << 34));
        assert_eq!(wide.backoff_after(36), year);
        let none = RestartPolicy { backoff: Duration::ZERO, ..policy };
        assert_eq!(none.backoff_after(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn rule_21_a_successful_run_resets_the_backoff() {
        let policy = RestartPolicy::DEFAULT;
        let mut restarts = Restarts::default();
        restarts.crashed(&policy, 0, CrashKind::Transient);
        restarts.crashed(&policy, 0, CrashKind::Transient);
        assert_eq!((restarts.recovered(), restarts.recovered()), (2, 0));
        assert_eq!(restarts.consecutive_crashes(), 0);
        assert_eq!(secs(restarts.crashed(&policy, 0, CrashKind::Transient)), Some(1));
    }

    #[test]
    fn rule_22_after_n_restarts_the_next_crash_is_final() {
        for max in [0_u32, 1, 3, 5] {
            let policy = RestartPolicy { max_restarts: Some(max), ..RestartPolicy::DEFAULT };
            let mut restarts = Restarts::default();
            for _ in 0..max {
                assert!(
                    secs(restarts.crashed(&policy, 0, CrashKind::Transient)).is_some(),
                    "max {max}"
                );
            }
            assert_eq!(
                restarts.crashed(&policy, 0, CrashKind::Transient),
                Verdict::GiveUp,
                "max {max}"
            );
        }
    }

    #[test]
    fn rule_28_a_permanent_crash_is_final_even_if_restarts_are_left() {
        let window = Some(Duration::from_secs(10));
        for restart in Restart::ALL {
            for (max_restarts, window) in [(None, None), (Some(5), None), (Some(5), window)] {
                let policy =
                    RestartPolicy { restart, max_restarts, window, ..RestartPolicy::DEFAULT };
                let mut restarts = Restarts::default();
                assert_eq!(restarts.crashed(&policy, 0, CrashKind::Permanent), Verdict::GiveUp);
                assert_eq!(restarts.consecutive_crashes(), 1, "it counts as a crash");
            }
        }
    }

    #[test]
    fn with_restart_never_the_first_crash_is_final() {
        let policy = RestartPolicy { restart: Restart::Never, ..RestartPolicy::DEFAULT };
        assert_eq!(Restarts::default().crashed(&policy, 0, CrashKind::Transient), Verdict::GiveUp);
    }

    /// The backoffs, in seconds, after crashes at the given seconds, each followed by an immediate
    /// restart and a recovery; `None` is the verdict to give up.
    fn windowed(max: u32, window: u64, crashes: &[u64]) -> Vec<Option<u64>> {
        let policy = RestartPolicy {
            max_restarts: Some(max),
            window: Some(Duration::from_secs(window)),
            ..RestartPolicy::DEFAULT
        };
        let mut restarts = Restarts::default();
        crashes
            .iter()
            .map(|at| {
                let now = at * 1_000_000_000;
                let verdict = restarts.crashed(&policy, now, CrashKind::Transient);
                restarts.restarted(&policy, now);
                let _ = restarts.recovered();
                secs(verdict)
            })
            .collect()
    }

    #[test]
    fn rule_23_a_crash_is_final_after_n_restarts_in_the_window_despite_recoveries() {
        // Two restarts in ten seconds are allowed, a third is not.
        assert_eq!(windowed(2, 10, &[100, 103, 109]), [Some(1), Some(1), None]);
        // The first restart has left the window when the third crash happens.
        assert_eq!(windowed(2, 10, &[100, 103, 110]), [Some(1), Some(1), Some(1)]);
        assert_eq!(windowed(0, 10, &[100]), [None]);
        // The window starts before the clock does.
        assert_eq!(windowed(1, 10, &[0, 5]), [Some(1), None]);
    }
}
