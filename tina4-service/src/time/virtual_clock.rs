//! Clocks other than the machine's: what they do for a runner, and what a runner does for them.
//!
//! Two clocks are virtual. [`ManualClock`](super::manual_clock::ManualClock) stands still until it is
//! advanced, and the threads of the pool do the work. The virtual time of the test kit advances when
//! every thread waits, and drives the runner itself: its own threads do the work, one at a time.

#![cfg_attr(
    not(feature = "testing"),
    expect(dead_code, reason = "only the virtual time of the test kit drives a runner")
)]

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use crate::time::stop_wait::StopReceiver;
use crate::time::wall::WallMark;
use tina4_service_core::Nanos;

/// Whether a service is asked to stop; any thread may call it.
pub(crate) type IsStopping = Arc<dyn Fn() -> bool + Send + Sync>;

/// A clock that is not the machine's.
///
/// The defaults are those of a clock that does not drive its runner: see [`VirtualClock::drives`].
pub(crate) trait VirtualClock: fmt::Debug + Send + Sync {
    /// Monotonic time since the clock was made.
    fn now(&self) -> Nanos;

    /// The monotonic time and the wall clock's mark, read together.
    fn reading(&self) -> (Nanos, WallMark);

    /// Advances the monotonic time, and with it the wall clock.
    fn advance(self: Arc<Self>, by: Duration);

    /// Sets the wall clock and nothing else; no waiting thread wakes.
    fn set_wall(&self, shows: SystemTime);

    /// Adds a runner that uses this clock.
    fn attach(&self, runner: Weak<dyn Driven>);

    /// Blocks the body of a service until this clock shows `until`; `false`: it is asked to stop.
    fn sleep(self: Arc<Self>, until: Nanos, is_stopping: IsStopping, stop: &StopReceiver) -> bool;

    /// Blocks until this clock shows `until`, even if stop is requested.
    fn sleep_through(self: Arc<Self>, _until: Nanos) {}

    /// Whether this clock does the work that is due, on threads of its own; the pool then has none.
    fn drives(&self) -> bool {
        false
    }

    /// A run begins.
    fn begin_run(&self) {}

    /// The body on this thread may block on something that is not virtual time: the clock advances
    /// without waiting for it.
    fn detach(self: Arc<Self>, _is_stopping: IsStopping) {}

    /// The body on this thread has ended. If it was detached, waits until it is its turn to act.
    fn reattach(&self) {}

    /// How many changes there were, for [`VirtualClock::wait_for_change`]; `None`: wait for a
    /// condition variable, as with the machine's clock.
    fn changes(&self) -> Option<u64> {
        None
    }

    /// Waits until there is a change after the first `seen` ones, at most until this clock shows
    /// `until`.
    fn wait_for_change(self: Arc<Self>, _until: Option<Nanos>, _seen: u64) {}

    /// A runner that uses this clock was changed by a thread that the clock does not drive.
    fn notify_change(&self) {}
}

/// A runner, as a virtual clock sees it.
pub(crate) trait Driven: Send + Sync {
    /// When something is due next.
    fn next_due(&self) -> Option<Nanos>;

    /// Does the first thing that is due, on this thread; `false`: nothing is due.
    fn step(&self) -> bool;

    /// The clock was advanced by hand: waiting threads must look at it again.
    fn clock_advanced(&self);
}
