//! One setting of a service: a key with its value.

use std::time::Duration;

use crate::{Anchor, Cron, OnTimeout, Ready, Restart, Timezone};

/// A key with its value.
///
/// `name`, `after`, `requires`, `on_stop`, `tags` and `crate` are missing: they identify services and code, which a
/// [`Draft`](crate::Draft) does not check. Of `queue` and `on_dead` it knows that they are set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Setting {
    /// Fixed rate: the period.
    Interval(Duration),
    /// Fixed delay: the pause between the end of a run and the next start.
    Delay(Duration),
    /// Calendar time.
    Cron(Cron),
    /// The service works on the jobs of a queue.
    Queue,
    /// The time zone of `cron` and `anchor`.
    Timezone(Timezone),
    /// A time on the wall clock's grid.
    Anchor(Anchor),
    /// How long after its due time a run may begin, to share a wake-up with others.
    Tolerance(Duration),
    /// The pause before the first run.
    InitialDelay(Duration),
    /// The upper bound of the random delay of each run.
    Jitter(Duration),
    /// How long a run may go without ending or calling `heartbeat` before it is reported as stuck.
    Timeout(Duration),
    /// Whether a run that exceeds its `timeout` is only reported, or also cancelled.
    OnTimeout(OnTimeout),
    /// Whether the service is restarted after it crashes or returns.
    Restart(Restart),
    /// The number of restarts allowed.
    MaxRestarts(u32),
    /// The sliding window in which restarts are counted.
    RestartWindow(Duration),
    /// The delay before the first restart.
    Backoff(Duration),
    /// The longest delay before a restart.
    MaxBackoff(Duration),
    /// How long a stop waits for the service.
    StopTimeout(Duration),
    /// How often a job is attempted.
    Attempts(u32),
    /// How many jobs run at once.
    Concurrency(u32),
    /// How long a job is claimed, unless that is renewed.
    Lease(Duration),
    /// How often the queue is looked at.
    Poll(Duration),
    /// How long dead jobs are kept.
    KeepDead(Duration),
    /// How long copies of done jobs are kept.
    KeepDone(Duration),
    /// Whether other services may work on the same queue.
    Shared(bool),
    /// A function is told of each dead job.
    OnDead,
    /// Whether `start_all` starts the service.
    Autostart(bool),
    /// Whether a failure of the service shuts the runner down.
    Critical(bool),
    /// When the service counts as ready.
    Ready(Ready),
}
