//! The data that the attribute `#[service]` adds to the program.

use std::any::TypeId;

use tina4_service_core::Spec;
use tina4_service_core::lifecycle::RunKind;

#[cfg(feature = "tokio")]
use crate::service::future::BoxFuture;
use crate::service::outcome::Exit;
use crate::service::params::hook::DynHook;
use crate::service::params::{Invocation, Need};
#[cfg(feature = "queue")]
use crate::service::queue_binding::QueueBinding;
use crate::sys::place::Place;

mod expansion;

/// An entry of `after` or `requires`: a service that another one depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dependency<'a> {
    /// A function with `#[service]`, identified by its type, which survives `use` and renaming.
    Function {
        /// The type of the function item.
        id: TypeId,
        /// The path as written, for messages.
        path: &'a str,
    },
    /// A service's name.
    Name(&'a str),
}

impl<'a> Dependency<'a> {
    /// The entry as written.
    pub(crate) fn text(&self) -> &'a str {
        match self {
            Self::Function { id: _, path } => path,
            Self::Name(name) => name,
        }
    }
}

/// The type of a function item. It identifies the function, whereas several functions may share one
/// pointer.
#[must_use]
pub const fn id_of<F: 'static>(_: &F) -> TypeId {
    TypeId::of::<F>()
}

/// One `#[service]`, as data; collected by `inventory` from every linked crate.
#[derive(Debug)]
pub struct Registration {
    /// The service's name.
    pub(crate) name: &'static str,
    /// Its settings, checked at compile time.
    pub(crate) spec: Spec,
    /// The place of the attribute.
    pub(crate) place: Place,
    /// The function's path.
    pub(crate) path: &'static str,
    /// The function's type.
    pub(crate) id: TypeId,
    /// The services that it comes after.
    pub(crate) after: &'static [Dependency<'static>],
    /// The services that must be ready first.
    pub(crate) requires: &'static [Dependency<'static>],
    /// The needs of the parameters.
    pub(crate) needs: &'static [Need],
    /// Calls a plain function with its parameters.
    pub(crate) call: fn(&Invocation<'_>) -> Exit,
    /// Calls an async function; `None` for a plain one.
    #[cfg(feature = "tokio")]
    pub(crate) call_async: Option<AsyncCall>,
    /// The attribute's clean-up function.
    pub(crate) on_stop: Option<&'static dyn DynHook>,
    /// The groups that it belongs to.
    pub(crate) tags: &'static [&'static str],
    /// The queue whose jobs it works on.
    #[cfg(feature = "queue")]
    pub(crate) queue: Option<QueueBinding>,
    /// The function that is told of each dead job.
    #[cfg(feature = "queue")]
    pub(crate) on_dead: Option<&'static dyn DynHook>,
}

/// Calls an async function with its parameters, and boxes its future.
#[cfg(feature = "tokio")]
pub type AsyncCall = for<'r> fn(&'r Invocation<'r>) -> BoxFuture<'r, Exit>;

impl Registration {
    /// No service: it has no name, is never started, and does nothing.
    pub(crate) const VACANT: Self = Self {
        name: "",
        spec: Spec::DEFAULT,
        place: Place { file: "", line: 0, column: 0 },
        path: "",
        id: TypeId::of::<()>(),
        after: &[],
        requires: &[],
        needs: &[],
        call: |_| Exit::Done,
        #[cfg(feature = "tokio")]
        call_async: None,
        on_stop: None,
        tags: &[],
        #[cfg(feature = "queue")]
        queue: None,
        #[cfg(feature = "queue")]
        on_dead: None,
    };
}

inventory::collect!(Registration);

impl Registration {
    #[cfg(feature = "tokio")]
    pub(crate) fn run_kind(&self) -> RunKind {
        if self.call_async.is_some() { RunKind::Task } else { RunKind::Call }
    }

    #[cfg(not(feature = "tokio"))]
    pub(crate) fn run_kind(&self) -> RunKind {
        RunKind::Call
    }

    /// Calls the function.
    #[cfg(feature = "tokio")]
    pub(crate) fn future<'r>(&self, invocation: &'r Invocation<'r>) -> BoxFuture<'r, Exit> {
        match self.call_async {
            Some(call) => call(invocation),
            None => Box::pin(std::future::ready((self.call)(invocation))),
        }
    }
}

/// Every service declared in a linked crate, sorted by name and then by place, because the link order
/// is arbitrary.
pub(crate) fn declared() -> Vec<&'static Registration> {
    let mut found: Vec<_> = inventory::iter::<Registration>.into_iter().collect();
    found.sort_by_key(|registration| (registration.name, registration.place));
    found
}
