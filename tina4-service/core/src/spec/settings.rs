//! The checked settings of a service as single settings.

use std::fmt;

use super::{Setting, Spec};
use crate::duration::format;
use crate::{Calendar, Key, OnTimeout, QueueSpec, Restart, RestartPolicy, Schedule, Timezone};

impl Spec {
    /// The settings that differ from the defaults, which give the same settings when they are checked
    /// again. Every field is named, so that a new one is not forgotten.
    #[must_use]
    pub fn settings(&self) -> Vec<Setting> {
        let Self {
            schedule,
            tolerance,
            initial_delay,
            jitter,
            timeout,
            on_timeout,
            restart_policy: RestartPolicy { restart, max_restarts, window, backoff, max_backoff },
            stop_timeout,
            autostart,
            critical,
            ready,
        } = self;
        let default = Self::DEFAULT;
        let policy = default.restart_policy;
        let mut settings = schedule_settings(schedule);
        settings.extend(tolerance.map(Setting::Tolerance));
        settings
            .extend((!initial_delay.is_zero()).then_some(Setting::InitialDelay(*initial_delay)));
        settings.extend((!jitter.is_zero()).then_some(Setting::Jitter(*jitter)));
        settings.extend(timeout.map(Setting::Timeout));
        settings
            .extend((*on_timeout != default.on_timeout).then_some(Setting::OnTimeout(*on_timeout)));
        settings.extend((*restart != policy.restart).then_some(Setting::Restart(*restart)));
        settings.extend(max_restarts.map(Setting::MaxRestarts));
        settings.extend(window.map(Setting::RestartWindow));
        settings.extend((*backoff != policy.backoff).then_some(Setting::Backoff(*backoff)));
        settings.extend(
            (*max_backoff != policy.max_backoff).then_some(Setting::MaxBackoff(*max_backoff)),
        );
        settings.extend(
            (*stop_timeout != default.stop_timeout).then_some(Setting::StopTimeout(*stop_timeout)),
        );
        settings
            .extend((*autostart != default.autostart).then_some(Setting::Autostart(*autostart)));
        settings.extend((*critical != default.critical).then_some(Setting::Critical(*critical)));
        settings.extend(ready.map(Setting::Ready));
        settings
    }
}

fn schedule_settings(schedule: &Schedule) -> Vec<Setting> {
    let zone = |timezone: &Timezone| match timezone {
        Timezone::Local => None,
        Timezone::Named(_) => Some(Setting::Timezone(timezone.clone())),
    };
    match schedule {
        Schedule::Continuous => Vec::new(),
        Schedule::Interval(period) => vec![Setting::Interval(*period)],
        Schedule::Delay(pause) => vec![Setting::Delay(*pause)],
        Schedule::Queue(queue) => queue_settings(queue),
        Schedule::Calendar(Calendar::Cron(cron), timezone) => {
            std::iter::once(Setting::Cron(cron.clone())).chain(zone(timezone)).collect()
        }
        Schedule::Calendar(Calendar::Anchored(anchored), timezone) => {
            let settings = [Setting::Interval(anchored.period), Setting::Anchor(anchored.anchor)];
            settings.into_iter().chain(zone(timezone)).collect()
        }
    }
}

fn queue_settings(queue: &QueueSpec) -> Vec<Setting> {
    let QueueSpec {
        attempts,
        backoff,
        max_backoff,
        concurrency,
        lease,
        poll,
        keep_dead,
        keep_done,
        shared,
    } = *queue;
    let default = QueueSpec::DEFAULT;
    let mut settings = vec![Setting::Queue];
    settings.extend((attempts != default.attempts).then_some(Setting::Attempts(attempts)));
    settings.extend((backoff != default.backoff).then_some(Setting::Backoff(backoff)));
    settings
        .extend((max_backoff != default.max_backoff).then_some(Setting::MaxBackoff(max_backoff)));
    settings
        .extend((concurrency != default.concurrency).then_some(Setting::Concurrency(concurrency)));
    settings.extend(lease.map(Setting::Lease));
    settings.extend((poll != default.poll).then_some(Setting::Poll(poll)));
    settings.extend(keep_dead.map(Setting::KeepDead));
    settings.extend(keep_done.map(Setting::KeepDone));
    settings.extend((shared != default.shared).then_some(Setting::Shared(shared)));
    settings
}

