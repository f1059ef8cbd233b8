//! The parameters of a service's function and of its `on_stop`, and how they get their values.
//!
//! The attribute sees the parameters of the function that it is attached to, so it writes one call to
//! [`param`] for each. It sees only the path of an `on_stop`, and not at all the function of
//! [`Service::of`](crate::Service::of), so the compiler has to find the parameters of these functions. Six
//! traits do that:
//!
//! ```text
//! #[service(on_stop = close)]
//! fn mail(ctx: &Context, sent: Local<u32>) -> Result<Flow, Error>
//!         `Parameter`    `Parameter`
//!
//! fn close(ctx: &Context, sent: Local<u32>) -> Result<(), Error>
//!          `ParameterFamily` (each)             `HookOutcome`
//! `------- together: `Signature` and `Function<fn(..) -> R>` ------'
//!                  behind a pointer: `DynHook`
//! ```
//!
//! | trait | implemented by | provides |
//! | --- | --- | --- |
//! | [`Parameter<'r>`](Parameter) | the five parameter types, with the lifetime `'r` of a run | the need to be met before the start; the value for this run |
//! | [`ParameterFamily`] | the same types, independent of the run | the [`Parameter<'r>`](Parameter) that it becomes in a run |
//! | [`HookOutcome`](crate::service::outcome::HookOutcome) | `()`, `Result<(), E>`, `!` | the error of the clean-up, if it failed |
//! | [`Signature`](function::Signature) | functions of up to eight parameters | the types of the parameters and of the result |
//! | [`Function`](function::Function) | such functions, if each parameter is a [`ParameterFamily`] | the needs of all parameters; the call |
//! | [`DynHook`](hook::DynHook) | [`OnStop`](hook::OnStop), which holds a [`Function`](function::Function) | the same for an `on_stop`, with the function's type erased |
//!
//! They take their values from an [`Invocation`], which represents one call in progress.

use std::any::{TypeId, type_name};
use std::cell::Cell;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::service::context::Context;
#[cfg(feature = "queue")]
use crate::service::job_slot::{Decode, JobSlot};
use crate::service::tick::Tick;

#[cfg(feature = "tokio")]
pub(crate) mod async_function;
pub(crate) mod callable;
pub(crate) mod function;
pub(crate) mod hook;
#[cfg(feature = "queue")]
pub(crate) mod job;
pub(crate) mod kind;
pub(crate) mod local;
mod res;

/// The need of a parameter, which must be met before its service can start.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A value passed to `provide`.
    Resource {
        /// Its type `T`.
        value: NamedType,
        /// The type `Arc<T>`; a value of this type serves as well.
        arc: NamedType,
        /// Whether the service starts without it.
        is_optional: bool,
    },
    /// A value that only one run at a time can have.
    Local,
    /// A job of the queue of the service.
    #[cfg(feature = "queue")]
    Job {
        /// The type of its payload.
        payload: NamedType,
        /// Reads the payload.
        decode: Decode,
    },
    /// A dead job, in `on_dead` only.
    #[cfg(feature = "queue")]
    DeadJob,
}

/// A type, and its name for messages.
#[derive(Clone, Copy, Debug)]
pub struct NamedType {
    pub(crate) id: TypeId,
    pub(crate) name: fn() -> &'static str,
}

impl NamedType {
    pub(crate) const fn of<T: ?Sized + 'static>() -> Self {
        Self { id: TypeId::of::<T>(), name: type_name::<T> as fn() -> &'static str }
    }
}

/// One call in progress, which supplies the values of parameters.
pub struct Invocation<'r> {
    context: &'r Context,
    /// The slots of [`Locals`](crate::service::locals::Locals) that this call holds, one bit each. Only
    /// this call uses it; an atomic, because the future of an async function may move to another thread.
    held: AtomicU64,
    /// The job that it is for, if any.
    #[cfg(feature = "queue")]
    job: Option<&'r JobSlot>,
}

impl<'r> Invocation<'r> {
    pub(crate) fn new(context: &'r Context) -> Self {
        Self {
            context,
            held: AtomicU64::new(0),
            #[cfg(feature = "queue")]
            job: None,
        }
    }

    /// A call for a job, or for a dead one.
    #[cfg(feature = "queue")]
    pub(crate) fn for_job(context: &'r Context, job: &'r JobSlot) -> Self {
        Self { context, held: AtomicU64::new(0), job: Some(job) }
    }

    #[cfg(feature = "queue")]
    fn job(&self) -> Option<&'r JobSlot> {
        self.job
    }

    pub(crate) fn context(&self) -> &'r Context {
        self.context
    }

    /// Takes slots: `take` gets the set of those that this call holds, and adds to it.
    fn hold<T>(&self, take: impl FnOnce(&Cell<u64>) -> T) -> T {
        let held = Cell::new(self.held.load(Ordering::Relaxed));
        let taken = take(&held);
        self.held.store(held.get(), Ordering::Relaxed);
        taken
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invocation").field("context", self.context).finish_non_exhaustive()
    }
}

/// A type that a service's function can have as a parameter.
#[diagnostic::on_unimplemented(
    message = "a service cannot have a parameter of type `{Self}`",
    label = "not a valid parameter type for a service",
    note = "a parameter is `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` or `Local<T>`",
    note = "`Res<T>` is a shared value given with `provide` and needs `T: Send + Sync`; `Local<T>` is a value private to this service and needs `T: Default + Send`"
)]
pub trait Parameter<'r>: Sized {
    /// The need to be met before the service can start.
    const NEED: Need;
    /// The value for one run.
    fn take(invocation: &'r Invocation<'r>) -> Self;
}

impl<'r> Parameter<'r> for &'r Context {
    const NEED: Need = Need::Nothing;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        invocation.context
    }
}

impl<'r> Parameter<'r> for Tick {
    const NEED: Need = Need::Nothing;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        invocation.context.tick()
    }
}

/// The value of one parameter. Its type is inferred from the function that is called with it.
pub fn param<'r, P: Parameter<'r>>(invocation: &'r Invocation<'r>) -> P {
    P::take(invocation)
}

/// The need of the parameter of `function`.
///
/// The type is inferred, so that the attribute does not repeat it: the compiler would report a
/// nonexistent type once for each repetition.
#[must_use]
pub const fn need_of<'r, P: Parameter<'r>, R>(_function: fn(P) -> R) -> Need {
    P::NEED
}

/// A placeholder for a parameter in a call that is never made: see [`need_of`].
///
/// # Panics
///
/// Always.
#[must_use]
pub fn placeholder<T>() -> T {
    unreachable!("this call exists only for type inference")
}

/// A parameter type without the lifetime of a particular run.
///
/// It lets the compiler find the parameters of a function whose signature the attribute cannot see.
#[diagnostic::on_unimplemented(
    message = "a service cannot have a parameter of type `{Self}`",
    label = "not a valid parameter type for a service",
    note = "a parameter is `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` or `Local<T>`",
    note = "`Res<T>` is a shared value given with `provide` and needs `T: Send + Sync`; `Local<T>` is a value private to this service and needs `T: Default + Send`"
)]
pub trait ParameterFamily {
    /// The parameter for a run.
    type Item<'r>: Parameter<'r>;
}

impl ParameterFamily for &Context {
    type Item<'r> = &'r Context;
}

impl ParameterFamily for Tick {
    type Item<'r> = Self;
}
