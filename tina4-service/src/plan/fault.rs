//! What can be wrong with the services, each with its place and its remedy.

use std::borrow::Cow;
use std::error::Error;
use std::{fmt, io};

use crate::service::definition::Definition;
use crate::service::params::Need;
use crate::sys::fork::{self, Forked};
use crate::sys::place::Place;
use crate::text::nearest::remedy;
use crate::text::one_line::OneLine;

/// Why services that are declared may not be found.
const LINKER: &str = "If the services are in a crate of their own that nothing else names, the \
    linker leaves it out: add `use my_services as _;` to main.rs";

/// The smallest stack on which a run, and the report of its panic with a backtrace, have room.
pub(crate) const LEAST_STACK: usize = 64 * 1024;

/// Why nothing was started.
///
/// `Debug` prints the same text as `Display`, so that a `main` that returns this error shows it
/// readably.
#[non_exhaustive]
pub enum StartError {
    /// The services are not as they must be: every fault there is.
    Faults(Vec<Fault>),
    /// The program declares no service at all, or the linker left out those it does.
    NothingFound,
    /// The runner has no services of its own, and was not to have declared ones.
    NothingRegistered,
    /// `only` and `except` left out every declared service, and no other was registered.
    NothingSelected {
        /// How many they left out.
        left_out: usize,
    },
    /// The operating system did not give a single thread.
    NoThread(io::Error),
    /// The runner is shutting down, or the process is ending.
    ShuttingDown,
    /// This process was forked from the one whose threads run the services.
    Forked,
}

impl From<Forked> for StartError {
    fn from(_: Forked) -> Self {
        Self::Forked
    }
}

