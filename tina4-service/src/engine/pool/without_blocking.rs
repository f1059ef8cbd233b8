//! A request of a caller that must not block: the thread that handles signals.

use super::{Arc, Desk, Nanos, Pool, lock};

impl<D: Desk> Pool<D> {
    /// [`Pool::with`], but leaves to a worker what could block the caller: the log, and destructors.
    pub(crate) fn act_without_blocking<T>(
        self: &Arc<Self>,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> T {
        let mut shift = lock(&self.shift);
        let now = self.clock.now();
        let result = action(&mut shift.desk, now);
        let most = self.most(&shift.desk);
        let wakes = shift.desk.take_wakes();
        let ring_news = shift.desk.take_news() && shift.listeners > 0;
        let uncovered = shift.uncovered(now, false);
        let mut calls = uncovered.and_then(|due| shift.crew.send_for(now, due, false, most));
        // A worker on the way does it first of all.
        if calls.is_none() && shift.desk.has_aftermath() {
            calls = shift.crew.send_anybody(now, most);
        }
        drop(shift);
        drop(wakes);
        if ring_news {
            self.news.notify_all();
        }
        if let Some(calls) = calls
            && !self.notify_and_spawn(calls)
        {
            // Existing workers can still be notified. The next holder of the lock does the rest.
            let mut shift = lock(&self.shift);
            let (now, live) = (self.clock.now(), shift.crew.live);
            let uncovered = shift.uncovered(now, false);
            let calls = uncovered.and_then(|due| shift.crew.send_for(now, due, false, live));
            drop(shift);
            if let Some(calls) = calls {
                let _ = self.notify_and_spawn(calls);
            }
        }
        result
    }
}
