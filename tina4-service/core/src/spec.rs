//! The settings of a service: what was written ([`Draft`]) becomes what holds ([`Spec`]).
//!
//! Every rule that looks at a value or at two keys together lives here, once, for the attribute
//! and for the run-time builder. Faults are collected, and a fault is not told twice: a rule that
//! needs a value which is itself at fault is not applied.
//!
//! `timeout` may exceed `interval`. A run that outlasts the interval skips the instants it missed
//! (they are counted and reported), which is what somebody who tolerates an occasional slow run
//! wants; the timeout says when slow becomes stuck.

use std::time::Duration;

use crate::{RestartPolicy, Schedule};

mod draft;
mod fault;
mod range;
mod rules;

pub use self::draft::Draft;
pub use self::fault::Fault;

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

#[cfg(test)]
mod tests;
