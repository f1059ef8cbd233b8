//! Requests from a thread that must not block: the one that handles signals, and those of a runtime.

use std::sync::Arc;

use super::Pool;
use super::pool_state::PoolState;
use super::work_source::WorkSource;
use crate::sys::stop_flag::Sleepers;
use crate::sys::sync::lock;
use tina4_service_core::Nanos;

impl<S: WorkSource> Pool<S> {
    /// [`Pool::with`], but a worker does everything that could block: it writes the log and runs
    /// destructors.
    pub(crate) fn with_nonblocking<T>(
        self: &Arc<Self>,
        action: impl FnOnce(&mut S, Nanos) -> T,
    ) -> T {
        let result = self.with_nonblocking_state(|state, now| action(&mut state.source, now));
        if let Some(clock) = self.clock.as_virtual() {
            clock.notify_change();
        }
        result
    }

    pub(super) fn with_nonblocking_state<T>(
        self: &Arc<Self>,
        action: impl FnOnce(&mut PoolState<S>, Nanos) -> T,
    ) -> T {
        let mut state = lock(&self.state);
        let now = self.clock.now();
        let due_before = state.source.next_due();
        let result = action(&mut state, now);
        let max_threads = self.max_threads(&state.source);
        let sleepers = state.source.deferred_mut().take_sleepers();
        let notify_listeners = state.source.take_changed() && state.listeners > 0;
        // perf: the pool was covered before, so it still is, unless there is an earlier due time or none. The
        // ends of many short runs would otherwise wake one worker after another, for nothing.
        let due = state.source.next_due();
        // While threads could not be spawned, it may have been uncovered.
        let is_covered = !state.workers.has_spawn_failed()
            && due_before.zip(due).is_some_and(|(before, due)| before <= due);
        let uncovered = if is_covered { None } else { state.uncovered(now, false) };
        let mut wakeups =
            uncovered.and_then(|due| state.workers.wake_for(now, due, false, max_threads));
        // An arriving worker executes deferred effects first.
        if wakeups.is_none() && state.source.deferred().is_pending() {
            wakeups = state.workers.wake_any(now, max_threads);
        }
        let has_effects = notify_listeners || wakeups.is_some() || !sleepers.is_empty();
        drop(state);
        if let Some(wakeups) = wakeups
            && !self.notify_and_spawn(wakeups)
        {
            // Existing workers can still be notified. The next holder of the lock does the rest.
            let mut state = lock(&self.state);
            let (now, live) = (self.clock.now(), state.workers.live);
            let uncovered = state.uncovered(now, false);
            let wakeups = uncovered.and_then(|due| state.workers.wake_for(now, due, false, live));
            drop(state);
            if let Some(wakeups) = wakeups {
                let _ = self.notify_and_spawn(wakeups);
            }
        }
        // The action may have changed something that the thread waits for which lets virtual time pass.
        if has_effects && let Some(clock) = self.clock.as_virtual() {
            clock.notify_change();
        }
        // Last, because a waker may be user code.
        sleepers.into_iter().for_each(Sleepers::wake);
        if notify_listeners {
            self.notify_listeners();
        }
        result
    }
}
