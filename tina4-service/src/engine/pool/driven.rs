//! The pool in virtual time: it has no workers; the thread that drives virtual time executes the work.

use super::Pool;
use super::work_source::{Timing, WorkSource};
use crate::sys::sync::lock;
use crate::testing::virtual_time::Driven;
use tina4_service_core::Nanos;

impl<S: WorkSource> Driven for Pool<S> {
    fn next_due(&self) -> Option<Nanos> {
        lock(&self.state).source.next_due()
    }

    fn step(&self) -> bool {
        let mut state = lock(&self.state);
        let now = self.clock.now();
        if state.source.next_due().is_none_or(|due| due > now) {
            return false;
        }
        let mut id = state.source.take_due(now);
        loop {
            let mut deferred = state.source.deferred_mut().take();
            if state.source.take_changed() {
                self.changed.notify_all();
            }
            let work = id.map(|id| (S::is_run(&id), state.source.begin(id)));
            drop(state);
            while let Some(taken) = deferred {
                deferred = self.flush_once(*taken).source.deferred_mut().take();
            }
            let Some((is_run, item)) = work else {
                return true;
            };
            let virtual_time = self.clock.virtual_time();
            if let Some(virtual_time) = virtual_time.filter(|_| is_run) {
                virtual_time.begin_run();
            }
            let began = self.clock.now();
            let completion = S::execute(&item);
            if let Some(virtual_time) = virtual_time {
                virtual_time.reattach();
            }
            state = lock(&self.state);
            let now = self.clock.now();
            // One run per step: the driver looks at what is planned next.
            let timing = Timing { began, ended: now, now, may_repeat: false };
            id = state.source.complete(item, completion, timing);
        }
    }
}
