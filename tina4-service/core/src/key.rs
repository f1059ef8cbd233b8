//! The keys of `#[service(..)]`. All but `name` and `crate` are also methods of the run-time
//! builder.

use std::fmt;

/// A key of the attribute, in the order of the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The name, unique in the program.
    Name,
    /// Fixed rate.
    Interval,
    /// Fixed delay.
    Delay,
    /// Calendar time.
    Cron,
    /// The queue whose jobs the service works on.
    Queue,
    /// The time zone of `cron` and `anchor`.
    Timezone,
    /// A time on the wall clock's grid.
    Anchor,
    /// How long after its due time a run may begin, to share a wake-up with others.
    Tolerance,
    /// The pause before the first run.
    InitialDelay,
    /// The upper bound of the random delay of each run.
    Jitter,
    /// How long a run may go without ending or calling `heartbeat` before it is reported as stuck.
    Timeout,
    /// Whether a run that exceeds its `timeout` is only reported, or also cancelled.
    OnTimeout,
    /// Whether the service is restarted after it crashes or returns.
    Restart,
    /// The number of restarts allowed.
    MaxRestarts,
    /// The sliding window in which restarts are counted.
    RestartWindow,
    /// The delay before the first restart.
    Backoff,
    /// The longest delay before a restart.
    MaxBackoff,
    /// How long a stop waits for the service.
    StopTimeout,
    /// How often a job is attempted.
    Attempts,
    /// How many jobs run at once.
    Concurrency,
    /// How long a job is claimed, unless that is renewed.
    Lease,
    /// How often the queue is looked at.
    Poll,
    /// How long dead jobs are kept.
    KeepDead,
    /// How long a copy of each done job is kept.
    KeepDone,
    /// Whether other services may work on the same queue.
    Shared,
    /// The function that is told of each dead job.
    OnDead,
    /// The services that start before this one and stop after it.
    After,
    /// The services that must be ready before this one starts, and that stop after it.
    Requires,
    /// When the service counts as ready.
    Ready,
    /// The clean-up at the end of an activation.
    OnStop,
    /// Whether `start_all` starts the service.
    Autostart,
    /// Whether a failure of the service shuts the runner down.
    Critical,
    /// The groups that it belongs to, for the selection of services.
    Tags,
    /// The path of the runtime crate.
    Crate,
}

impl Key {
    /// Every key, in the order of the documentation. The length is derived from the last variant,
    /// `Crate`, so a key that is added before it and is missing here does not compile.
    pub const ALL: [Self; Self::Crate as usize + 1] = [
        Self::Name,
        Self::Interval,
        Self::Delay,
        Self::Cron,
        Self::Queue,
        Self::Timezone,
        Self::Anchor,
        Self::Tolerance,
        Self::InitialDelay,
        Self::Jitter,
        Self::Timeout,
        Self::OnTimeout,
        Self::Restart,
        Self::MaxRestarts,
        Self::RestartWindow,
        Self::Backoff,
        Self::MaxBackoff,
        Self::StopTimeout,
        Self::Attempts,
        Self::Concurrency,
        Self::Lease,
        Self::Poll,
        Self::KeepDead,
        Self::KeepDone,
        Self::Shared,
        Self::OnDead,
        Self::After,
        Self::Requires,
        Self::Ready,
        Self::OnStop,
        Self::Autostart,
        Self::Critical,
        Self::Tags,
        Self::Crate,
    ];

    /// The name of the key in the attribute.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Interval => "interval",
            Self::Delay => "delay",
            Self::Cron => "cron",
            Self::Queue => "queue",
            Self::Timezone => "timezone",
            Self::Anchor => "anchor",
            Self::Tolerance => "tolerance",
            Self::InitialDelay => "initial_delay",
            Self::Jitter => "jitter",
            Self::Timeout => "timeout",
            Self::OnTimeout => "on_timeout",
            Self::Restart => "restart",
            Self::MaxRestarts => "max_restarts",
            Self::RestartWindow => "restart_window",
            Self::Backoff => "backoff",
            Self::MaxBackoff => "max_backoff",
            Self::StopTimeout => "stop_timeout",
            Self::Attempts => "attempts",
            Self::Concurrency => "concurrency",
            Self::Lease => "lease",
            Self::Poll => "poll",
            Self::KeepDead => "keep_dead",
            Self::KeepDone => "keep_done",
            Self::Shared => "shared",
            Self::OnDead => "on_dead",
            Self::After => "after",
            Self::Requires => "requires",
            Self::Ready => "ready",
            Self::OnStop => "on_stop",
            Self::Autostart => "autostart",
            Self::Critical => "critical",
            Self::Tags => "tags",
            Self::Crate => "crate",
        }
    }

    /// The key with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|key| key.as_str() == name)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_key_is_listed_once_and_found_by_its_name() {
        assert_eq!(BTreeSet::from(Key::ALL).len(), Key::ALL.len());
        for key in Key::ALL {
            assert_eq!(Key::from_name(key.as_str()), Some(key));
        }
        assert_eq!(Key::from_name("Interval"), None);
        assert_eq!(Key::MaxRestarts.to_string(), "max_restarts");
    }
}
