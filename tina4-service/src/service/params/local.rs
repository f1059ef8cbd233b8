//! `Local<T>`: a value of a service's own, and where it stays between runs.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::{Invocation, Need, Parameter};
use crate::service::instance::Instance;

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
pub struct Local<T: 'static> {
    /// Present until `drop`.
    value: Option<Box<T>>,
    home: Option<Home<T>>,
}

/// Where a [`Local`] goes back to when its run lets go of it.
struct Home<T> {
    instance: Arc<Instance>,
    slot: usize,
    era: u64,
    /// Forgets the type; a run has one only of types that can be sent.
    erase: fn(Box<T>) -> Box<dyn Any + Send>,
}

impl<T: 'static> Local<T> {
    /// Wraps a value, to call a service's function by hand.
    pub fn new(value: T) -> Self {
        Self { value: Some(Box::new(value)), home: None }
    }
}

impl<T: 'static> Deref for Local<T> {
    type Target = T;
    fn deref(&self) -> &T {
        self.value.as_ref().expect("a local value is taken only when it is dropped")
    }
}

impl<T: 'static> DerefMut for Local<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.value.as_mut().expect("a local value is taken only when it is dropped")
    }
}

impl<T: fmt::Debug + 'static> fmt::Debug for Local<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Local").field(&**self).finish()
    }
}

impl<T: 'static> Drop for Local<T> {
    fn drop(&mut self) {
        // A value that a panic went through may be half changed: it is not kept.
        if std::thread::panicking() {
            return;
        }
        if let (Some(value), Some(home)) = (self.value.take(), self.home.take()) {
            let value = (home.erase)(value);
            let Home { instance, slot, era, .. } = home;
            let late = instance.with_locals(|locals| locals.put_back(slot, era, value));
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
pub(crate) struct Discarded {
    _slots: Vec<Slot>,
}

impl Locals {
    /// Forgets every value. The caller drops what is returned, outside of the lock.
    pub(crate) fn forget(&mut self) -> Option<Discarded> {
        self.era += 1;
        let slots = std::mem::take(&mut self.slots);
        (!slots.is_empty()).then_some(Discarded { _slots: slots })
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

impl<'r, T: Default + Send + 'static> Parameter<'r> for Local<T> {
    const NEED: Need = Need::Nothing;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let instance = Arc::clone(invocation.context.instance());
        let id = TypeId::of::<T>();
        let (slot, value, era) = instance.with_locals(|locals| locals.take(id, &invocation.handed));
        let value = value.and_then(|value| value.downcast().ok()).unwrap_or_default();
        Self { value: Some(value), home: Some(Home { instance, slot, era, erase: |value| value }) }
    }
}
