//! What the attribute leaves behind in the program, and what a runner makes of it.

use std::any::TypeId;
use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tina4_service_core::Spec;

use crate::service::context::Context;
use crate::service::outcome::{Cause, Exit};
use crate::service::params::{DynHook, Invocation, Need};

mod expansion;

/// Where a service is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the compiler names it.
    pub file: &'static str,
    /// The line, from 1.
    pub line: u32,
    /// The column, from 1.
    pub column: u32,
}

impl From<&'static Location<'static>> for Place {
    fn from(at: &'static Location<'static>) -> Self {
        Self { file: at.file(), line: at.line(), column: at.column() }
    }
}

/// `src/services.rs:12`.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A service that must be up first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum After<'a> {
    /// A function with `#[service]`, known by its type, which survives `use` and renaming.
    Function {
        /// The type of the function item.
        id: TypeId,
        /// The path as written, for messages.
        path: &'a str,
    },
    /// A service's name.
    Name(&'a str),
}

/// The type of a function item: function pointers may be merged, types may not.
#[must_use]
pub const fn id_of<F: 'static>(_: &F) -> TypeId {
    TypeId::of::<F>()
}

/// One `#[service]`, as data; collected by `inventory` from every linked crate.
#[derive(Debug)]
pub struct Registration {
    /// The service's name.
    pub(crate) name: &'static str,
    /// Its settings, checked while compiling.
    spec: Spec,
    /// Where the attribute stands.
    place: Place,
    /// The function's path.
    path: &'static str,
    /// The function's type.
    id: TypeId,
    /// Services that must be up first.
    after: &'static [After<'static>],
    /// What the parameters need.
    needs: &'static [Need],
    /// Wakeups the function with its parameters.
    call: fn(&Invocation<'_>) -> Exit,
    /// The attribute's clean-up function.
    on_stop: Option<&'static dyn DynHook>,
}

inventory::collect!(Registration);

/// Every service declared in a linked crate, by name, then by place: link order means nothing.
pub(crate) fn declared() -> Vec<&'static Registration> {
    let mut found: Vec<_> = inventory::iter::<Registration>.into_iter().collect();
    found.sort_by_key(|registration| (registration.name, registration.place));
    found
}

/// The body of a service that is not known at compile time.
pub(crate) trait Body: Send + Sync {
    fn call(&self, context: &Context) -> Exit;
    /// The name of its type, which is its path and more.
    fn path(&self) -> &'static str;
}

/// Its clean-up.
pub(crate) type ClosureHook = Box<dyn Fn(&Context) -> Result<(), Cause> + Send + Sync>;

/// A service built at run time.
pub(crate) struct Built {
    pub(crate) name: Cow<'static, str>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) body: Box<dyn Body>,
}

/// The settings of a service built at run time; services from one line with the same ones share
/// them.
pub(crate) struct Settings {
    pub(crate) place: &'static Location<'static>,
    pub(crate) spec: Spec,
    /// Few have any; they belong to one service alone.
    pub(crate) cold: Option<Box<ColdSettings>>,
}

/// What few services have.
#[derive(Default)]
pub(crate) struct ColdSettings {
    pub(crate) after: Vec<Cow<'static, str>>,
    pub(crate) on_stop: Option<ClosureHook>,
    /// What is wrong with the settings; `check` reports them.
    pub(crate) faults: Vec<String>,
}

impl Settings {
    fn on_stop(&self) -> Option<&ClosureHook> {
        self.cold.as_ref().and_then(|cold| cold.on_stop.as_ref())
    }
}

/// A service as a runner knows it: declared with the attribute, or built at run time.
pub(crate) enum Definition {
    Declared(&'static Registration),
    Built(Built),
}

impl Definition {
    pub(crate) fn name(&self) -> Cow<'static, str> {
        match self {
            Self::Declared(registration) => Cow::Borrowed(registration.name),
            Self::Built(built) => built.name.clone(),
        }
    }

    pub(crate) fn name_str(&self) -> &str {
        match self {
            Self::Declared(registration) => registration.name,
            Self::Built(built) => &built.name,
        }
    }

    pub(crate) fn spec(&self) -> &Spec {
        match self {
            Self::Declared(registration) => &registration.spec,
            Self::Built(built) => &built.settings.spec,
        }
    }

    pub(crate) fn place(&self) -> Place {
        match self {
            Self::Declared(registration) => registration.place,
            Self::Built(built) => built.settings.place.into(),
        }
    }

    pub(crate) fn path(&self) -> &'static str {
        match self {
            Self::Declared(registration) => registration.path,
            Self::Built(built) => built.body.path(),
        }
    }

    pub(crate) fn id(&self) -> Option<TypeId> {
        match self {
            Self::Declared(registration) => Some(registration.id),
            Self::Built(_) => None,
        }
    }

    pub(crate) fn after(&self) -> Vec<After<'_>> {
        match self {
            Self::Declared(registration) => registration.after.to_vec(),
            Self::Built(built) => {
                let cold = built.settings.cold.iter();
                cold.flat_map(|cold| &cold.after).map(|name| After::Name(name)).collect()
            }
        }
    }

    /// What the parameters of the function and of its `on_stop` need.
    pub(crate) fn needs(&self) -> impl Iterator<Item = &'static Need> {
        let (body, hook): (&'static [Need], &'static [Need]) = match self {
            Self::Declared(registration) => {
                (registration.needs, registration.on_stop.map_or(&[], DynHook::needs))
            }
            Self::Built(_) => (&[], &[]),
        };
        body.iter().chain(hook)
    }

    pub(crate) fn faults(&self) -> &[String] {
        match self {
            Self::Declared(_) => &[],
            Self::Built(built) => built.settings.cold.as_ref().map_or(&[], |cold| &cold.faults),
        }
    }

    pub(crate) fn call(&self, invocation: &Invocation<'_>) -> Exit {
        match self {
            Self::Declared(registration) => (registration.call)(invocation),
            Self::Built(built) => built.body.call(invocation.context()),
        }
    }

    pub(crate) fn has_on_stop(&self) -> bool {
        match self {
            Self::Declared(registration) => registration.on_stop.is_some(),
            Self::Built(built) => built.settings.on_stop().is_some(),
        }
    }

    /// Wakeups the declared clean-up, if there is one.
    pub(crate) fn on_stop(&self, invocation: &Invocation<'_>) -> Result<(), Cause> {
        match self {
            Self::Declared(registration) => {
                registration.on_stop.map_or(Ok(()), |hook| hook.call(invocation))
            }
            Self::Built(built) => {
                built.settings.on_stop().map_or(Ok(()), |hook| hook(invocation.context()))
            }
        }
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition").field("name", &self.name_str()).finish_non_exhaustive()
    }
}
