//! What a service's function can ask for, and where it comes from.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use crate::context::Context;
use crate::flow::{Cause, HookOutcome};
use crate::registration::Place;
use crate::unit::Unit;

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
    /// When this run was due, its jitter included.
    pub due: SystemTime,
    /// How much later than that it began.
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

/// A value of this service's own, kept from run to run; no lock is needed.
///
/// It begins as `T::default()`, and again so after a crash and at each activation. The first
/// `Local<T>` of the function and the first of its `on_stop` are the same value, and so on.
///
/// ```
/// use tina4_service::Local;
///
/// fn count(mut runs: Local<u64>) -> u64 {
///     *runs += 1;
///     *runs
/// }
/// assert_eq!(count(Local::new(41)), 42);
/// ```
pub struct Local<T: Send + 'static> {
    /// Present until `drop`.
    value: Option<Box<T>>,
    home: Option<Home>,
}

/// Where a [`Local`] goes back to when its run lets go of it.
struct Home {
    unit: Arc<Unit>,
    slot: usize,
    era: u64,
}

impl<T: Send + 'static> Local<T> {
    /// Wraps a value, to call a service's function by hand.
    pub fn new(value: T) -> Self {
        Self { value: Some(Box::new(value)), home: None }
    }
}

impl<T: Send + 'static> Deref for Local<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("a local value is taken only when it is dropped")
    }
}

impl<T: Send + 'static> DerefMut for Local<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a local value is taken only when it is dropped")
    }
}

impl<T: Send + fmt::Debug + 'static> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&**self).finish()
    }
}

impl<T: Send + 'static> Drop for Local<T> {
    fn drop(&mut self) {
        // A value that a panic went through may be half changed: it is not kept.
        if std::thread::panicking() {
            return;
        }
        if let (Some(value), Some(home)) = (self.value.take(), self.home.take()) {
            let late = home.unit.locals().put_back(home.slot, home.era, value);
            drop(late);
        }
    }
}

/// The values of a service's [`Local`] parameters between its runs.
#[derive(Default)]
pub(crate) struct Locals {
    slots: Vec<Slot>,
    /// Goes up when everything is forgotten, so that an older value does not come back.
    era: u64,
}

/// One `Local<T>`: its type, and its value unless a run holds it.
type Slot = (TypeId, Option<Box<dyn Any + Send>>);

/// Values of the user, to be dropped where no lock is held.
#[must_use = "dropping these runs user code; do it where no lock is held"]
pub(crate) struct Forgotten {
    _slots: Vec<Slot>,
}

impl Locals {
    /// Forgets every value. The caller drops what is returned, outside of the lock.
    pub(crate) fn forget(&mut self) -> Option<Forgotten> {
        self.era += 1;
        let slots = std::mem::take(&mut self.slots);
        (!slots.is_empty()).then_some(Forgotten { _slots: slots })
    }

    /// The first slot for `id` that `handed` does not hold yet, its value, and the era.
    fn take(
        &mut self,
        id: TypeId,
        handed: &Cell<u64>,
    ) -> (usize, Option<Box<dyn Any + Send>>, u64) {
        let free = |slot: usize| handed.get() & (1 << slot) == 0;
        let found = (0..self.slots.len()).find(|slot| self.slots[*slot].0 == id && free(*slot));
        let slot = found.unwrap_or_else(|| {
            self.slots.push((id, None));
            self.slots.len() - 1
        });
        handed.set(handed.get() | (1 << slot));
        (slot, self.slots[slot].1.take(), self.era)
    }

    /// Keeps `value` for the next run; returns it if its time is over.
    fn put_back(
        &mut self,
        slot: usize,
        era: u64,
        value: Box<dyn Any + Send>,
    ) -> Option<Box<dyn Any + Send>> {
        match self.slots.get_mut(slot) {
            Some((_, kept)) if era == self.era => kept.replace(value),
            Some(_) | None => Some(value),
        }
    }
}

/// The values given with `provide`, by type.
#[derive(Debug, Default)]
pub(crate) struct Resources(RwLock<HashMap<TypeId, Resource>>);

#[derive(Debug)]
struct Resource {
    value: Arc<dyn Any + Send + Sync>,
    name: &'static str,
    /// Where it was given; more than one is a fault.
    places: Vec<Place>,
}

/// A type for which a value was given more than once.
#[derive(Debug)]
pub(crate) struct GivenTwice {
    pub(crate) name: &'static str,
    pub(crate) places: Vec<Place>,
}

impl Resources {
    /// Keeps `value` for the services; a second value of the type is noted as a fault.
    pub(crate) fn provide<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        let mut map = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let surplus = match map.entry(TypeId::of::<T>()) {
            std::collections::hash_map::Entry::Occupied(mut entry) => {
                entry.get_mut().places.push(place);
                Some(value)
            }
            std::collections::hash_map::Entry::Vacant(entry) => {
                let name = std::any::type_name::<T>();
                entry.insert(Resource { value: Arc::new(value), name, places: vec![place] });
                None
            }
        };
        drop(map);
        // Its `drop` is user code, so the lock is released first.
        drop(surplus);
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<Res<T>> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let value = Arc::clone(&map.get(&TypeId::of::<T>())?.value);
        value.downcast().ok().map(Res)
    }

    pub(crate) fn has(&self, id: TypeId) -> bool {
        self.0.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    pub(crate) fn given_twice(&self) -> Vec<GivenTwice> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let mut twice: Vec<_> = map
            .values()
            .filter(|resource| resource.places.len() > 1)
            .map(|resource| GivenTwice { name: resource.name, places: resource.places.clone() })
            .collect();
        twice.sort_by_key(|given| given.name);
        twice
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
pub struct Run<'r> {
    context: &'r Context,
    /// Bit per slot of [`Locals`] that this call holds.
    handed: Cell<u64>,
}