impl Setting {
    /// Its key.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Interval(_) => Key::Interval,
            Self::Delay(_) => Key::Delay,
            Self::Cron(_) => Key::Cron,
            Self::Queue => Key::Queue,
            Self::Timezone(_) => Key::Timezone,
            Self::Anchor(_) => Key::Anchor,
            Self::Tolerance(_) => Key::Tolerance,
            Self::InitialDelay(_) => Key::InitialDelay,
            Self::Jitter(_) => Key::Jitter,
            Self::Timeout(_) => Key::Timeout,
            Self::OnTimeout(_) => Key::OnTimeout,
            Self::Restart(_) => Key::Restart,
            Self::MaxRestarts(_) => Key::MaxRestarts,
            Self::RestartWindow(_) => Key::RestartWindow,
            Self::Backoff(_) => Key::Backoff,
            Self::MaxBackoff(_) => Key::MaxBackoff,
            Self::StopTimeout(_) => Key::StopTimeout,
            Self::Attempts(_) => Key::Attempts,
            Self::Concurrency(_) => Key::Concurrency,
            Self::Lease(_) => Key::Lease,
            Self::Poll(_) => Key::Poll,
            Self::KeepDead(_) => Key::KeepDead,
            Self::KeepDone(_) => Key::KeepDone,
            Self::Shared(_) => Key::Shared,
            Self::OnDead => Key::OnDead,
            Self::Autostart(_) => Key::Autostart,
            Self::Critical(_) => Key::Critical,
            Self::Ready(_) => Key::Ready,
        }
    }

    /// The value of a key that is not set, as text. `None`: it then has no value.
    #[must_use]
    pub fn default_text(key: Key) -> Option<&'static str> {
        match key {
            Key::Timezone => Some("local"),
            Key::InitialDelay => Some("0s"),
            Key::OnTimeout => Some(OnTimeout::Report.as_str()),
            Key::Restart => Some(Restart::OnFailure.as_str()),
            Key::Backoff => Some("1s"),
            Key::MaxBackoff => Some("1m"),
            Key::StopTimeout => Some("10s"),
            Key::Autostart => Some("true"),
            Key::Attempts => Some("10"),
            Key::Concurrency => Some("1"),
            Key::Lease => Some("30s"),
            Key::Poll => Some("1s"),
            Key::KeepDead => Some("30d"),
            Key::Critical | Key::Shared => Some("false"),
            Key::Name
            | Key::Interval
            | Key::Delay
            | Key::Cron
            | Key::Queue
            | Key::Anchor
            | Key::Tolerance
            | Key::Jitter
            | Key::Timeout
            | Key::MaxRestarts
            | Key::RestartWindow
            | Key::After
            | Key::Requires
            | Key::Ready
            | Key::OnStop
            | Key::KeepDone
            | Key::OnDead
            | Key::Tags
            | Key::Crate => None,
        }
    }
}

/// The value as the attribute takes it, without quotation marks.
impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Interval(duration)
            | Self::Delay(duration)
            | Self::Tolerance(duration)
            | Self::InitialDelay(duration)
            | Self::Jitter(duration)
            | Self::Timeout(duration)
            | Self::RestartWindow(duration)
            | Self::Backoff(duration)
            | Self::MaxBackoff(duration)
            | Self::StopTimeout(duration)
            | Self::Lease(duration)
            | Self::Poll(duration)
            | Self::KeepDead(duration)
            | Self::KeepDone(duration) => f.write_str(&format(*duration)),
            Self::Cron(cron) => write!(f, "{cron}"),
            Self::Timezone(timezone) => write!(f, "{timezone}"),
            Self::Anchor(anchor) => write!(f, "{anchor}"),
            Self::OnTimeout(on_timeout) => write!(f, "{on_timeout}"),
            Self::Restart(restart) => write!(f, "{restart}"),
            Self::MaxRestarts(count) | Self::Attempts(count) | Self::Concurrency(count) => {
                write!(f, "{count}")
            }
            Self::Autostart(value) | Self::Critical(value) | Self::Shared(value) => {
                write!(f, "{value}")
            }
            // Their values are code.
            Self::Queue | Self::OnDead => f.write_str("on"),
            Self::Ready(ready) => write!(f, "{ready}"),
        }
    }
}
