//! The pool under a virtual clock, which may drive it: then the pool has no workers, and the threads
//! of the clock do what is due.

use super::{Pool, Timing, WorkSource};
use crate::sys::sync::lock;
use crate::time::virtual_clock::Driven;
use tina4_service_core::Nanos;

impl<D: WorkSource> Driven for Pool<D> {
    fn next_due(&self) -> Option<Nanos> {
        lock(&self.state).source.next_due()
    }

    fn step(&self) -> bool {
        // perf: without the test kit nothing calls this. A second caller of `finish` and `item` would
        // keep them from being inlined into the worker: 55 more instructions per run.
        if !cfg!(feature = "testing") {
            return false;
        }
        let mut state = lock(&self.state);
        let now = self.clock.now();
        if state.source.next_due().is_none_or(|due| due > now) {
            return false;
        }
        let mut id = state.source.take(now);
        loop {
            let mut deferred = state.source.deferred();
            if state.source.take_news() {
                self.news.notify_all();
            }
            let work = id.map(|id| (D::is_run(&id), state.source.item(id)));
            drop(state);
            while let Some(taken) = deferred {
                deferred = self.flush_once(taken).source.deferred();
            }
            let Some((is_run, item)) = work else {
                return true;
            };
            let driver = self.clock.as_virtual();
            if let Some(clock) = driver.filter(|_| is_run) {
                clock.begin_run();
            }
            let began = self.clock.now();
            let completion = D::work(&item);
            if let Some(clock) = driver {
                clock.reattach();
            }
            state = lock(&self.state);
            let now = self.clock.now();
            // One run per step: between two runs the driver checks who waits for the first.
            let timing = Timing { began, ended: now, now, may_repeat: false };
            id = state.source.finish(item, completion, timing);
        }
    }

    fn clock_advanced(&self) {
        self.look_again();
    }
}
