//! graphile_worker, the Rust one: its utilities push, and a worker drains.

use std::time::Duration;

use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, Worker,
    WorkerContext, WorkerOptions, WorkerUtils,
};
use measure::{JOBS, Plan, Task};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How many jobs are stored at once before a drain.
const BATCH: u64 = 1000;

#[derive(Deserialize, Serialize)]
struct Count {
    number: u64,
}

impl TaskHandler for Count {
    const IDENTIFIER: &'static str = "count";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        measure::count();
        Ok::<(), String>(())
    }
}

#[derive(Deserialize, Serialize)]
struct Note {
    number: u64,
}

impl TaskHandler for Note {
    const IDENTIFIER: &'static str = "note";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        measure::note_start(self.number);
        Ok::<(), String>(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let plan = Plan::read();
    let pool = PgPoolOptions::new().max_connections(20).connect(&plan.address).await?;
    let utils = WorkerUtils::new(pool.clone(), "graphile_worker");
    utils.migrate().await?;
    match plan.task {
        Task::Push { producers } => {
            let push = move |number| {
                let utils = utils.clone();
                async move {
                    utils.add_job(Note { number }, JobSpec::default()).await.expect("it works");
                }
            };
            measure::push_async(producers, push).await
        }
        Task::Drain { concurrency } => {
            for first in (0..JOBS).step_by(usize::try_from(BATCH)?) {
                let job = |number| RawJobSpec {
                    identifier: Count::IDENTIFIER.to_owned(),
                    payload: serde_json::json!({ "number": number }),
                    spec: JobSpec::default(),
                };
                let jobs: Vec<_> = (first..first + BATCH).map(job).collect();
                utils.add_raw_jobs(&jobs).await?;
            }
            let worker = worker(pool, usize::try_from(concurrency)?, plan.is_equal).await?;
            tokio::spawn(async move { worker.run().await });
            tokio::task::spawn_blocking(|| measure::drain()).await?
        }
        Task::Latency => {
            let worker = worker(pool, 1, plan.is_equal).await?;
            tokio::spawn(async move { worker.run().await });
            let runtime = tokio::runtime::Handle::current();
            tokio::task::spawn_blocking(move || {
                measure::latency(|number| {
                    let push = utils.add_job(Note { number }, JobSpec::default());
                    runtime.block_on(push).expect("it works");
                })
            })
            .await?
        }
    }
}

async fn worker(pool: PgPool, concurrency: usize, is_tuned: bool) -> Result<Worker, Error> {
    let mut options = WorkerOptions::default()
        .pg_pool(pool)
        .schema("graphile_worker")
        .concurrency(concurrency)
        .define_job::<Count>()
        .define_job::<Note>();
    if is_tuned {
        // As in its own benchmarks. By default, each slot takes one job in a second.
        options = options
            .poll_interval(Duration::from_millis(10))
            .local_queue(LocalQueueConfig::default().with_size(100));
    }
    Ok(options.init().await?)
}
