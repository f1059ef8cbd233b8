//! The settings of a service before they are checked.

use std::time::Duration;

use crate::{Cron, Key, Restart, Timezone};

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
