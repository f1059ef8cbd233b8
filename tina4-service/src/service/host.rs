//! The interface that a `Context` uses to access its service: an instance in a runner, or a stub.

use std::any::{Any, TypeId};
use std::cell::Cell;
use std::fmt;
#[cfg(feature = "tokio")]
use std::task::Waker;

use crossbeam_channel::Receiver;

use crate::service::locals::{LocalValue, SlotId};
use crate::service::registered_hooks::RegisteredHook;
use crate::service::resources::Resources;
use crate::sys::stop_flag::Never;
#[cfg(feature = "tokio")]
use crate::sys::stop_flag::StopTicket;
use crate::time::clock::Clock;

/// The host of a [`Context`](crate::Context): an instance in a runner, or, in
/// [`Context::standalone`](crate::Context::standalone), a stub.
///
/// A trait, because otherwise the types would depend on each other in a cycle: a context leads to an
/// instance, the instance to its definition, and the definition to a function with a parameter
/// `&Context`.
pub(crate) trait Host: Any + fmt::Debug + Send + Sync {
    /// The service's name.
    fn name(&self) -> &str;

    fn clock(&self) -> &Clock;

    /// The values passed to `provide`.
    fn resources(&self) -> &Resources;

    /// Whether the code of the service was asked to return.
    fn is_stopping(&self) -> bool;

    /// Whether the process is ending: see `Environment::exiting`.
    fn is_exiting(&self) -> bool;

    /// A receiver that is disconnected when stop is requested.
    fn stopping(&self) -> Receiver<Never>;

    /// The ticket of a task that waits for the current stop request, or else the next one.
    #[cfg(feature = "tokio")]
    fn stop_ticket(&self) -> StopTicket;

    /// Registers the waker of that task, in place of the one registered under `key`, which it leaves in
    /// `waker` for the caller to drop; `true`: stop was requested.
    #[cfg(feature = "tokio")]
    fn register_stop_waker(
        &self,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool;

    /// Removes that waker, for the caller to drop.
    #[cfg(feature = "tokio")]
    fn remove_stop_waker(&self, key: u64) -> Option<Waker>;

    /// Adds a clean-up hook. Returns the hook that it replaces, if any, for the caller to drop.
    fn add_hook(&self, hook: RegisteredHook) -> Option<RegisteredHook>;

    /// Restarts the `timeout` of the current run.
    fn heartbeat(&self);

    /// Reports that the service is ready.
    fn ready(&self);

    /// Reports that a job was pushed to the queue of the service.
    #[cfg(feature = "queue")]
    fn job_pushed(&self);

    /// Calls [`Locals::take`](crate::service::locals::Locals::take).
    fn take_local(&self, id: TypeId, held: &Cell<u64>) -> (SlotId, Option<LocalValue>);

    /// Calls [`Locals::put_back`](crate::service::locals::Locals::put_back).
    fn put_back_local(&self, slot: SlotId, value: LocalValue) -> Option<LocalValue>;
}
