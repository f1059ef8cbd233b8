//! What a service's function can ask for, and where it comes from.

use std::any::TypeId;
use std::cell::Cell;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::context::Context;

mod hook;
mod local;

pub use hook::{DynHook, Hook, OnStop};
pub use local::Local;
pub(crate) use local::{Discarded, Locals};

/// One call of a service's function: which one, and how punctual.
///
/// A parameter of a service's function; [`Context::tick`] has it too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Tick {
    /// The number of this run since the service became known, from 1.
    pub run: u64,
    /// 1, or one more for each crash in a row before this run.
    pub attempt: u32,
    /// When this run was due: its jitter included, except that calendar time is exact.
    pub due: SystemTime,
    /// How much later it began than it was to begin, its jitter not counted.
    pub lateness: Duration,
}

/// A shared value that somebody gave with [`provide`](crate::provide); many services may hold it.
///
/// A service cannot be started while a value that it asks for is missing. `Option<Res<T>>` asks
/// without insisting. Compared with [`Local`]: shared and read-only, unless `T` has a lock or
/// atomics inside.
///
/// ```
/// use tina4_service::Res;
///
/// struct Greeting(&'static str);
///
/// // A service's function stays an ordinary function.
/// fn greet(greeting: Res<Greeting>) -> usize {
///     greeting.0.len()
/// }
/// assert_eq!(greet(Res::new(Greeting("hello"))), 5);
/// ```
pub struct Res<T: ?Sized>(Arc<T>);

impl<T> Res<T> {
    /// Wraps a value, to call a service's function by hand.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }
}

impl<T: ?Sized> Clone for Res<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> Deref for Res<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: ?Sized> From<Arc<T>> for Res<T> {
    fn from(value: Arc<T>) -> Self {
        Self(value)
    }
}

impl<T: ?Sized> From<Res<T>> for Arc<T> {
    fn from(value: Res<T>) -> Self {
        value.0
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Res<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Res").field(&&*self.0).finish()
    }
}

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
    /// Bit per slot of [`Locals`] that this call holds.
    handed: Cell<u64>,
}

impl<'r> Invocation<'r> {
    pub(crate) fn new(context: &'r Context) -> Self {
        Self { context, handed: Cell::new(0) }
    }

    pub(crate) fn context(&self) -> &'r Context {
        self.context
    }
}

impl fmt::Debug for Invocation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("context", self.context).finish_non_exhaustive()
    }
}

/// A type that a service's function can have as a parameter.
#[diagnostic::on_unimplemented(
    message = "a service cannot have a parameter of type `{Self}`",
    label = "not a parameter of a service",
    note = "a parameter is `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>` or `Local<T>`",
    note = "`Res<T>` is a shared value given with `provide` and needs `T: Send + Sync`; `Local<T>` is a value of this service's own and needs `T: Default + Send`"
)]
pub trait Parameter<'r>: Sized {
    /// What must be there before the service can start.
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

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Res<T> {
    const NEED: Need =
        Need::Resource { id: TypeId::of::<T>(), name: std::any::type_name::<T> as fn() -> _ };
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let resources = &invocation.context.instance().env.resources;
        // Nothing is ever taken back, and a service does not start while something is missing.
        resources.get().expect("a value that was there at start is still there")
    }
}

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Option<Res<T>> {
    const NEED: Need = Need::Nothing;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        invocation.context.instance().env.resources.get()
    }
}

/// The value of one parameter; its type is that of the function's.
pub fn param<'r, P: Parameter<'r>>(invocation: &'r Invocation<'r>) -> P {
    P::take(invocation)
}

/// What the parameter of `function` needs. The type is inferred, so that the attribute writes it
/// nowhere: a type that is written twice is reported twice when it does not exist.
#[must_use]
pub const fn need_of<'r, P: Parameter<'r>, R>(_function: fn(P) -> R) -> Need {
    P::NEED
}

/// Stands for a parameter in a call that is never made: see [`need_of`].
///
/// # Panics
///
/// Always.
#[must_use]
pub fn any<T>() -> T {
    unreachable!("this call only tells the compiler a type")
}

/// A parameter whose type does not name the run it belongs to, so that a function can be asked
/// for without its signature at hand.
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
impl<T: Send + Sync + 'static> Shape for Res<T> {
    type Item<'r> = Self;
}
impl<T: Send + Sync + 'static> Shape for Option<Res<T>> {
    type Item<'r> = Self;
}
impl<T: Default + Send + 'static> Shape for Local<T> {
    type Item<'r> = Self;
}
