//! One setting of a service: a key with its value.

use std::time::Duration;

use crate::{Cron, Restart, Timezone};

/// A key with its value.
///
/// `name`, `after`, `on_stop` and `crate` are missing: they identify services and code, which a
/// [`Draft`](crate::Draft) does not check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Fixed rate: the period.
    Interval(Duration),
    /// Fixed delay: the pause between the end of a run and the next start.
    Delay(Duration),
    /// Calendar time.
    Cron(Cron),
    /// The time zone of `cron`.
    Timezone(Timezone),
    /// The pause before the first run.
    InitialDelay(Duration),
    /// The upper bound of the random lateness of each run.
    Jitter(Duration),
    /// The duration after which a run is reported as stuck.
    Timeout(Duration),
    /// Whether to restart.
    Restart(Restart),
    /// The number of restarts allowed.
    MaxRestarts(u32),
    /// The sliding window in which restarts are counted.
    RestartWindow(Duration),
    /// The first delay before a restart.
    Backoff(Duration),
    /// The longest delay before a restart.
    MaxBackoff(Duration),
    /// How long stop waits for the service.
    StopTimeout(Duration),
    /// Whether `start_all` starts the service.
    Autostart(bool),
    /// Whether a failure of the service shuts the runner down.
    Critical(bool),
}
