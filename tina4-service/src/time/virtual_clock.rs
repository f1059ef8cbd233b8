//! The interface between a runner and clocks other than the system clock.
//!
//! Two clocks are virtual. [`ManualClock`](super::manual_clock::ManualClock) stands still until it is
//! advanced, and the threads of the pool do the work. The virtual time of the test kit advances when
//! every thread waits, and drives the runner itself: its own threads do the work, one at a time.

#![cfg_attr(
    not(feature = "testing"),
    expect(dead_code, reason = "only the virtual time of the test kit drives a runner")
)]

use std::fmt;
#[cfg(feature = "tokio")]
use std::io;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

#[cfg(feature = "tokio")]
use crate::sys::runtime::Handle;
use crate::sys::stop_flag::StopReceiver;
#[cfg(feature = "tokio")]
use crate::time::async_sleeper::AsyncSleeper;
use crate::time::wall::WallReading;
use tina4_service_core::Nanos;

/// Returns whether a service has been asked to stop. Any thread may call it.
pub(crate) type IsStopping = Arc<dyn Fn() -> bool + Send + Sync>;

/// A clock that is not the system clock.
///
/// The default methods suit a clock that does not drive its runner: see
/// [`VirtualClock::drives_runner`].
pub(crate) trait VirtualClock: fmt::Debug + Send + Sync {
    /// The monotonic time since the clock was created.
    fn now(&self) -> Nanos;

    /// The monotonic time, and a reading of the wall clock that holds at that time, read together.
    fn reading(&self) -> (Nanos, WallReading);

    /// Advances the monotonic time, and with it the wall clock.
    fn advance(self: Arc<Self>, by: Duration);

    /// Sets the wall clock, but not the monotonic time; no waiting thread wakes up.
    fn set_wall(&self, wall: SystemTime);

    /// Adds a runner that uses this clock.
    fn attach(&self, runner: Weak<dyn Driven>);

    /// Blocks the body of a service until this clock shows `until`; `false`: it was asked to stop.
    fn sleep(self: Arc<Self>, until: Nanos, is_stopping: IsStopping, stop: &StopReceiver) -> bool;

    /// Adds a task that sleeps. It is woken once this clock shows its instant, or earlier.
    #[cfg(feature = "tokio")]
    fn add_sleeper(&self, sleeper: Weak<AsyncSleeper>);

    /// The runtime that executes async services under this clock; `None`: as with the system clock.
    #[cfg(feature = "tokio")]
    fn task_runtime(self: Arc<Self>) -> Option<io::Result<Handle>> {
        None
    }

    /// Whether this thread polls the tasks of that runtime, and so must not wait for this clock.
    #[cfg(feature = "tokio")]
    fn is_polling_tasks(&self) -> bool {
        false
    }

    /// Blocks until this clock shows `until`, even if stop is requested. Does nothing by default,
    /// because only injected faults use it, and only in virtual time.
    fn sleep_through(self: Arc<Self>, _until: Nanos) {}

    /// Whether this clock executes due work, on its own threads; the pool then has none.
    fn drives_runner(&self) -> bool {
        false
    }

    /// Called before each run begins.
    fn begin_run(&self) {}

    /// Called when the body on this thread may block on something other than virtual time: from then
    /// on, the clock advances without waiting for it.
    fn detach(self: Arc<Self>, _is_stopping: IsStopping) {}

    /// Called when the body on this thread has ended. If the thread was detached, waits until it may
    /// continue.
    fn reattach(&self) {}

    /// The number of changes so far, for [`VirtualClock::wait_for_change`]; `None`: wait on a condition
    /// variable, as with the system clock.
    fn changes(&self) -> Option<u64> {
        None
    }

    /// Waits until there are more than `seen` changes, or until this clock shows `until`.
    fn wait_for_change(self: Arc<Self>, _until: Option<Nanos>, _seen: u64) {}

    /// Called after a request to a runner that uses this clock, which may have changed the runner.
    fn notify_change(&self) {}
}

/// A runner that uses a virtual clock, which may drive it.
pub(crate) trait Driven: Send + Sync {
    /// The time at which the next work is due.
    fn next_due(&self) -> Option<Nanos>;

    /// The names of the services whose runs or clean-ups are in progress.
    fn in_progress(&self) -> Vec<String>;

    /// Executes the work that is due first, on this thread; `false`: nothing is due.
    fn step(&self) -> bool;

    /// Called when the clock has been advanced manually: waiting threads must read it again.
    fn clock_advanced(&self);
}
