//! The error type for requests that name one service.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tina4_service_core::lifecycle::State;

use crate::plan::start_error::StartError;
use crate::sys::fork::{self, Forked};
use crate::sys::place::Place;
use crate::text::one_line::OneLine;

/// Why a request to one service was refused. `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum ControlError {
    /// There is no service with that name.
    Unknown {
        /// The name.
        name: String,
        /// The most similar known name, if one is similar enough (with the feature `cron`).
        nearest: Option<String>,
    },
    /// The service is not active: not waiting, running, backing off or paused.
    NotActive {
        /// The service.
        name: String,
        /// Its state.
        state: State,
    },
    /// The deployment has turned the service off.
    Disabled {
        /// The service.
        name: String,
        /// The setting that turned it off.
        reason: Arc<str>,
    },
    /// The service is waiting for the services listed in its `after` and `requires`.
    WaitingForDependencies {
        /// The service.
        name: String,
    },
    /// The service is blocked: services that it requires cannot become ready unless they are started.
    Blocked {
        /// The service.
        name: String,
        /// Those services.
        by: Vec<Cow<'static, str>>,
    },
    /// The service is not ready, and cannot become ready unless it is started.
    NotReady {
        /// The service.
        name: String,
        /// Its state.
        state: State,
    },
    /// The service called `wait_ready` for itself before it was ready.
    WaitsForItself {
        /// The service.
        name: String,
    },
    /// The calling service was asked to stop while it waited for this one to become ready.
    Interrupted {
        /// The service that it waited for.
        name: String,
    },
    /// The service cannot follow the new schedule.
    Schedule {
        /// The service.
        name: String,
        /// Where it is declared or built.
        place: Place,
        /// The problem and its remedy.
        problem: String,
    },
    /// The service cannot be unregistered while other services that depend on it are active or blocked.
    InUse {
        /// The service.
        name: String,
        /// Those services.
        by: Vec<Cow<'static, str>>,
    },
    /// The service tried to unregister itself.
    UnregistersItself {
        /// The service.
        name: String,
    },
    /// A run is in progress, and runs of one service never overlap.
    Busy {
        /// The service.
        name: String,
    },
    /// The service is stopping, so it cannot be run, paused or resumed.
    Stopping {
        /// The service.
        name: String,
    },
    /// The service was abandoned, and its old run is still alive.
    StillAlive {
        /// The service.
        name: String,
        /// The time since that run, or its clean-up, began.
        age: Duration,
        /// Where the service is declared.
        place: Place,
    },
    /// The call would block the only thread of the tokio runtime that executes the services which it waits
    /// for, so they would make no progress.
    #[cfg(feature = "tokio")]
    BlocksRuntime {
        /// The method that was called.
        call: &'static str,
    },
    /// The service or the runner cannot start.
    Start(StartError),
    /// This process was forked from the one that runs the services.
    Forked,
}

impl From<Forked> for ControlError {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

impl fmt::Display for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, nearest: Some(nearest) } => {
                let (name, nearest) = (OneLine(name), OneLine(nearest));
                write!(f, "there is no service `{name}`; did you mean `{nearest}`?")
            }
            Self::Unknown { name, nearest: None } => {
                let name = OneLine(name);
                write!(f, "there is no service `{name}`; `status()` lists the names")
            }
            Self::NotActive { name, state } => {
                write!(f, "`{}` is {state}; `start` it first", OneLine(name))
            }
            Self::Disabled { name, reason } => write!(
                f,
                "`{}` is disabled by `{}`; change that setting, or `start` it by name",
                OneLine(name),
                OneLine(reason)
            ),
            Self::WaitingForDependencies { name } => {
                write!(
                    f,
                    "`{name}` is waiting for the services in its `after` or `requires`; try again when they are ready"
                )
            }
            Self::Blocked { name, by } => {
                write!(f, "`{}` is blocked, because it requires ", OneLine(name))?;
                write_names(f, by)?;
                f.write_str("; it starts by itself once that is ready")
            }
            Self::NotReady { name, state } => {
                let name = OneLine(name);
                write!(f, "`{name}` is {state} and cannot become ready; `start` it first")
            }
            Self::WaitsForItself { name } => write!(
                f,
                "`{}` cannot wait for itself to be ready; let another thread wait for it",
                OneLine(name)
            ),
            Self::Interrupted { name } => write!(
                f,
                "the wait for `{}` has ended because the calling service was asked to stop; let the run return",
                OneLine(name)
            ),
            Self::Schedule { name, place, problem } => {
                write!(
                    f,
                    "`{}` at {place} cannot follow the new schedule: {problem}",
                    OneLine(name)
                )
            }
            Self::InUse { name, by } => {
                let verb = if by.len() == 1 { "depends" } else { "depend" };
                write!(f, "`{}` cannot be unregistered while ", OneLine(name))?;
                write_names(f, by)?;
                write!(f, " {verb} on it; stop what depends on it first")
            }
            Self::UnregistersItself { name } => write!(
                f,
                "`{}` cannot unregister itself; let another thread do it, or return `Flow::Done` to finish",
                OneLine(name)
            ),
            Self::Busy { name } => {
                write!(
                    f,
                    "a run of `{name}` is in progress, and runs of one service never overlap; \
                     try again when it has ended"
                )
            }
            Self::Stopping { name } => write!(f, "`{name}` is stopping; `start` it again first"),
            Self::StillAlive { name, age, place } => write!(
                f,
                "`{name}` at {place} was abandoned, and its old run is still alive after {age:.1?}; \
                 start it again once that run has returned"
            ),
            #[cfg(feature = "tokio")]
            Self::BlocksRuntime { call } => write!(
                f,
                "`{call}` would block the only thread of the tokio runtime that executes async services, which would \
                 make no progress; await `{call}_async` instead"
            ),
            Self::Start(error) => write!(f, "{error}"),
            Self::Forked => f.write_str(fork::REFUSAL),
        }
    }
}

/// Writes the names of services as a list.
fn write_names(f: &mut fmt::Formatter<'_>, names: &[Cow<'static, str>]) -> fmt::Result {
    for (nth, name) in names.iter().enumerate() {
        let before = if nth == 0 { "" } else { " and " };
        write!(f, "{before}`{}`", OneLine(name))?;
    }
    Ok(())
}

impl fmt::Debug for ControlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for ControlError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(error) => error.source(),
            Self::Unknown { .. }
            | Self::NotActive { .. }
            | Self::Disabled { .. }
            | Self::WaitingForDependencies { .. }
            | Self::Blocked { .. }
            | Self::NotReady { .. }
            | Self::WaitsForItself { .. }
            | Self::Interrupted { .. }
            | Self::Schedule { .. }
            | Self::InUse { .. }
            | Self::UnregistersItself { .. }
            | Self::Busy { .. }
            | Self::Stopping { .. }
            | Self::StillAlive { .. }
            | Self::Forked => None,
            #[cfg(feature = "tokio")]
            Self::BlocksRuntime { .. } => None,
        }
    }
}
