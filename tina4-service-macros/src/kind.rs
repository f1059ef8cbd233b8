//! The kind of value that each key takes.

use tina4_service_core::Key;

/// What a key takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Name,
    Duration,
    Restart,
    Count,
    Switch,
    List,
    Function,
    Module,
    Cron,
    Timezone,
}

impl Kind {
    pub(crate) fn of(key: Key) -> Self {
        match key {
            Key::Name => Self::Name,
            Key::Interval
            | Key::Delay
            | Key::InitialDelay
            | Key::Jitter
            | Key::Timeout
            | Key::RestartWindow
            | Key::Backoff
            | Key::MaxBackoff
            | Key::StopTimeout => Self::Duration,
            Key::Restart => Self::Restart,
            Key::MaxRestarts => Self::Count,
            Key::Autostart | Key::Critical => Self::Switch,
            Key::After => Self::List,
            Key::OnStop => Self::Function,
            Key::Crate => Self::Module,
            Key::Cron => Self::Cron,
            Key::Timezone => Self::Timezone,
        }
    }
}
