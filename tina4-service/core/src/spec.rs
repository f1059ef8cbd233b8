//! The settings of a service: what was written ([`Draft`]) becomes what holds ([`Spec`]).
//!
//! Every rule that looks at a value or at two keys together lives here, once, for the attribute
//! and for the run-time builder. Faults are collected, and a fault is not told twice: a rule that
//! needs a value which is itself at fault is not applied.
//!
//! `timeout` may exceed `interval`. A run that outlasts the interval skips the instants it missed
//! (they are counted and reported), which is what somebody who tolerates an occasional slow run
//! wants; the timeout says when slow becomes stuck.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use crate::duration::{self, text};
use crate::{Cron, Key, Restart, RestartPolicy, Schedule, Timezone};

/// The checked settings of a service, all defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// When it runs.
    pub schedule: Schedule,
    /// The wait before the first run.
    pub initial_delay: Duration,
    /// Each run starts up to this much late; zero is never.
    pub jitter: Duration,
    /// A run that takes longer is reported as stuck.
    pub timeout: Option<Duration>,
    /// When it runs again after a crash.
    pub restart: RestartPolicy,
    /// How long stop waits for it.
    pub stop_timeout: Duration,
    /// Whether `start_all` starts it.
    pub autostart: bool,
    /// Whether its failure shuts the runner down.
    pub critical: bool,
}

impl Spec {
    /// What holds when nothing was written.
    pub const DEFAULT: Self = Self {
        schedule: Schedule::Continuous,
        initial_delay: Duration::ZERO,
        jitter: Duration::ZERO,
        timeout: None,
        restart: RestartPolicy::DEFAULT,
        stop_timeout: Duration::from_secs(10),
        autostart: true,
        critical: false,
    };
}

impl Default for Spec {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The settings of a service as written, each of them optional.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Fixed rate.
    pub interval: Option<Duration>,
    /// Fixed delay.
    pub delay: Option<Duration>,
    /// Calendar time.
    pub cron: Option<Cron>,
    /// The time zone of `cron`.
    pub timezone: Option<Timezone>,
    /// The wait before the first run.
    pub initial_delay: Option<Duration>,
    /// Each run starts up to this much late.
    pub jitter: Option<Duration>,
    /// A run that takes longer is reported as stuck.
    pub timeout: Option<Duration>,
    /// Whether to restart.
    pub restart: Option<Restart>,
    /// How many restarts are allowed.
    pub max_restarts: Option<u32>,
    /// The sliding window in which restarts are counted.
    pub restart_window: Option<Duration>,
    /// The first delay before a restart.
    pub backoff: Option<Duration>,
    /// The longest delay before a restart.
    pub max_backoff: Option<Duration>,
    /// How long stop waits for it.
    pub stop_timeout: Option<Duration>,
    /// Whether `start_all` starts it.
    pub autostart: Option<bool>,
    /// Whether its failure shuts the runner down.
    pub critical: Option<bool>,
    /// Keys that were written with a value that could not be read. That has been reported
    /// already, so no rule that depends on them is applied.
    pub unreadable: Vec<Key>,
}

impl Draft {
    /// Checks every value and every pair of values, and fills in the defaults.
    ///
    /// # Errors
    ///
    /// Reports all faults, in the order of the keys.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::{Draft, Schedule};
    ///
    /// let second = Duration::from_secs(1);
    /// let draft = Draft { interval: Some(second), ..Draft::default() };
    /// assert_eq!(draft.check().unwrap().schedule, Schedule::Interval(second));
    ///
    /// let draft = Draft { jitter: Some(second), ..draft };
    /// let faults = draft.check().unwrap_err();
    /// assert_eq!(
    ///     faults[0].to_string(),
    ///     "`jitter` of `1s` is not shorter than the `interval` of `1s`; make it shorter",
    /// );
    /// ```
    pub fn check(&self) -> Result<Spec, Vec<Fault>> {
        rules::check(self)
    }
}

/// What is wrong with the settings of a service, and what to do.
///
/// Its text is `problem; remedy`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fault {
    /// The key at fault.
    pub key: Key,
    /// The other key, if two do not go together.
    pub also: Option<Key>,
    /// Whether the value is wrong, or the key should not be there at all.
    pub of_value: bool,
    message: String,
}

impl Fault {
    /// A value that its key does not accept.
    pub(crate) fn value(key: Key, message: impl Into<String>) -> Self {
        Self { key, also: None, of_value: true, message: message.into() }
    }

    /// A key that has no business here.
    pub(crate) fn key(key: Key, message: impl Into<String>) -> Self {
        Self { of_value: false, ..Self::value(key, message) }
    }

    /// The same, because of another key.
    pub(crate) fn with(self, also: Key) -> Self {
        Self { also: Some(also), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl Error for Fault {}

mod range;
mod rules;

#[cfg(test)]
mod tests;
