//! The settings of the runner itself that a deployment may change.

use tina4_service_core::Key;

/// A setting of the runner that a deployment may change. Its value is read like that of a key of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunnerSetting {
    /// How long `stop_all` may take.
    ShutdownTimeout,
    /// How long services keep running after a stop signal.
    Quiesce,
    /// After how many consecutive crashes a service is unhealthy.
    UnhealthyAfter,
    /// Whether SIGUSR1 writes the services to the log.
    DumpOnSigusr1,
}

impl RunnerSetting {
    pub(super) const ALL: [Self; 4] =
        [Self::ShutdownTimeout, Self::Quiesce, Self::UnhealthyAfter, Self::DumpOnSigusr1];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::ShutdownTimeout => "shutdown_timeout",
            Self::Quiesce => "quiesce",
            Self::UnhealthyAfter => "unhealthy_after",
            Self::DumpOnSigusr1 => "dump_on_sigusr1",
        }
    }

    /// The key of a service that has the same values.
    pub(super) const fn model(self) -> Key {
        match self {
            Self::ShutdownTimeout => Key::StopTimeout,
            Self::Quiesce => Key::InitialDelay,
            Self::UnhealthyAfter => Key::MaxRestarts,
            Self::DumpOnSigusr1 => Key::Autostart,
        }
    }

    /// Whether this is its name in a variable.
    pub(super) fn is_named(self, name: &str) -> bool {
        name == self.as_str().to_ascii_uppercase()
    }
}
