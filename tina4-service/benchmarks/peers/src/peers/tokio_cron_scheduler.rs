//! `tokio-cron-scheduler`: a repeated job per service.

use std::sync::Arc;

use tokio::runtime::Runtime;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use super::runtime;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, start_of_second, unavailable};

pub(crate) struct TokioCronScheduler;

struct Scheduler {
    // Ends with the process: nothing waits for it.
    _runtime: Runtime,
    _scheduler: JobScheduler,
}

impl Running for Scheduler {
    fn stop(&mut self) -> Result<(), Unavailable> {
        unavailable("`shutdown` sets a flag; nothing reports when it has taken effect")
    }
}

impl Peer for TokioCronScheduler {
    fn name(&self) -> &'static str {
        "tokio-cron-scheduler"
    }

    fn about(&self) -> &'static str {
        "`Job::new_repeated_async` per service"
    }

    fn runs_immediately(&self) -> bool {
        false
    }

    fn periodic(&self, load: Load) -> StartResult {
        load.whole_seconds()?;
        let runtime = runtime::new();
        let scheduler = runtime.block_on(add_all(&load));
        let scheduler = scheduler.map_err(|error| Unavailable(error.to_string()))?;
        Ok(Box::new(Scheduler { _runtime: runtime, _scheduler: scheduler }))
    }
}

async fn add_all(load: &Load) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let second = start_of_second();
    for service in 0..load.count {
        load.work.report_grid(service, second);
        let work = Arc::clone(&load.work);
        let job = Job::new_repeated_async(load.period, move |_, _| {
            let work = Arc::clone(&work);
            Box::pin(async move { work.run(service) })
        })?;
        scheduler.add(job).await?;
    }
    scheduler.start().await?;
    Ok(scheduler)
}
