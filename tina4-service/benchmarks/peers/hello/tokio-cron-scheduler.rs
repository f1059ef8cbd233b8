//: tokio = { version = "=1.54.1", features = ["macros", "rt-multi-thread", "signal"] }
//: tokio-cron-scheduler = "=0.15.1"

use std::time::Duration;

use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

#[tokio::main]
async fn main() -> Result<(), JobSchedulerError> {
    let scheduler = JobScheduler::new().await?;
    let hello = Job::new_repeated(Duration::from_secs(1), |_, _| println!("hello"))?;
    scheduler.add(hello).await?;
    scheduler.start().await?;
    tokio::signal::ctrl_c().await.expect("a signal");
    Ok(())
}
