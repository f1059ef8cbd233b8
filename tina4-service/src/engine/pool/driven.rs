//! The pool under test time: no workers of its own, what is due is done by who drives the stage.

use super::{Pool, Timing, WorkSource};
use crate::sys::sync::lock;
use crate::testing::virtual_time::Driven;
use tina4_service_core::Nanos;

impl<D: WorkSource> Driven for Pool<D> {
    fn next_due(&self) -> Option<Nanos> {
        lock(&self.state).source.next_due()
    }

    fn step(&self) -> bool {
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
            let doing = id.map(|id| (D::is_run(&id), state.source.item(id)));
            drop(state);
            while let Some(taken) = deferred {
                deferred = self.flush_once(taken).source.deferred();
            }
            let Some((is_run, item)) = doing else {
                return true;
            };
            let virtual_time = self.clock.virtual_time();
            if let Some(virtual_time) = virtual_time.filter(|_| is_run) {
                virtual_time.begin_run();
            }
            let began = self.clock.now();
            let report = D::work(&item);
            if let Some(virtual_time) = virtual_time {
                virtual_time.reattach();
            }
            state = lock(&self.state);
            let now = self.clock.now();
            // One run for each step: what is planned next is seen by who drives the stage.
            let back = Timing { began, ended: now, now, may_repeat: false };
            id = state.source.finish(item, report, back);
        }
    }
}
