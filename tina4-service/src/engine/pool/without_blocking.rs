//! A request of a caller that must not block: the thread that handles signals.

use super::{Arc, Nanos, Pool, WorkSource, lock};

impl<D: WorkSource> Pool<D> {
    /// [`Pool::with`], but leaves to a worker what could block the caller: the log, and destructors.
    pub(crate) fn act_without_blocking<T>(
        self: &Arc<Self>,
        action: impl FnOnce(&mut D, Nanos) -> T,
    ) -> T {
        let mut state = lock(&self.state);
        let now = self.clock.now();
        let result = action(&mut state.source, now);
        let most = self.most(&state.source);
        let wakes = state.source.take_wakes();
        let ring_news = state.source.take_news() && state.listeners > 0;
        let uncovered = state.uncovered(now, false);
        let mut calls = uncovered.and_then(|due| state.workers.send_for(now, due, false, most));
        // A worker on the way does it first of all.
        if calls.is_none() && state.source.has_deferred() {
            calls = state.workers.send_anybody(now, most);
        }
        drop(state);
        drop(wakes);
        if ring_news {
            self.news.notify_all();
        }
        if let Some(calls) = calls
            && !self.notify_and_spawn(calls)
        {
            // Existing workers can still be notified. The next holder of the lock does the rest.
            let mut state = lock(&self.state);
            let (now, live) = (self.clock.now(), state.workers.live);
            let uncovered = state.uncovered(now, false);
            let calls = uncovered.and_then(|due| state.workers.send_for(now, due, false, live));
            drop(state);
            if let Some(calls) = calls {
                let _ = self.notify_and_spawn(calls);
            }
        }
        result
    }
}
