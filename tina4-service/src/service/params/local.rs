//! `Local<T>`: a value that belongs to one service.

use std::any::TypeId;
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::{Invocation, Need, Parameter, ParameterFamily};
use crate::service::host::Host;
use crate::service::locals::{LocalValue, SlotId};

/// A value that belongs to one service and is kept from run to run; no lock is needed.
///
/// It starts as `T::default()`; a crash and each new activation reset it to that. The first
/// `Local<T>` of the function and the first `Local<T>` of its `on_stop` are the same value; so are the
/// second ones, and so on.
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
    /// `Some` until `drop`.
    value: Option<Box<T>>,
    origin: Option<Origin<T>>,
}

/// The slot to which the value of a [`Local`] is returned after the run.
struct Origin<T> {
    host: Arc<dyn Host>,
    slot: SlotId,
    /// Erases the type. A function, because only [`Parameter::take`] knows that `T` is `Send`.
    erase: fn(Box<T>) -> LocalValue,
}

impl<T: 'static> Local<T> {
    /// Wraps a value, to call a service's function directly, as in a test.
    pub fn new(value: T) -> Self {
        Self { value: Some(Box::new(value)), origin: None }
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
        // A panic may have left the value partially modified, so it is not kept.
        if std::thread::panicking() {
            return;
        }
        if let (Some(value), Some(origin)) = (self.value.take(), self.origin.take()) {
            let discarded = origin.host.put_back_local(origin.slot, (origin.erase)(value));
            drop(discarded);
        }
    }
}

impl<'r, T: Default + Send + 'static> Parameter<'r> for Local<T> {
    const NEED: Need = Need::Local;
    fn take(invocation: &'r Invocation<'r>) -> Self {
        let host = Arc::clone(invocation.context.host());
        let (slot, value) = invocation.hold(|held| host.take_local(TypeId::of::<T>(), held));
        let value = value.and_then(|value| value.downcast().ok()).unwrap_or_default();
        Self { value: Some(value), origin: Some(Origin { host, slot, erase: |value| value }) }
    }
}

impl<T: Default + Send + 'static> ParameterFamily for Local<T> {
    type Item<'r> = Self;
}
