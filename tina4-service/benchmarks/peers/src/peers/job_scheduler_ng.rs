//! `job_scheduler_ng`: a cron job per service, driven by a thread that sleeps until the next due time.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

use job_scheduler_ng::{Job, JobScheduler, Schedule};

use crate::peer::{Load, Peer, Running, StartResult, Unavailable, start_of_second};

pub(crate) struct JobSchedulerNg;

struct Driven {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Running for Driven {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            thread.join().expect("the scheduler does not panic");
        }
        Ok(())
    }
}

impl Peer for JobSchedulerNg {
    fn name(&self) -> &'static str {
        "job_scheduler_ng"
    }

    fn about(&self) -> &'static str {
        "`add` per service, `loop { tick(); park_timeout(time_till_next_job()) }`"
    }

    fn runs_immediately(&self) -> bool {
        false
    }

    fn periodic(&self, load: Load) -> StartResult {
        let expression = load.cron()?;
        let schedule: Schedule = expression.parse().expect("a cron expression");
        let second = start_of_second();
        let stop = Arc::new(AtomicBool::new(false));
        let mut scheduler = JobScheduler::new();
        for service in 0..load.count {
            load.work.report_grid(service, second);
            let work = Arc::clone(&load.work);
            scheduler.add(Job::new(schedule.clone(), move || work.run(service)));
        }
        let stopping = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopping.load(Ordering::Relaxed) {
                scheduler.tick();
                thread::park_timeout(scheduler.time_till_next_job());
            }
        });
        Ok(Box::new(Driven { stop, thread: Some(thread) }))
    }
}
