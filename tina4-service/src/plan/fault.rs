//! The faults that a check can find, each with its place and its remedy.

use std::borrow::Cow;
use std::fmt;

use crate::sys::place::Place;
use crate::text::nearest::{remedy, remedy_of};
use crate::text::one_line::OneLine;

/// Why declared services may not be found.
pub(super) const LINKER: &str = "if the services are in a separate crate that nothing refers to, the linker \
    leaves it out: add `use my_services as _;` to main.rs";

/// The smallest stack with room for a run and for the report of its panic with a backtrace.
pub(crate) const MIN_STACK_SIZE: usize = 64 * 1024;

/// How many of the services that depend on another one a message names.
const MAX_DEPENDENTS_SHOWN: usize = 3;

/// One fault in the services or in the settings of a runner.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Several services have the same name.
    DuplicateName {
        /// The name.
        name: Cow<'static, str>,
        /// Where they are declared.
        places: Vec<Place>,
    },
    /// A service needs a value that was not provided.
    MissingResource {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// The type `T` of its `Res<T>`.
        resource: &'static str,
        /// A type that was provided and may be the one that was meant: it wraps `T`, is wrapped by it,
        /// or has the same name.
        similar: Option<&'static str>,
    },
    /// A type was provided more than once.
    ProvidedTwice {
        /// The type.
        resource: &'static str,
        /// Where `provide` was called.
        places: Vec<Place>,
    },
    /// A service asks for `Res<T>`, and both a `T` and an `Arc<T>` were provided.
    ProvidedInTwoForms {
        /// The type `T`.
        resource: &'static str,
        /// Where the `T` was provided.
        value: Place,
        /// Where the `Arc<T>` was provided.
        arc: Place,
    },
    /// `after` or `requires` names an unknown service.
    UnknownDependency {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// Whether it is in `requires`, and not in `after`.
        is_required: bool,
        /// The name or function in the list.
        dependency: String,
        /// The most similar known name, if one is similar enough (with the feature `cron`).
        nearest: Option<String>,
    },
    /// `after` or `requires` names a service that was unregistered.
    UnregisteredDependency {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// Whether it is in `requires`, and not in `after`.
        is_required: bool,
        /// The name of the service that was unregistered.
        dependency: String,
    },
    /// A service requires one that this runner leaves out.
    RequiredLeftOut {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// The service that the selection leaves out.
        required: Cow<'static, str>,
        /// Where that one is declared.
        required_place: Place,
    },
    /// Another service depends on a continuous one that does not say when it is ready.
    ReadyMissing {
        /// The continuous service.
        service: Cow<'static, str>,
        /// Where it is declared.
        place: Place,
        /// The services that depend on it.
        dependents: Vec<Cow<'static, str>>,
    },
    /// Services wait for each other.
    Cycle {
        /// Each service with its place, sorted by name.
        services: Vec<(Cow<'static, str>, Place)>,
    },
    /// Several services work on one queue, and not all of them have `shared`.
    #[cfg(feature = "queue")]
    QueueTaken {
        /// The name of the queue.
        queue: String,
        /// Each service with its place, sorted by name.
        services: Vec<(Cow<'static, str>, Place)>,
    },
    /// The engine of the queues cannot be used, or does not answer.
    #[cfg(feature = "queue")]
    QueueEngine {
        /// Each service with a queue, with its place, sorted by name.
        services: Vec<(Cow<'static, str>, Place)>,
        /// The problem and its remedy.
        problem: String,
    },
    /// A setting of a service built at run time is invalid, a time zone is unknown, an `anchor` is
    /// in a gap of its time zone, a parameter does not fit the queue, or the engine of the queue refuses
    /// an option.
    Setting {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is built.
        place: Place,
        /// The problem and its remedy.
        problem: String,
    },
    /// The deployment has set a key of a service to something that is not valid, or that contradicts another
    /// setting.
    DeployedSetting {
        /// The service.
        service: Cow<'static, str>,
        /// Where it is declared or built.
        place: Place,
        /// The variable, or the place in [`Settings`](crate::Settings).
        setting: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// A setting of the runner is not valid, or one of the deployment is for a service that does not exist.
    RunnerSetting {
        /// The variable, the place in [`Settings`](crate::Settings), or the method.
        setting: String,
        /// The problem and its remedy.
        problem: String,
    },
    /// The name of a variable could mean several services.
    AmbiguousVariable {
        /// The variable.
        variable: String,
        /// The services, with their places.
        services: Vec<(Cow<'static, str>, Place)>,
    },
    /// A selection names a service that does not exist, or a tag that no service has.
    UnknownSelection {
        /// The name, or `tag:` with the tag.
        name: String,
        /// What selects: `only`, `except`, a variable or `Settings`.
        source: String,
        /// The known names or tags.
        known: Vec<Cow<'static, str>>,
    },
    /// No thread can have a stack of the requested size.
    StackSize {
        /// The argument of [`Builder::stack_size`](crate::Builder::stack_size).
        bytes: usize,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |places: &[Place]| {
            let item = |(index, place)| format!("{}{place}", separator(index, places.len()));
            places.iter().enumerate().map(item).collect::<String>()
        };
        match self {
            Self::DuplicateName { name, places } => write!(
                f,
                "`{}` is the name of {} services, at {}; give each service a different `name`",
                OneLine(name),
                places.len(),
                list(places)
            ),
            Self::MissingResource { service, place, resource, similar } => {
                let service = OneLine(service);
                write!(
                    f,
                    "`{service}` at {place} asks for `Res<{resource}>`, which was not provided"
                )?;
                match similar {
                    None => f.write_str(
                        "; call `provide(..)` with a value of that type before starting, or ask for \
                         `Option<Res<..>>`",
                    ),
                    Some(similar) if similar == resource => f.write_str(
                        ", but another type of that name was; if two versions of its crate are linked, \
                         `cargo tree --duplicates` shows them",
                    ),
                    Some(similar) => write!(
                        f,
                        ", but `{similar}` was; ask for `Res<{similar}>`, or call `provide(..)` with a \
                         value of the type `{resource}` before starting"
                    ),
                }
            }
            Self::ProvidedTwice { resource, places } => write!(
                f,
                "`{resource}` was provided {} times, at {}; provide each type only once, or wrap the values in distinct types",
                places.len(),
                list(places)
            ),
            Self::ProvidedInTwoForms { resource, value, arc } => write!(
                f,
                "`{resource}` was provided at {value} and, in an `Arc`, at {arc}, so `Res<{resource}>` \
                 could mean either; provide only one of them, or wrap one in a distinct type"
            ),
            Self::UnknownDependency { service, place, is_required, dependency, nearest } => {
                let (service, dependency) = (OneLine(service), OneLine(dependency));
                let verb = if *is_required { "requires" } else { "starts after" };
                write!(
                    f,
                    "`{service}` at {place} {verb} `{dependency}`, which is not a service; "
                )?;
                match nearest {
                    Some(nearest) => write!(f, "did you mean `{}`?", OneLine(nearest)),
                    None => f.write_str("put `#[service]` on it, or correct the name"),
                }
            }
            Self::UnregisteredDependency { service, place, is_required, dependency } => {
                let (service, dependency) = (OneLine(service), OneLine(dependency));
                let verb = if *is_required { "requires" } else { "starts after" };
                write!(
                    f,
                    "`{service}` at {place} {verb} `{dependency}`, which was unregistered; \
                     `register` a service with that name, or `unregister` `{service}`, too"
                )
            }
            Self::RequiredLeftOut { service, place, required, required_place } => {
                let (service, required) = (OneLine(service), OneLine(required));
                write!(
                    f,
                    "`{service}` at {place} requires `{required}` at {required_place}, which this runner leaves out; \
                     select both or neither, or name it in `after` instead of `requires`"
                )
            }
            Self::ReadyMissing { service, place, dependents } => {
                let count = dependents.len();
                write!(f, "`{}` at {place} does not say when it is ready, and ", OneLine(service))?;
                for (nth, name) in dependents.iter().take(MAX_DEPENDENTS_SHOWN).enumerate() {
                    let before = separator(nth, count.min(MAX_DEPENDENTS_SHOWN));
                    write!(f, "{before}`{}`", OneLine(name))?;
                }
                if count > MAX_DEPENDENTS_SHOWN {
                    write!(f, " (and {} more)", count - MAX_DEPENDENTS_SHOWN)?;
                }
                let verb = if count == 1 { "depends" } else { "depend" };
                write!(
                    f,
                    " {verb} on it; add `ready = \"started\"` (its function has been called), `\"finished\"` \
                     (it has returned well) or `\"notified\"` (it has called `ctx.ready()`)"
                )
            }
            Self::Cycle { services } => {
                for (nth, (name, place)) in services.iter().enumerate() {
                    let before = separator(nth, services.len());
                    write!(f, "{before}`{}` at {place}", OneLine(name))?;
                }
                let verb =
                    if services.len() == 1 { "waits for itself" } else { "wait for each other" };
                write!(f, " {verb}; remove one entry of `after` or `requires` to break the cycle")
            }
            #[cfg(feature = "queue")]
            Self::QueueTaken { queue, services } => {
                for (nth, (name, place)) in services.iter().enumerate() {
                    let before = separator(nth, services.len());
                    write!(f, "{before}`{}` at {place}", OneLine(name))?;
                }
                write!(
                    f,
                    " work on the same queue `{queue}`; add `shared = true` to each of them, or use `concurrency`"
                )
            }
            #[cfg(feature = "queue")]
            Self::QueueEngine { services, problem } => {
                for (nth, (name, place)) in services.iter().enumerate() {
                    let before = separator(nth, services.len());
                    write!(f, "{before}`{}` at {place}", OneLine(name))?;
                }
                write!(f, " cannot work on jobs: {}", OneLine(problem))
            }
            Self::Setting { service, place, problem } => {
                write!(f, "`{}` at {place}: {problem}", OneLine(service))
            }
            Self::DeployedSetting { service, place, setting, problem } => {
                write!(f, "`{}` at {place}: `{}`: {problem}", OneLine(service), OneLine(setting))
            }
            Self::RunnerSetting { setting, problem } => {
                write!(f, "`{}`: {problem}", OneLine(setting))
            }
            Self::AmbiguousVariable { variable, services } => {
                write!(f, "`{}` could mean ", OneLine(variable))?;
                for (nth, (name, place)) in services.iter().enumerate() {
                    let before = if nth == 0 { "" } else { " or " };
                    write!(f, "{before}`{}` at {place}", OneLine(name))?;
                }
                f.write_str(
                    "; give one of them another `name`, or use `Settings`, where names are exact",
                )
            }
            Self::UnknownSelection { name, source, known } => {
                let shown = OneLine(name);
                if name.starts_with("tag:") {
                    write!(f, "{source} names `{shown}`, but no service has that tag; ")?;
                    return match known.as_slice() {
                        [] => f.write_str("add the key `tags` to a service, or name services"),
                        known => f.write_str(&remedy_of(name, known, "tags")),
                    };
                }
                write!(f, "{source} names `{shown}`, but there is no such service; ")?;
                if let [tag] = known.as_slice()
                    && tag.starts_with("tag:")
                {
                    write!(f, "did you mean `{}`?", OneLine(tag))
                } else if known.is_empty() {
                    write!(f, "no service was found; {LINKER}")
                } else {
                    f.write_str(&remedy(name, known))
                }
            }
            Self::StackSize { bytes } => write!(
                f,
                "the runner's `stack_size` is {bytes} bytes; it must be at least {} KiB and at most \
                 a quarter of the address space, such as `8 * 1024 * 1024`",
                MIN_STACK_SIZE / 1024
            ),
        }
    }
}

/// What separates the item with this index from the one before it, in a list of `count` items.
fn separator(index: usize, count: usize) -> &'static str {
    match index {
        0 => "",
        _ if index + 1 == count => " and ",
        _ => ", ",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_30_a_fault_is_one_line_even_with_control_characters_in_names() {
        let name = "a\n\u{1b}[2Jb";
        let place = Place { file: "src/services.rs", line: 7, column: 1 };
        let faults = [
            Fault::DuplicateName { name: name.into(), places: vec![place, place] },
            Fault::MissingResource {
                service: name.into(),
                place,
                resource: "Db",
                similar: Some("Mutex<Db>"),
            },
            Fault::UnknownDependency {
                service: name.into(),
                place,
                is_required: true,
                dependency: name.to_owned(),
                nearest: None,
            },
            Fault::UnregisteredDependency {
                service: name.into(),
                place,
                is_required: false,
                dependency: name.to_owned(),
            },
            Fault::RequiredLeftOut {
                service: name.into(),
                place,
                required: name.into(),
                required_place: place,
            },
            Fault::ReadyMissing { service: name.into(), place, dependents: vec![name.into(); 5] },
            Fault::Cycle { services: vec![(name.into(), place), (name.into(), place)] },
            Fault::Setting { service: name.into(), place, problem: "no".to_owned() },
            #[cfg(feature = "queue")]
            Fault::QueueEngine { services: vec![(name.into(), place)], problem: name.to_owned() },
            Fault::UnknownSelection {
                name: name.to_owned(),
                source: "`only`".to_owned(),
                known: vec![name.into()],
            },
            Fault::DeployedSetting {
                service: name.into(),
                place,
                setting: name.to_owned(),
                problem: "no".to_owned(),
            },
            Fault::RunnerSetting { setting: name.to_owned(), problem: "no".to_owned() },
            Fault::AmbiguousVariable {
                variable: name.to_owned(),
                services: vec![(name.into(), place), (name.into(), place)],
            },
        ];
        for fault in faults {
            let text = fault.to_string();
            assert!(text.contains("a\\n\\u{1b}[2Jb"), "{text}");
            assert!(!text.contains(char::is_control), "{text}");
        }
    }
}