impl<'r> Run<'r> {
    pub(crate) fn new(context: &'r Context) -> Self {
        Self { context, handed: Cell::new(0) }
    }

    pub(crate) fn context(&self) -> &'r Context {
        self.context
    }
}

impl fmt::Debug for Run<'_> {
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
    fn take(run: &'r Run<'r>) -> Self;
}

impl<'r> Parameter<'r> for &'r Context {
    const NEED: Need = Need::Nothing;
    fn take(run: &'r Run<'r>) -> Self {
        run.context
    }
}

impl<'r> Parameter<'r> for Tick {
    const NEED: Need = Need::Nothing;
    fn take(run: &'r Run<'r>) -> Self {
        run.context.tick()
    }
}

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Res<T> {
    const NEED: Need =
        Need::Resource { id: TypeId::of::<T>(), name: std::any::type_name::<T> as fn() -> _ };
    fn take(run: &'r Run<'r>) -> Self {
        let resources = &run.context.unit().env.resources;
        // Nothing is ever taken back, and a service does not start while something is missing.
        resources.get().expect("a value that was there at start is still there")
    }
}

impl<'r, T: Send + Sync + 'static> Parameter<'r> for Option<Res<T>> {
    const NEED: Need = Need::Nothing;
    fn take(run: &'r Run<'r>) -> Self {
        run.context.unit().env.resources.get()
    }
}

impl<'r, T: Default + Send + 'static> Parameter<'r> for Local<T> {
    const NEED: Need = Need::Nothing;
    fn take(run: &'r Run<'r>) -> Self {
        let unit = Arc::clone(run.context.unit());
        let (slot, value, era) = unit.locals().take(TypeId::of::<T>(), &run.handed);
        let value = value.and_then(|value| value.downcast().ok()).unwrap_or_default();
        Self { value: Some(value), home: Some(Home { unit, slot, era }) }
    }
}

/// The value of one parameter; its type is that of the function's.
pub fn param<'r, P: Parameter<'r>>(run: &'r Run<'r>) -> P {
    P::take(run)
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

/// A function that can be an `on_stop`: a service's parameters, `()` or `Result<(), E>`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an `on_stop`",
    label = "not a clean-up function",
    note = "an `on_stop` is a function with up to eight of `&Context`, `Tick`, `Res<T>`, `Option<Res<T>>`, `Local<T>`, which returns `()` or `Result<(), E>`"
)]
pub trait Hook<Marker>: Send + Sync + 'static {
    /// What its parameters need.
    const NEEDS: &'static [Need];
    /// Calls it.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn call(&self, run: &Run<'_>) -> Result<(), Cause>;
}

macro_rules! hooks {
    ($($p:ident)*) => {
        impl<Func, R, $($p),*> Hook<fn($($p),*) -> R> for Func
        where
            $($p: Shape,)*
            R: HookOutcome,
            // The first bound lets the compiler find the parameters, the second lets us call.
            Func: Fn($($p),*) -> R + for<'r> Fn($($p::Item<'r>),*) -> R + Send + Sync + 'static,
        {
            const NEEDS: &'static [Need] = &[$(<$p::Item<'static> as Parameter<'static>>::NEED),*];
            #[allow(non_snake_case, unused_variables, reason = "one name per type; none without parameters")]
            fn call(&self, run: &Run<'_>) -> Result<(), Cause> {
                // Names the one of the two bounds that is meant.
                #[allow(clippy::too_many_arguments, reason = "one for each parameter, and the function")]
                fn give<$($p,)* R: HookOutcome>(f: impl Fn($($p),*) -> R, $($p: $p),*) -> Result<(), Cause> {
                    f($($p),*).into_result()
                }
                give(self, $(param::<$p::Item<'_>>(run)),*)
            }
        }
    };
}
hooks!();
hooks!(P1);
hooks!(P1 P2);
hooks!(P1 P2 P3);
hooks!(P1 P2 P3 P4);
hooks!(P1 P2 P3 P4 P5);
hooks!(P1 P2 P3 P4 P5 P6);
hooks!(P1 P2 P3 P4 P5 P6 P7);
hooks!(P1 P2 P3 P4 P5 P6 P7 P8);

/// A [`Hook`] with its parameters forgotten.
pub trait DynHook: Send + Sync + fmt::Debug {
    /// What its parameters need.
    fn needs(&self) -> &'static [Need];
    /// Calls it.
    ///
    /// # Errors
    ///
    /// The function's own.
    fn call(&self, run: &Run<'_>) -> Result<(), Cause>;
}

/// An `on_stop` function, as a constant.
pub struct OnStop<F, M> {
    function: F,
    marker: std::marker::PhantomData<fn(M)>,
}

impl<M, F: Hook<M>> OnStop<F, M> {
    /// Wraps the function.
    pub const fn new(function: F) -> Self {
        Self { function, marker: std::marker::PhantomData }
    }
}

impl<F, M> fmt::Debug for OnStop<F, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<F>())
    }
}

impl<M, F: Hook<M>> DynHook for OnStop<F, M> {
    fn needs(&self) -> &'static [Need] {
        F::NEEDS
    }
    fn call(&self, run: &Run<'_>) -> Result<(), Cause> {
        self.function.call(run)
    }
}
