//! The pool under a virtual clock that drives it: there are no workers; the clock's own threads execute
//! the work.

use super::Pool;
use super::work_source::{Timing, WorkSource};
use crate::sys::sync::lock;
use crate::time::virtual_clock::Driven;
use tina4_service_core::Nanos;

impl<S: WorkSource> Driven for Pool<S> {
    fn next_due(&self) -> Option<Nanos> {
        let mut state = lock(&self.state);
        let look = state.source.next_look();
        state.source.next_due().into_iter().chain(look).min()
    }

    fn in_progress(&self) -> Vec<String> {
        lock(&self.state).source.in_progress()
    }

    fn step(&self) -> bool {
        // perf: only the test kit calls this. Compiled out otherwise, because a second caller of
        // `begin` and `complete` would prevent their inlining into the worker: 55 more instructions
        // per run.
        if !cfg!(feature = "testing") {
            return false;
        }
        let mut state = lock(&self.state);
        let now = self.clock.now();
        let looks = state.source.next_look().is_some_and(|at| at <= now);
        if looks {
            state.source.look(now);
        }
        let is_due = state.source.next_due().is_some_and(|due| due <= now);
        if !is_due && !looks {
            return false;
        }
        let mut id = if is_due { state.source.take_due(now) } else { None };
        loop {
            let mut deferred = state.source.deferred_mut().take();
            if state.source.take_changed() {
                self.notify_listeners();
            }
            let work = id.map(|id| (S::is_run(&id), state.source.begin(id)));
            drop(state);
            while let Some(taken) = deferred {
                deferred = self.flush_once(*taken).source.deferred_mut().take();
            }
            let Some((is_run, item)) = work else {
                return true;
            };
            let driver = self.clock.as_virtual();
            if let Some(clock) = driver.filter(|_| is_run) {
                clock.begin_run();
            }
            let began = self.clock.now();
            let completion = S::execute(&item);
            if let Some(clock) = driver {
                clock.reattach();
            }
            state = lock(&self.state);
            let now = self.clock.now();
            // One run per step: before the next one, the clock wakes the threads that are ready.
            let timing = Timing { began, ended: now, now, may_repeat: false };
            id = state.source.complete(item, completion, timing);
        }
    }

    fn clock_advanced(&self) {
        self.wake_waiters();
    }
}
