//! A context without a runner, to call a service's function directly, as in a test.

use std::any::TypeId;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
#[cfg(feature = "tokio")]
use std::task::Waker;

use crossbeam_channel::Receiver;

use crate::service::context::{Context, NO_OCCURRENCE, RunInfo};
use crate::service::host::Host;
use crate::service::locals::{LocalValue, Locals, SlotId};
use crate::service::registered_hooks::{RegisteredHook, RegisteredHooks};
use crate::service::resources::Resources;
#[cfg(feature = "tokio")]
use crate::sys::stop_flag::StopTicket;
use crate::sys::stop_flag::{Never, StopChannel, StopFlag};
use crate::sys::sync::{Mutex, lock};
use crate::time::clock::Clock;

impl Context {
    /// A context without a runner, to call a service's function directly in a test.
    ///
    /// It is never asked to stop, sleeps in real time, and drops its clean-up hooks without running
    /// them.
    #[must_use]
    pub fn standalone(name: &str) -> Self {
        let host = Standalone {
            name: name.to_owned(),
            clock: Clock::system(),
            resources: Resources::default(),
            stop: StopFlag::new(),
            state: Mutex::default(),
        };
        let now = host.clock.now();
        let run =
            RunInfo { number: 1, attempt: 1, due: now, occurrence: NO_OCCURRENCE, lateness: 0 };
        Self::new(Arc::new(host), run)
    }
}

/// The host of [`Context::standalone`]: it has no runner, and stop is never requested.
struct Standalone {
    name: String,
    clock: Clock,
    resources: Resources,
    stop: StopFlag,
    state: Mutex<StandaloneState>,
}

#[derive(Default)]
struct StandaloneState {
    stop_channel: StopChannel,
    hooks: RegisteredHooks,
    locals: Locals,
}

impl Host for Standalone {
    fn name(&self) -> &str {
        &self.name
    }

    fn clock(&self) -> &Clock {
        &self.clock
    }

    fn resources(&self) -> &Resources {
        &self.resources
    }

    fn is_stopping(&self) -> bool {
        self.stop.is_requested()
    }

    fn is_exiting(&self) -> bool {
        false
    }

    fn stopping(&self) -> Receiver<Never> {
        self.stop.receiver(&mut lock(&self.state).stop_channel)
    }

    #[cfg(feature = "tokio")]
    fn stop_ticket(&self) -> StopTicket {
        self.stop.ticket(&mut lock(&self.state).stop_channel)
    }

    #[cfg(feature = "tokio")]
    fn register_stop_waker(
        &self,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool {
        self.stop.register_waker(&mut lock(&self.state).stop_channel, ticket, key, waker)
    }

    #[cfg(feature = "tokio")]
    fn remove_stop_waker(&self, key: u64) -> Option<Waker> {
        lock(&self.state).stop_channel.remove_waker(key)
    }

    fn add_hook(&self, hook: RegisteredHook) -> Option<RegisteredHook> {
        lock(&self.state).hooks.add(hook)
    }

    /// Does nothing, because there is no `timeout` to restart.
    fn heartbeat(&self) {}

    /// Does nothing, because no service waits for it.
    fn ready(&self) {}

    /// Does nothing, because it has no queue.
    #[cfg(feature = "queue")]
    fn job_pushed(&self) {}

    fn take_local(&self, id: TypeId, held: &Cell<u64>) -> (SlotId, Option<LocalValue>) {
        lock(&self.state).locals.take(id, held)
    }

    fn put_back_local(&self, slot: SlotId, value: LocalValue) -> Option<LocalValue> {
        lock(&self.state).locals.put_back(slot, value)
    }
}

impl fmt::Debug for Standalone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Standalone").field("name", &self.name).finish_non_exhaustive()
    }
}
