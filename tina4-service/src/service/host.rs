//! What a `Context` needs from whatever runs its service.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;

use crossbeam_channel::Receiver;

use crate::service::locals::{LocalKey, LocalValue};
use crate::service::registered_hooks::RegisteredHook;
use crate::service::resources::Resources;
use crate::sys::stop_flag::Never;
use crate::time::clock::Clock;

/// What runs the service of a [`Context`](crate::Context): an instance of a runner, or nothing but
/// a test.
///
/// A trait, because the types would form a circle otherwise: a context leads to an instance, the
/// instance to its definition, and the definition to a function with a parameter `&Context`.
pub(crate) trait Host: Any + fmt::Debug + Send + Sync {
    /// The service's name.
    fn name(&self) -> &str;

    fn clock(&self) -> &Clock;

    /// The values given with `provide`.
    fn resources(&self) -> &Resources;

    fn is_stopping(&self) -> bool;

    /// A receiver that is disconnected when stop is requested.
    fn stopping(&self) -> Receiver<Never>;

    /// Adds a clean-up hook; the one that it replaces is returned to be dropped.
    fn add_hook(&self, hook: RegisteredHook) -> Option<RegisteredHook>;

    /// Restarts the time of the key `timeout`.
    fn heartbeat(&self);

    /// [`Locals::take`](crate::service::locals::Locals::take).
    fn take_local(&self, id: TypeId, held: &Cell<u64>) -> (LocalKey, Option<LocalValue>);

    /// [`Locals::put_back`](crate::service::locals::Locals::put_back).
    fn put_back_local(&self, key: LocalKey, value: LocalValue) -> Option<LocalValue>;
}
