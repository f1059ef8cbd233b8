//! The settings of a service before they are checked.

use std::time::Duration;

use super::setting::Setting;
use crate::{Anchor, Cron, Key, OnTimeout, Ready, Restart, Timezone};

/// The settings of a service as given, all of them optional and none of them checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Fixed rate: the period.
    pub interval: Option<Duration>,
    /// Fixed delay: the pause between the end of a run and the next start.
    pub delay: Option<Duration>,
    /// Calendar time.
    pub cron: Option<Cron>,
    /// Whether the service works on the jobs of a queue.
    pub queue: bool,
    /// The time zone of `cron` and `anchor`.
    pub timezone: Option<Timezone>,
    /// A time on the wall clock's grid.
    pub anchor: Option<Anchor>,
    /// How long after its due time a run may begin, to share a wake-up with others.
    pub tolerance: Option<Duration>,
    /// The pause before the first run.
    pub initial_delay: Option<Duration>,
    /// The upper bound of the random delay of each run.
    pub jitter: Option<Duration>,
    /// How long a run may go without ending or calling `heartbeat` before it is reported as stuck.
    pub timeout: Option<Duration>,
    /// Whether a run that exceeds its `timeout` is only reported, or also cancelled.
    pub on_timeout: Option<OnTimeout>,
    /// Whether the service is restarted after it crashes or returns.
    pub restart: Option<Restart>,
    /// The number of restarts allowed.
    pub max_restarts: Option<u32>,
    /// The sliding window in which restarts are counted.
    pub restart_window: Option<Duration>,
    /// The delay before the first restart.
    pub backoff: Option<Duration>,
    /// The longest delay before a restart.
    pub max_backoff: Option<Duration>,
    /// How long a stop waits for the service.
    pub stop_timeout: Option<Duration>,
    /// How often a job is attempted.
    pub attempts: Option<u32>,
    /// How many jobs run at once.
    pub concurrency: Option<u32>,
    /// How long a job is claimed, unless that is renewed.
    pub lease: Option<Duration>,
    /// How often the queue is looked at.
    pub poll: Option<Duration>,
    /// How long dead jobs are kept.
    pub keep_dead: Option<Duration>,
    /// How long a copy of each done job is kept.
    pub keep_done: Option<Duration>,
    /// Whether other services may work on the same queue.
    pub shared: Option<bool>,
    /// Whether a function is told of each dead job.
    pub on_dead: bool,
    /// Whether `start_all` starts the service.
    pub autostart: Option<bool>,
    /// Whether a failure of the service shuts the runner down.
    pub critical: Option<bool>,
    /// When the service counts as ready.
    pub ready: Option<Ready>,
    /// Keys whose value is unknown, because it could not be read, is out of range, or was given to
    /// an unknown key that probably means this one. Each has been reported already, so the check
    /// skips every rule that depends on the value of one of them.
    pub unreadable: Vec<Key>,
}

impl Draft {
    /// Stores a setting, replacing an earlier one with the same key.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service_core::{Draft, Setting};
    ///
    /// let mut draft = Draft::default();
    /// draft.set(Setting::MaxRestarts(5));
    /// draft.set(Setting::Interval(Duration::from_secs(30)));
    /// assert_eq!(draft.interval, Some(Duration::from_secs(30)));
    /// ```
    pub fn set(&mut self, setting: Setting) {
        match setting {
            Setting::Interval(period) => self.interval = Some(period),
            Setting::Delay(pause) => self.delay = Some(pause),
            Setting::Cron(cron) => self.cron = Some(cron),
            Setting::Queue => self.queue = true,
            Setting::Timezone(timezone) => self.timezone = Some(timezone),
            Setting::Anchor(anchor) => self.anchor = Some(anchor),
            Setting::Tolerance(tolerance) => self.tolerance = Some(tolerance),
            Setting::InitialDelay(pause) => self.initial_delay = Some(pause),
            Setting::Jitter(bound) => self.jitter = Some(bound),
            Setting::Timeout(limit) => self.timeout = Some(limit),
            Setting::OnTimeout(on_timeout) => self.on_timeout = Some(on_timeout),
            Setting::Restart(restart) => self.restart = Some(restart),
            Setting::MaxRestarts(count) => self.max_restarts = Some(count),
            Setting::RestartWindow(window) => self.restart_window = Some(window),
            Setting::Backoff(first) => self.backoff = Some(first),
            Setting::MaxBackoff(longest) => self.max_backoff = Some(longest),
            Setting::StopTimeout(limit) => self.stop_timeout = Some(limit),
            Setting::Attempts(count) => self.attempts = Some(count),
            Setting::Concurrency(count) => self.concurrency = Some(count),
            Setting::Lease(lease) => self.lease = Some(lease),
            Setting::Poll(period) => self.poll = Some(period),
            Setting::KeepDead(period) => self.keep_dead = Some(period),
            Setting::KeepDone(period) => self.keep_done = Some(period),
            Setting::Shared(shared) => self.shared = Some(shared),
            Setting::OnDead => self.on_dead = true,
            Setting::Autostart(autostart) => self.autostart = Some(autostart),
            Setting::Critical(critical) => self.critical = Some(critical),
            Setting::Ready(ready) => self.ready = Some(ready),
        }
    }
}
