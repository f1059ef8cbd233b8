//! A thread that waits: for the token, for a time, or for a change.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use crate::sys::sync::Condvar;
use crate::time::virtual_clock::IsStopping;
use tina4_service_core::Nanos;

/// The role of a thread in virtual time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadRole {
    /// The thread of the test.
    Test,
    /// A driver thread, which runs services.
    Driver(ThreadId),
    /// A driver thread that is being started.
    Starting,
    /// Any other thread. It never holds the token.
    Foreign,
}

/// Where one thread waits until it is notified.
pub(super) struct Waiter {
    /// The role of the thread.
    pub(super) role: ThreadRole,
    pub(super) condvar: Condvar,
    /// Written and read under the lock of the virtual time.
    notified: AtomicBool,
}

/// A thread that waits for a time or for a change.
pub(super) struct Parked {
    pub(super) until: Option<Nanos>,
    pub(super) wake: WakeOn,
    pub(super) waiter: Arc<Waiter>,
    /// Whether it did not hold the token, and continues without it.
    pub(super) without_token: bool,
}

/// What wakes a parked thread, besides its time.
pub(super) enum WakeOn {
    /// A request to stop its service.
    Stop(IsStopping),
    /// A change after the first `seen` ones.
    Change { seen: u64 },
    /// Only its time.
    Time,
    /// The end of the instant `until`, after everything else that is due then. Only the test waits for
    /// this.
    EndOfAdvance,
    /// The end of the instant of the next run. Only the test waits for this.
    NextRun,
}

impl Waiter {
    pub(super) fn new(role: ThreadRole) -> Arc<Self> {
        Arc::new(Self { role, condvar: Condvar::new(), notified: AtomicBool::new(false) })
    }

    pub(super) fn notify(&self) {
        self.notified.store(true, Ordering::Relaxed);
        self.condvar.notify_one();
    }

    /// Whether it was notified since the last call.
    pub(super) fn take_notification(&self) -> bool {
        self.notified.swap(false, Ordering::Relaxed)
    }
}

impl Parked {
    pub(super) fn is_ready(&self, now: Nanos, changes: u64) -> bool {
        let is_due = || self.until.is_some_and(|until| until <= now);
        match &self.wake {
            WakeOn::Stop(is_stopping) => is_due() || is_stopping(),
            WakeOn::Change { seen } => is_due() || *seen != changes,
            WakeOn::Time => is_due(),
            WakeOn::EndOfAdvance | WakeOn::NextRun => false,
        }
    }

    /// Whether this is the test's thread, waiting for time to pass.
    pub(super) fn is_advance(&self) -> bool {
        matches!(self.wake, WakeOn::EndOfAdvance | WakeOn::NextRun)
    }
}
