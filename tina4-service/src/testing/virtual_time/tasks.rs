//! The tasks of async services: when they run, and how far time passes for them.
//!
//! They run on the paused runtime of this file's [`Tasks`], on the driver thread that holds the token,
//! once nothing else is left to do at an instant. Their `ctx` sleeps are waiters of virtual time, like
//! parked threads. tokio's clock follows in whole milliseconds, and virtual time follows tokio's clock
//! when that jumps to a timer.

use std::cell::Cell;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use crate::sys::paused_runtime::PausedRuntime;
use crate::sys::runtime::Handle;
use crate::sys::sync::{Mutex, lock};
use crate::time::async_sleeper::AsyncSleeper;
use tina4_service_core::Nanos;

/// The tasks of the runner itself: the one that tells whether the runtime still exists.
const OWN_TASKS: usize = 1;

thread_local! {
    /// Whether this thread is polling tasks.
    static POLLING: Cell<bool> = const { Cell::new(false) };
}

/// The runtime of a test, and the tasks that sleep on `ctx`.
#[derive(Default)]
pub(super) struct Tasks {
    runtime: OnceLock<PausedRuntime>,
    /// A thread is driving the runtime. It may be parked, because a task has called a function that
    /// blocks; other threads then drive everything but the tasks.
    is_driven: AtomicBool,
    sleepers: Mutex<Vec<Weak<AsyncSleeper>>>,
}

/// The state of the tasks that sleep on `ctx`.
#[derive(Clone, Copy, Default)]
pub(super) struct AsyncSleepers {
    /// How many were woken.
    pub(super) woken: u64,
    /// When the next one wakes.
    pub(super) next: Option<Nanos>,
}

/// Whether this thread is polling tasks.
pub(super) fn is_polling() -> bool {
    POLLING.get()
}

impl Tasks {
    /// The runtime of this test, which is created when it is first needed. `on_time` is called when its
    /// clock may have advanced.
    pub(super) fn runtime_handle(
        &self,
        on_time: impl Fn(Duration) + Send + Sync + 'static,
    ) -> io::Result<Handle> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime.handle().clone());
        }
        let runtime = PausedRuntime::new(on_time)?;
        Ok(self.runtime.get_or_init(|| runtime).handle().clone())
    }

    pub(super) fn add_sleeper(&self, sleeper: Weak<AsyncSleeper>) {
        lock(&self.sleepers).push(sleeper);
    }

    /// Wakes the tasks whose sleep is over.
    fn wake_sleepers(&self, now: Nanos) -> AsyncSleepers {
        let mut sleepers = lock(&self.sleepers);
        let live: Vec<_> = sleepers.iter().filter_map(Weak::upgrade).collect();
        let (due, waiting): (Vec<_>, Vec<_>) =
            live.into_iter().partition(|sleeper| sleeper.until <= now);
        *sleepers = waiting.iter().map(Arc::downgrade).collect();
        drop(sleepers);
        due.iter().for_each(|sleeper| sleeper.wake());
        let next = waiting.iter().map(|sleeper| sleeper.until).filter(|until| *until < Nanos::MAX);
        AsyncSleepers { woken: due.len() as u64, next: next.min() }
    }

    /// The runtime, if there are tasks that this thread can drive.
    fn live(&self) -> Option<&PausedRuntime> {
        let runtime = self.runtime.get()?;
        let is_free = !self.is_driven.load(Ordering::Acquire);
        (is_free && runtime.has_tasks(OWN_TASKS)).then_some(runtime)
    }

    /// Whether there are tasks, which something other than virtual time may wake.
    pub(super) fn are_live(&self) -> bool {
        self.live().is_some()
    }

    fn drive<T>(&self, drive: impl FnOnce() -> T) -> T {
        self.is_driven.store(true, Ordering::Release);
        POLLING.set(true);
        let result = drive();
        POLLING.set(false);
        self.is_driven.store(false, Ordering::Release);
        result
    }

    /// Lets the tasks run until none of them can make progress at this instant.
    pub(super) fn settle(&self, now: Nanos) -> AsyncSleepers {
        let sleepers = self.wake_sleepers(now);
        let Some(runtime) = self.live() else { return sleepers };
        self.drive(|| runtime.settle(Duration::from_nanos(now)));
        // They may have begun to sleep.
        let AsyncSleepers { woken, next } = self.wake_sleepers(now);
        AsyncSleepers { woken: sleepers.woken + woken, next }
    }

    /// Advances tokio's clock to `until`; or, if a timer is due before, only to that instant. `None`: to the
    /// next timer, and meanwhile to whatever wakes a task from outside. Returns whether it got there; then
    /// everything before that instant is over.
    pub(super) fn advance(&self, until: Option<Nanos>) -> bool {
        let Some(runtime) = self.live() else { return true };
        self.drive(|| runtime.advance(until.map(Duration::from_nanos)))
    }

    /// Makes a thread that drives the tasks return.
    pub(super) fn interrupt(&self) {
        if let Some(runtime) = self.runtime.get() {
            runtime.interrupt();
        }
    }
}
