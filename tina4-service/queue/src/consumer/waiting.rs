//! [`Waiting`]: whether the next job of a queue waits until it can run alone.

use crate::queues::Queues;

/// Records, when a turn is over, whether the next job of its queue waits until it can run alone. Also if the turn
/// fails: the other queues must not be held back by one that does not ask.
pub(super) struct Waiting<'a> {
    pub(super) queues: &'a Queues,
    pub(super) queue: &'static str,
    /// `None`: nothing was claimed, so nothing is known.
    pub(super) waits: Option<bool>,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(waits) = self.waits {
            self.queues.draining().record(self.queue, waits, self.queues.now());
        }
    }
}
