//! The pool under test time: no workers of its own, what is due is done by who drives the stage.

use super::{Back, Desk, Pool};
use crate::sys::sync::lock;
use crate::testing::virtual_time::Play;
use tina4_service_core::Nanos;

impl<D: Desk> Play for Pool<D> {
    fn next_due(&self) -> Option<Nanos> {
        lock(&self.shift).desk.next_due()
    }

    fn step(&self) -> bool {
        let mut shift = lock(&self.shift);
        let now = self.clock.now();
        if shift.desk.next_due().is_none_or(|due| due > now) {
            return false;
        }
        let mut task = shift.desk.take(now);
        loop {
            let mut aftermath = shift.desk.aftermath();
            if shift.desk.take_news() {
                self.news.notify_all();
            }
            let doing = task.map(|task| (D::is_run(&task), shift.desk.job(task)));
            drop(shift);
            while let Some(taken) = aftermath {
                aftermath = self.settle_once(taken).desk.aftermath();
            }
            let Some((is_run, job)) = doing else {
                return true;
            };
            let stage = self.clock.stage();
            if let Some(stage) = stage.filter(|_| is_run) {
                stage.begin_run();
            }
            let began = self.clock.now();
            let report = D::work(&job);
            if let Some(stage) = stage {
                stage.come_back();
            }
            shift = lock(&self.shift);
            let now = self.clock.now();
            // One run for each step: what is planned next is seen by who drives the stage.
            let back = Back { began, ended: now, now, may_repeat: false };
            task = shift.desk.finish(job, report, back);
        }
    }
}
