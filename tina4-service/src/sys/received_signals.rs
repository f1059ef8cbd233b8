//! The number of stop signals that the waiters of a runner have received.

use std::sync::atomic::{AtomicU32, Ordering};

/// The number of stop signals to the process that the waiters of one runner have received.
///
/// Stored plus one; 0 means that the runner has never had a waiter.
#[derive(Debug, Default)]
pub(crate) struct ReceivedSignals(AtomicU32);

impl ReceivedSignals {
    /// The number of stop signals received; `None`: the runner has never had a waiter.
    pub(crate) fn get(&self) -> Option<u32> {
        self.0.load(Ordering::Acquire).checked_sub(1)
    }

    /// Records that the first `count` signals were received; a smaller number is ignored.
    pub(crate) fn set(&self, count: u32) {
        self.0.fetch_max(count.saturating_add(1), Ordering::AcqRel);
    }
}
