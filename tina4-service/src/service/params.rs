//! The parameters of a service's function and of its `on_stop`, and where their values come from.
//!
//! The attribute sees the parameters of the function that it stands on, so it writes one call of
//! [`param`] for each. Of an `on_stop` it sees only the path, so there the compiler has to find the
//! parameters. Five traits do that:
//!
//! ```text
//! #[service(on_stop = close)]
//! fn mail(ctx: &Context, sent: Local<u32>) -> Result<Flow, Error>
//!         `Parameter`    `Parameter`
//!
//! fn close(ctx: &Context, sent: Local<u32>) -> Result<(), Error>
//!          `Shape`        `Shape`             `HookOutcome`
//! `--------------- together: `Hook<fn(..) -> R>` ------------'
//!                  behind a pointer: `DynHook`
//! ```
//!
//! | trait | implemented by | answers |
//! | --- | --- | --- |
//! | [`Parameter<'r>`](Parameter) | the five parameter types, for the run `'r` | what must be provided before the start; the value for this run |
//! | [`Shape`] | the same types, whatever the run | which [`Parameter<'r>`](Parameter) it becomes in a run |
//! | [`HookOutcome`](crate::service::outcome::HookOutcome) | `()`, `Result<(), E>`, `!` | whether the clean-up failed |
//! | [`Hook`](hook::Hook) | functions of up to eight shapes that return such an outcome | what all parameters need; the call |
//! | [`DynHook`](hook::DynHook) | [`OnStop`](hook::OnStop), which holds a [`Hook`](hook::Hook) | the same, with the function's type erased |
//!
//! [`Invocation`] is what they take the values from: one call in progress.

use std::any::TypeId;
use std::cell::Cell;
use std::fmt;

use crate::service::context::Context;
use crate::service::tick::Tick;

pub(crate) mod hook;
pub(crate) mod local;
mod res;

/// What a parameter needs before its service can start.
#[derive(Clone, Copy, Debug)]
pub enum Need {
    /// Nothing.
    Nothing,
    /// A value given with `provide`.
    Resource {
        /// Its type.
        id: TypeId,
        /// The type's name, for messages.
        name: fn() -> &'static str,
    },
}

/// One call in progress: where parameters come from.
pub struct Invocation<'r> {
    context: &'r Context,
    /// The slots of [`Locals`](crate::service::locals::Locals) that this call holds, one bit each.
    held: Cell<u64>,
}

impl<'r> Invocation<'r> {
    pub(crate) fn new(context: &'r Context) -> Self {
        Self { context, held: Cell::new(0) }
    }

    pub(crate) fn context(&self) -> &'r Context {
        self.context
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
    /// What must be provided before the service can start.
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

/// What the parameter of `function` needs.
///
/// The type is inferred, so that the attribute does not write it: if a type does not exist, the
/// compiler reports each place where it is written.
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
pub fn any<T>() -> T {
    unreachable!("this call only tells the compiler a type")
}

/// A parameter whose type does not name the run it belongs to.
///
/// It lets the compiler find the parameters of a function whose signature the attribute cannot see.
pub trait Shape {
    /// The parameter for a run.
    type Item<'r>: Parameter<'r>;
}

impl Shape for &Context {
    type Item<'r> = &'r Context;
}

impl Shape for Tick {
    type Item<'r> = Self;
}
