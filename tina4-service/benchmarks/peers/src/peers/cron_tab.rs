//! `cron_tab`: a cron job per service; it spawns a thread for each run.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use chrono::Utc;
use cron_tab::Cron;

use crate::peer::{Load, Peer, Running, StartResult, Unavailable, start_of_second};

pub(crate) struct CronTab;

struct Scheduler {
    cron: Cron<Utc>,
    thread: Option<JoinHandle<()>>,
}

impl Running for Scheduler {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.cron.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the scheduler does not panic");
        }
        Ok(())
    }
}

impl Peer for CronTab {
    fn name(&self) -> &'static str {
        "cron_tab"
    }

    fn about(&self) -> &'static str {
        "`add_fn` per service, `start_blocking` on a thread that can be joined"
    }

    fn runs_immediately(&self) -> bool {
        false
    }

    fn periodic(&self, load: Load) -> StartResult {
        let expression = load.cron()?;
        let second = start_of_second();
        let mut cron = Cron::new(Utc);
        for service in 0..load.count {
            load.work.report_grid(service, second);
            let work = Arc::clone(&load.work);
            cron.add_fn(&expression, move || work.run(service))
                .map_err(|error| Unavailable(error.to_string()))?;
        }
        let mut running = cron.clone();
        let thread = thread::spawn(move || running.start_blocking());
        Ok(Box::new(Scheduler { cron, thread: Some(thread) }))
    }
}
