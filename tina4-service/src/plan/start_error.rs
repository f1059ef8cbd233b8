//! Why nothing was started.

use std::error::Error;
use std::{fmt, io};

use crate::plan::fault::{Fault, LINKER};
use crate::sys::fork::{self, Forked};

/// Why nothing was started.
///
/// `Debug` prints the same text as `Display`, so that a `main` that returns this error shows it
/// readably.
#[non_exhaustive]
pub enum StartError {
    /// The services or the runner's settings have faults; all faults are listed.
    Faults(Vec<Fault>),
    /// The program declares no service, or the linker left out the crate that declares them.
    NothingFound,
    /// No service was registered with a runner that excludes declared ones.
    NothingRegistered,
    /// The selection excludes every declared service, and none was registered.
    NothingSelected {
        /// The number of excluded services.
        left_out: usize,
    },
    /// The operating system did not start a single thread.
    NoThread(io::Error),
    /// The tokio runtime of the async services has shut down.
    #[cfg(feature = "tokio")]
    RuntimeGone,
    /// `run` would block the only thread of the tokio runtime that executes the async services, so they would
    /// make no progress.
    #[cfg(feature = "tokio")]
    BlocksRuntime,
    /// The runner is shutting down, or the process is ending.
    ShuttingDown,
    /// The threads of the services belong to the process that forked this one.
    Forked,
}

impl From<Forked> for StartError {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => {
                let (count, s) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
                write!(f, "{count} fault{s} found; nothing was started:")?;
                for fault in faults {
                    write!(f, "\n  - {fault}")?;
                }
                Ok(())
            }
            Self::NothingFound => write!(
                f,
                "no service was found; put `#[service]` on a function, or `register` a service; {LINKER}"
            ),
            Self::NothingRegistered => {
                f.write_str("this runner has no services; `register` a service before starting")
            }
            Self::NothingSelected { left_out } => {
                write!(
                    f,
                    "the selection excludes every declared service ({left_out}); \
                     select one of them, or `register` a service"
                )
            }
            Self::NoThread(error) => {
                write!(
                    f,
                    "the operating system did not start a thread: {error}; lower the number of threads or \
                     the stack size, or raise the limit"
                )
            }
            #[cfg(feature = "tokio")]
            Self::RuntimeGone => f.write_str(crate::sys::runtime::GONE),
            #[cfg(feature = "tokio")]
            Self::BlocksRuntime => f.write_str(
                "`run` would block the only thread of the tokio runtime that executes async services, which would \
                 make no progress; await `run_async` instead",
            ),
            Self::ShuttingDown => f.write_str(
                "the runner is shutting down or the process is ending; \
                 start again only after `stop_all` has returned",
            ),
            Self::Forked => f.write_str(fork::REFUSAL),
        }
    }
}

impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for StartError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::NoThread(error) => Some(error),
            Self::Faults(_)
            | Self::NothingFound
            | Self::NothingRegistered
            | Self::NothingSelected { .. }
            | Self::ShuttingDown
            | Self::Forked => None,
            #[cfg(feature = "tokio")]
            Self::RuntimeGone | Self::BlocksRuntime => None,
        }
    }
}
