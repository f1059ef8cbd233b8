//! When a crashed service runs again, and when it has failed for good.
//!
//! The arithmetic is that of Erlang/OTP's supervisor (restart intensity in a sliding window),
//! with an exponential backoff between restarts.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

/// Whether a service that ended a run by crashing, or by returning, is run again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Restart {
    /// After a crash.
    #[default]
    OnFailure,
    /// After a crash, and after a continuous service returned.
    Always,
    /// Not at all: the first crash makes the service `failed`.
    Never,
}

impl Restart {
    /// Every value, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::OnFailure, Self::Always, Self::Never];

    /// The word of the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnFailure => "on-failure",
            Self::Always => "always",
            Self::Never => "never",
        }
    }

    /// The value of a word of the attribute.
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

/// How often and how fast a service is restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestartPolicy {
    /// Whether to restart at all.
    pub restart: Restart,
    /// Restarts allowed, in a row or within `window`; `None` is unlimited.
    pub max_restarts: Option<u32>,
    /// Count the restarts of this sliding window instead of those in a row.
    pub window: Option<Duration>,
    /// The delay before the first restart in a row.
    pub backoff: Duration,
    /// The longest delay; the delays double until they reach it.
    pub max_backoff: Duration,
}

impl RestartPolicy {
    /// Restart for ever, after 1 s, 2 s, 4 s .. 60 s.
    pub const DEFAULT: Self = Self {
        restart: Restart::OnFailure,
        max_restarts: None,
        window: None,
        backoff: Duration::from_secs(1),
        max_backoff: Duration::from_secs(60),
    };

    /// How long a continuous service must have run for its crashes in a row to be forgotten.
    pub const RECOVERY: Duration = Duration::from_secs(60);

    /// The delay before the restart after the `k`-th crash in a row, `k` from 1:
    /// `backoff * 2^(k-1)`, at most `max_backoff`.
    #[must_use]
    pub fn delay(&self, k: u32) -> Duration {
        let mut delay = self.backoff.min(self.max_backoff);
        for _ in 1..k {
            // The delays stay at the longest from the first that reaches it.
            if delay >= self.max_backoff || delay.is_zero() {
                break;
            }
            delay = delay.saturating_mul(2).min(self.max_backoff);
        }
        delay
    }
}

/// Whether running again may help after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashKind {
    /// It may: the error can pass.
    Transient,
    /// It cannot, as the error itself says.
    Permanent,
}

/// What to do after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Run again after this delay.
    RestartAfter(Duration),
    /// The service has failed for good.
    GiveUp,
}

/// The restarts of one activation, counters against its [`RestartPolicy`].
///
/// Nothing is kept where nothing crashed, as mostly.
#[derive(Clone, Debug, Default)]
pub struct Restarts(Option<Box<Counters>>);

#[derive(Clone, Debug, Default)]
struct Counters {
    in_a_row: u32,
    /// When the last restarts happened, oldest first; kept only when a window counts them.
    recent: VecDeque<u64>,
}

impl Restarts {
    /// Crashes since the last recovery.
    #[must_use]
    pub fn in_a_row(&self) -> u32 {
        self.0.as_ref().map_or(0, |counters| counters.in_a_row)
    }

    /// A good run: crashes in a row are forgotten. Those inside a window still count.
    #[inline]
    pub fn recovered(&mut self) {
        if let Some(counters) = &mut self.0 {
            counters.in_a_row = 0;
        }
    }

    /// A restart happened at `now` (nanoseconds of the runner's clock).
    pub fn restarted(&mut self, policy: &RestartPolicy, now: u64) {
        let (Some(window), Some(max)) = (policy.window, policy.max_restarts) else {
            return;
        };
        // What has left the window, and what exceeds the limit, never matters again.
        let Counters { recent, .. } = &mut **self.0.get_or_insert_default();
        recent.retain(|at| is_inside(window, *at, now));
        recent.push_back(now);
        while recent.len() > max as usize {
            recent.pop_front();
        }
    }

