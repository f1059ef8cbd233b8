//! Why a service was not registered.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::plan::fault::Fault;
use crate::sys::fork::{self, Forked};
use crate::sys::place::Place;
use crate::text::one_line::OneLine;

/// Why a service was not registered; nothing of it is kept. `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum RegisterError {
    /// The runner has another service with this name.
    NameTaken {
        /// The name.
        name: Cow<'static, str>,
        /// Where the refused service is built.
        place: Place,
        /// Where the service that has the name is declared or built.
        taken_by: Place,
    },
    /// Settings of the service are wrong; all faults are listed.
    Faults(Vec<Fault>),
    /// This process was forked from the one that runs the services.
    Forked,
}

impl From<Forked> for RegisterError {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

impl fmt::Display for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NameTaken { name, place, taken_by } => write!(
                f,
                "the service `{}` at {place} was not registered, because the one at {taken_by} has that name; \
                 choose another name, or `unregister` that one first",
                OneLine(name)
            ),
            Self::Faults(faults) => {
                let (count, s) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
                write!(f, "{count} fault{s} found; the service was not registered:")?;
                for fault in faults {
                    write!(f, "\n  - {fault}")?;
                }
                Ok(())
            }
            Self::Forked => f.write_str(fork::REFUSAL),
        }
    }
}

impl fmt::Debug for RegisterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for RegisterError {}
