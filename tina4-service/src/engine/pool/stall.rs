//! What looks at whether the engine moves remember.

use std::sync::atomic::{AtomicU64, Ordering};

use tina4_service_core::Nanos;

/// Since when looks have not got the lock, in real time; 0: the last one has.
#[derive(Debug, Default)]
pub(super) struct LockWatch(AtomicU64);

/// What was due at a look and had no worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stall {
    /// Its due time, and the service it belongs to.
    pub(super) first: (Nanos, u32),
    /// When that was first seen, in real time.
    pub(super) since: Nanos,
}

impl LockWatch {
    pub(super) fn succeeded(&self) {
        self.0.store(0, Ordering::Relaxed);
    }

    /// Since when looks have failed, including this one, which ends `now`.
    pub(super) fn failed(&self, now: Nanos) -> Nanos {
        let now = now.max(1);
        match self.0.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed) {
            Ok(_) => now,
            Err(since) => since,
        }
    }
}
