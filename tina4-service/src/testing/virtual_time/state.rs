//! The holder of the token, and the threads that wait for it.

use std::sync::Arc;
use std::thread::ThreadId;

use super::detached::Detached;
use super::waiter::{Parked, ThreadRole, Waiter};
use tina4_service_core::Nanos;

/// The state under the lock of [`VirtualTime`](super::VirtualTime).
pub(super) struct State {
    pub(super) holder: ThreadRole,
    /// The threads that wait for a time or for a change, in the order in which they began to.
    pub(super) parked: Vec<Parked>,
    /// Driver threads that wait for the token.
    pub(super) idle_drivers: Vec<Arc<Waiter>>,
    /// Threads that were detached, and wait for the token because their run has ended.
    pub(super) reattaching: Vec<Arc<Waiter>>,
    /// Bodies that continue without the token.
    pub(super) detached: Vec<Detached>,
    /// Counts the changes that a thread may wait for.
    pub(super) changes: u64,
    pub(super) test_thread: ThreadId,
    /// The number of runner steps since the clock last advanced.
    pub(super) steps_at_instant: u64,
    /// The number of parked threads that were woken since the test began to wait.
    pub(super) wakeups: u64,
    /// How many driver threads were started.
    pub(super) drivers_started: u64,
    pub(super) closed: bool,
    /// Why the clock cannot advance; the thread of the test panics with it.
    pub(super) stalled: Option<&'static str>,
}

impl State {
    /// The initial state: the test holds the token, and the current thread is its thread.
    pub(super) fn new() -> Self {
        Self {
            holder: ThreadRole::Test,
            parked: Vec::new(),
            idle_drivers: Vec::new(),
            reattaching: Vec::new(),
            detached: Vec::new(),
            changes: 0,
            test_thread: std::thread::current().id(),
            steps_at_instant: 0,
            wakeups: 0,
            drivers_started: 0,
            closed: false,
            stalled: None,
        }
    }

    pub(super) fn grant_token(&mut self, to: &Waiter) {
        self.holder = to.role;
        to.notify();
    }

    /// Wakes the threads that parked without the token and are ready: there may be no driver to do it.
    pub(super) fn wake_parked_without_token(&mut self, now: Nanos) {
        let changes = self.changes;
        let is_woken = |parked: &mut Parked| parked.without_token && parked.is_ready(now, changes);
        self.parked.extract_if(.., is_woken).for_each(|parked| parked.waiter.notify());
    }

    /// The position of the test among the parked threads, if it is one of them and waits for the token.
    pub(super) fn parked_test(&self) -> Option<usize> {
        self.parked
            .iter()
            .position(|parked| parked.waiter.role == ThreadRole::Test && !parked.without_token)
    }

    /// Lets every waiting thread continue.
    pub(super) fn close(&mut self) {
        self.closed = true;
        let parked = self.parked.drain(..).map(|parked| parked.waiter);
        for waiter in parked.chain(self.idle_drivers.drain(..)).chain(self.reattaching.drain(..)) {
            waiter.notify();
        }
    }
}