    /// A crash at `now`: restart after a delay, or give up.
    ///
    /// Without a window, `N` restarts in a row are allowed and the next crash gives up. With a
    /// window `W`, giving up is due as soon as more than `N` restarts would lie in the last `W`.
    /// After a permanent crash it is due at once, whatever the policy.
    pub fn crashed(&mut self, policy: &RestartPolicy, now: u64, kind: CrashKind) -> Verdict {
        let Counters { in_a_row, recent } = &mut **self.0.get_or_insert_default();
        *in_a_row = in_a_row.saturating_add(1);
        match (kind, policy.restart) {
            (CrashKind::Permanent, _) | (CrashKind::Transient, Restart::Never) => {
                return Verdict::GiveUp;
            }
            (CrashKind::Transient, Restart::OnFailure | Restart::Always) => {}
        }
        let exhausted = match (policy.max_restarts, policy.window) {
            (None, _) => false,
            (Some(max), None) => *in_a_row > max,
            (Some(max), Some(window)) => {
                let inside = recent.iter().filter(|at| is_inside(window, **at, now));
                inside.count() >= max as usize
            }
        };
        if exhausted { Verdict::GiveUp } else { Verdict::RestartAfter(policy.delay(*in_a_row)) }
    }
}

/// Whether `at` lies in the last `window` before `now`.
fn is_inside(window: Duration, at: u64, now: u64) -> bool {
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
    fn rule_20_delays_double_up_to_the_longest() {
        let policy = RestartPolicy::DEFAULT;
        let mut restarts = Restarts::default();
        let delays: Vec<_> = (0..9)
            .map(|_| secs(restarts.crashed(&policy, 0, CrashKind::Transient)).unwrap())
            .collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(policy.delay(u32::MAX), Duration::from_secs(60));
        let year = Duration::from_secs(366 * 86_400);
        let wide = RestartPolicy { backoff: Duration::from_millis(1), max_backoff: year, ..policy };
        assert_eq!(wide.delay(35), Duration::from_millis(1 << 34));
        assert_eq!(wide.delay(36), year);
        let none = RestartPolicy { backoff: Duration::ZERO, ..policy };
        assert_eq!(none.delay(u32::MAX), Duration::ZERO);
    }

    #[test]
    fn rule_21_a_good_run_starts_over() {
        let policy = RestartPolicy::DEFAULT;
        let mut restarts = Restarts::default();
        restarts.crashed(&policy, 0, CrashKind::Transient);
        restarts.crashed(&policy, 0, CrashKind::Transient);
        restarts.recovered();
        assert_eq!(restarts.in_a_row(), 0);
        assert_eq!(secs(restarts.crashed(&policy, 0, CrashKind::Transient)), Some(1));
    }

    #[test]
    fn rule_22_after_n_restarts_the_next_crash_gives_up() {
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
    fn rule_28_a_permanent_crash_gives_up_whatever_restarts_are_left() {
        let window = Some(Duration::from_secs(10));
        for restart in Restart::ALL {
            for (max_restarts, window) in [(None, None), (Some(5), None), (Some(5), window)] {
                let policy =
                    RestartPolicy { restart, max_restarts, window, ..RestartPolicy::DEFAULT };
                let mut restarts = Restarts::default();
                assert_eq!(restarts.crashed(&policy, 0, CrashKind::Permanent), Verdict::GiveUp);
                assert_eq!(restarts.in_a_row(), 1, "it is a crash like any other");
            }
        }
    }

    #[test]
    fn never_gives_up_at_once() {
        let policy = RestartPolicy { restart: Restart::Never, ..RestartPolicy::DEFAULT };
        assert_eq!(Restarts::default().crashed(&policy, 0, CrashKind::Transient), Verdict::GiveUp);
    }

    /// Crashes at the given seconds, each followed by a restart at once and a recovery.
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
                restarts.recovered();
                secs(verdict)
            })
            .collect()
    }

    #[test]
    fn rule_23_more_than_n_restarts_in_the_window_give_up_recoveries_notwithstanding() {
        // Two restarts in ten seconds are allowed, a third is not.
        assert_eq!(windowed(2, 10, &[100, 103, 109]), [Some(1), Some(1), None]);
        // The first left the window when the third came.
        assert_eq!(windowed(2, 10, &[100, 103, 110]), [Some(1), Some(1), Some(1)]);
        assert_eq!(windowed(0, 10, &[100]), [None]);
        // The window is longer than the clock has run.
        assert_eq!(windowed(1, 10, &[0, 5]), [Some(1), None]);
    }
}
