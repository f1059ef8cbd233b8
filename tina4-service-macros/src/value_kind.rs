//! The kind of value that each key takes, and the setting that the value becomes.

use std::time::Duration;

use tina4_service_core::{Key, Setting};

/// The kind of value that a key takes. `Duration`, `Count` and `Bool` carry the constructor of the
/// key's [`Setting`]; every other kind but `Services` is named after its only key.
#[derive(Clone, Copy)]
pub(crate) enum ValueKind {
    /// A string that is a valid name.
    Name,
    /// A string that is a duration.
    Duration(fn(Duration) -> Setting),
    /// A string that is a cron expression.
    Cron,
    /// The path of a constant of type `Queue<T>`.
    Queue,
    /// A string that may be the name of a time zone.
    Timezone,
    /// A string that is a civil time, with or without a date.
    Anchor,
    /// A string: `"on-failure"`, `"always"` or `"never"`.
    Restart,
    /// A string: `"report"` or `"cancel"`.
    OnTimeout,
    /// A whole number.
    Count(fn(u32) -> Setting),
    /// `true` or `false`.
    Bool(fn(bool) -> Setting),
    /// A list of services.
    Services,
    /// A string: `"started"`, `"finished"` or `"notified"`.
    Ready,
    /// The path of a function.
    OnStop,
    /// A list of strings that are valid tags.
    Tags,
    /// The path of a function that takes a `DeadJob`.
    OnDead,
    /// The path of a crate or module.
    Crate,
}

impl ValueKind {
    /// The kind of value that `key` takes.
    pub(crate) fn of(key: Key) -> Self {
        match key {
            Key::Name => Self::Name,
            Key::Interval => Self::Duration(Setting::Interval),
            Key::Delay => Self::Duration(Setting::Delay),
            Key::Cron => Self::Cron,
            Key::Queue => Self::Queue,
            Key::Timezone => Self::Timezone,
            Key::Anchor => Self::Anchor,
            Key::Tolerance => Self::Duration(Setting::Tolerance),
            Key::InitialDelay => Self::Duration(Setting::InitialDelay),
            Key::Jitter => Self::Duration(Setting::Jitter),
            Key::Timeout => Self::Duration(Setting::Timeout),
            Key::OnTimeout => Self::OnTimeout,
            Key::Restart => Self::Restart,
            Key::MaxRestarts => Self::Count(Setting::MaxRestarts),
            Key::RestartWindow => Self::Duration(Setting::RestartWindow),
            Key::Backoff => Self::Duration(Setting::Backoff),
            Key::MaxBackoff => Self::Duration(Setting::MaxBackoff),
            Key::StopTimeout => Self::Duration(Setting::StopTimeout),
            Key::Attempts => Self::Count(Setting::Attempts),
            Key::Concurrency => Self::Count(Setting::Concurrency),
            Key::Lease => Self::Duration(Setting::Lease),
            Key::Poll => Self::Duration(Setting::Poll),
            Key::KeepDead => Self::Duration(Setting::KeepDead),
            Key::KeepDone => Self::Duration(Setting::KeepDone),
            Key::Shared => Self::Bool(Setting::Shared),
            Key::OnDead => Self::OnDead,
            Key::After | Key::Requires => Self::Services,
            Key::Ready => Self::Ready,
            Key::OnStop => Self::OnStop,
            Key::Autostart => Self::Bool(Setting::Autostart),
            Key::Critical => Self::Bool(Setting::Critical),
            Key::Tags => Self::Tags,
            Key::Crate => Self::Crate,
        }
    }

    /// The feature of the runtime that `key` needs, if it is not always there, and whether it is enabled.
    pub(crate) fn feature_of(key: Key) -> Option<(&'static str, bool)> {
        match key {
            Key::Cron | Key::Timezone | Key::Anchor => Some(("cron", cfg!(feature = "cron"))),
            Key::Queue
            | Key::Attempts
            | Key::Concurrency
            | Key::Lease
            | Key::Poll
            | Key::KeepDead
            | Key::KeepDone
            | Key::Shared
            | Key::OnDead => Some(("queue", cfg!(feature = "queue"))),
            Key::Name
            | Key::Interval
            | Key::Delay
            | Key::Tolerance
            | Key::InitialDelay
            | Key::Jitter
            | Key::Timeout
            | Key::OnTimeout
            | Key::Restart
            | Key::MaxRestarts
            | Key::RestartWindow
            | Key::Backoff
            | Key::MaxBackoff
            | Key::StopTimeout
            | Key::After
            | Key::Requires
            | Key::Ready
            | Key::OnStop
            | Key::Autostart
            | Key::Critical
            | Key::Tags
            | Key::Crate => None,
        }
    }
}
