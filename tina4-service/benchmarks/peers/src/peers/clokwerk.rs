//! `clokwerk`: a job per service, run by its polling thread.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use clokwerk::{Interval, ScheduleHandle, Scheduler};

use crate::peer::{Load, Peer, Running, StartResult, Unavailable, start_of_second};

pub(crate) struct Clokwerk;

/// The shortest interval that its documentation recommends.
const POLL: Duration = Duration::from_millis(100);

struct Watched(Option<ScheduleHandle>);

impl Running for Watched {
    fn stop(&mut self) -> Result<(), Unavailable> {
        if let Some(handle) = self.0.take() {
            handle.stop();
        }
        Ok(())
    }
}

impl Peer for Clokwerk {
    fn name(&self) -> &'static str {
        "clokwerk"
    }

    fn about(&self) -> &'static str {
        "`every(..).run(..)` per service, `watch_thread(100 ms)`"
    }

    fn runs_immediately(&self) -> bool {
        false
    }

    fn periodic(&self, load: Load) -> StartResult {
        let seconds = load.whole_seconds()?;
        let second = start_of_second();
        let mut scheduler = Scheduler::with_tz(Utc);
        for service in 0..load.count {
            load.work.report_grid(service, second);
            let work = Arc::clone(&load.work);
            scheduler.every(Interval::Seconds(seconds)).run(move || work.run(service));
        }
        Ok(Box::new(Watched(Some(scheduler.watch_thread(POLL)))))
    }
}