/// One thing that is wrong with the services.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Two services have one name.
    DuplicateName {
        /// The name.
        name: Cow<'static, str>,
        /// Where they are declared.
        places: Vec<Place>,
    },
    /// A service asks for a value that was not provided.
    MissingResource {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// The type `T` of its `Res<T>`.
        resource: &'static str,
    },
    /// A value of one type was given more than once.
    ProvidedTwice {
        /// The type.
        resource: &'static str,
        /// Where `provide` was called.
        places: Vec<Place>,
    },
    /// `after` names something that is not a service.
    UnknownAfter {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// What it names.
        after: String,
        /// The name that was probably meant, if one is much like it (with the feature `cron`).
        nearest: Option<String>,
    },
    /// Engine that wait for each other.
    Cycle {
        /// Each with its place, by name.
        services: Vec<(Cow<'static, str>, Place)>,
    },
    /// A setting of a service built at run time is wrong, or a time zone is unknown.
    Setting {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is built.
        place: Place,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// `only` or `except` names a service that does not exist.
    UnknownSelection {
        /// The name.
        name: String,
        /// The names that exist.
        known: Vec<Cow<'static, str>>,
    },
    /// The threads of the runner cannot have a stack of this size.
    StackSize {
        /// What [`Builder::stack_size`](crate::Builder::stack_size) was given.
        bytes: usize,
    },
}

impl Fault {
    /// Whether this service cannot be started because of this fault.
    pub(crate) fn concerns(&self, definition: &Definition) -> bool {
        let own = definition.name_str();
        match self {
            Self::DuplicateName { name, .. } => name == own,
            Self::MissingResource { service, .. }
            | Self::UnknownAfter { service, .. }
            | Self::Setting { service, .. } => service == own,
            Self::Cycle { services } => services.iter().any(|(name, _)| name == own),
            Self::ProvidedTwice { resource, .. } => definition.needs().any(|need| match need {
                Need::Resource { name, .. } => name() == *resource,
                Need::Nothing => false,
            }),
            Self::UnknownSelection { .. } | Self::StackSize { .. } => true,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |places: &[Place]| {
            places.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and ")
        };
        match self {
            Self::DuplicateName { name, places } => write!(
                f,
                "`{}` is the name of {} services, at {}; give all but one another `name`",
                OneLine(name),
                places.len(),
                list(places)
            ),
            Self::MissingResource { service, place, resource } => write!(
                f,
                "`{}` at {place} asks for `Res<{resource}>`, which was not provided; \
                 call `provide(..)` with such a value before starting, or ask for `Option<Res<..>>`",
                OneLine(service)
            ),
            Self::ProvidedTwice { resource, places } => write!(
                f,
                "a `{resource}` was given {} times, at {}; give each type once, or wrap one in a type of its own",
                places.len(),
                list(places)
            ),
            Self::UnknownAfter { service, place, after, nearest } => {
                let (service, after) = (OneLine(service), OneLine(after));
                write!(
                    f,
                    "`{service}` at {place} starts after `{after}`, which is not a service; "
                )?;
                match nearest {
                    Some(nearest) => write!(f, "did you mean `{}`?", OneLine(nearest)),
                    None => f.write_str("put `#[service]` on it, or correct the name"),
                }
            }
            Self::Cycle { services } => {
                for (nth, (name, place)) in services.iter().enumerate() {
                    let before = if nth == 0 {
                        ""
                    } else if nth + 1 == services.len() {
                        " and "
                    } else {
                        ", "
                    };
                    write!(f, "{before}`{}` at {place}", OneLine(name))?;
                }
                let verb =
                    if services.len() == 1 { "waits for itself" } else { "wait for each other" };
                write!(f, " {verb} to be up; remove an `after` that closes the circle")
            }
            Self::Setting { service, place, problem } => {
                write!(f, "`{}` at {place}: {problem}", OneLine(service))
            }
            Self::UnknownSelection { name, known } => {
                let shown = OneLine(name);
                write!(f, "`{shown}` is selected, but there is no service of that name; ")?;
                if known.is_empty() {
                    write!(f, "no service was found. {LINKER}")
                } else {
                    f.write_str(&remedy(name, known))
                }
            }
            Self::StackSize { bytes } => write!(
                f,
                "`stack_size` of the runner is {bytes} bytes, which no thread can have; \
                 write at least {} KiB, such as `8 * 1024 * 1024`",
                LEAST_STACK / 1024
            ),
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Faults(faults) => {
                let (count, s) = (faults.len(), if faults.len() == 1 { "" } else { "s" });
                write!(f, "{count} fault{s} in the services, nothing was started:")?;
                for fault in faults {
                    write!(f, "\n  - {fault}")?;
                }
                Ok(())
            }
            Self::NothingFound => write!(
                f,
                "no service was found; put `#[service]` on a function, or `register` one. {LINKER}"
            ),
            Self::NothingRegistered => {
                f.write_str("this runner has no services; `register` one before starting")
            }
            Self::NothingSelected { left_out } => {
                write!(
                    f,
                    "`only` and `except` exclude every declared service ({left_out}); \
                     select one, or `register` one"
                )
            }
            Self::NoThread(error) => {
                write!(f, "the operating system did not start a thread for the services: {error}")
            }
            Self::ShuttingDown => {
                f.write_str("the services are being shut down; start again later")
            }
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
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_30_a_fault_is_one_line_whatever_name_it_is_about() {
        let name = "a\n\u{1b}[2Jb";
        let place = Place { file: "src/services.rs", line: 7, column: 1 };
        let faults = [
            Fault::DuplicateName { name: name.into(), places: vec![place, place] },
            Fault::MissingResource { service: name.into(), place, resource: "Db" },
            Fault::UnknownAfter {
                service: name.into(),
                place,
                after: name.to_owned(),
                nearest: None,
            },
            Fault::Cycle { services: vec![(name.into(), place), (name.into(), place)] },
            Fault::Setting { service: name.into(), place, problem: "no".to_owned() },
            Fault::UnknownSelection { name: name.to_owned(), known: vec![name.into()] },
        ];
        for fault in faults {
            let text = fault.to_string();
            assert!(text.contains("a\\n\\u{1b}[2Jb"), "{text}");
            assert!(!text.contains(char::is_control), "{text}");
        }
    }
}
