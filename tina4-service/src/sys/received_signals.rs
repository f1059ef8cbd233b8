//! Which signals the waiters of a runner have received.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many of the process's stop requests the waiters of one runner have received.
///
/// Stored plus one; 0 means that the runner never had a waiter.
#[derive(Debug, Default)]
pub(crate) struct Received(AtomicU32);

impl Received {
    /// `None` if the runner never had a waiter.
    pub(crate) fn get(&self) -> Option<u32> {
        self.0.load(Ordering::Acquire).checked_sub(1)
    }

    /// Records that the first `count` requests were received; a smaller number is ignored.
    pub(crate) fn set(&self, count: u32) {
        self.0.fetch_max(count.saturating_add(1), Ordering::AcqRel);
    }
}
