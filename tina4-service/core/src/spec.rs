//! The settings of a service: a [`Draft`] holds them as they were given, and a [`Spec`] holds them
//! checked and complete.
//!
//! `rules.rs` checks each value and each combination of keys, for the attribute and the run-time
//! builder alike. It collects all faults, and reports each mistake once: a rule is skipped if it
//! depends on a value that is itself at fault.
//!
//! `timeout` may exceed `interval`. A run that outlasts the interval misses due times, which are
//! counted and reported; the timeout determines when such a run counts as stuck.

use std::time::Duration;

use crate::{OnTimeout, Ready, RestartPolicy, Schedule};

mod draft;
mod fault;
mod queue;
mod range;
mod reschedule;
mod rules;
mod setting;
mod settings;
mod words;

pub use self::draft::Draft;
pub use self::fault::Fault;
pub use self::setting::Setting;
pub use self::words::{count_too_large, negative_count, unknown_word};

/// The checked settings of a service, with all defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// When the service runs.
    pub schedule: Schedule,
    /// How long after its due time a run may begin, to share a wake-up with others; `None` means the
    /// runner's default.
    pub tolerance: Option<Duration>,
    /// The pause before the first run.
    pub initial_delay: Duration,
    /// The upper bound of the random delay of each run; zero means no jitter.
    pub jitter: Duration,
    /// How long a run may go without ending or calling `heartbeat` before it is reported as stuck.
    pub timeout: Option<Duration>,
    /// Whether a run that exceeds its `timeout` is only reported, or also cancelled.
    pub on_timeout: OnTimeout,
    /// When the service runs again after a crash.
    pub restart_policy: RestartPolicy,
    /// How long a stop waits for the service.
    pub stop_timeout: Duration,
    /// Whether `start_all` starts the service.
    pub autostart: bool,
    /// Whether a failure of the service shuts the runner down.
    pub critical: bool,
    /// When the service counts as ready; `None`: as its schedule says.
    pub ready: Option<Ready>,
}

impl Spec {
    /// The settings of a service that sets no key.
    pub const DEFAULT: Self = Self {
        schedule: Schedule::Continuous,
        tolerance: None,
        initial_delay: Duration::ZERO,
        jitter: Duration::ZERO,
        timeout: None,
        on_timeout: OnTimeout::Report,
        restart_policy: RestartPolicy::DEFAULT,
        stop_timeout: Duration::from_secs(10),
        autostart: true,
        critical: false,
        ready: None,
    };

    /// Whether the service is ready as soon as its first run has begun.
    #[must_use]
    #[inline]
    pub fn is_ready_once_started(&self) -> bool {
        match self.ready {
            None | Some(Ready::Started) => !self.schedule.is_periodic(),
            Some(Ready::Finished | Ready::Notified) => false,
        }
    }
}

impl Default for Spec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests;
