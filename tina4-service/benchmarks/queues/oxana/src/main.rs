//! oxana: its storage pushes, and its runtime with a limit on the concurrency of the queue drains.

use deadpool_redis::{Config, PoolConfig, Runtime};
use measure::{JOBS, Plan, Task};
use oxana::Storage;
use serde::{Deserialize, Serialize};

type Error = Box<dyn std::error::Error + Send + Sync>;

/// How many jobs are stored at once before a drain.
const BATCH: u64 = 1000;

#[derive(Clone, Debug)]
struct Nothing;

#[derive(Debug, thiserror::Error)]
enum WorkerError {}

#[derive(Debug, Deserialize, Serialize)]
struct Count {
    number: u64,
}

impl oxana::Job for Count {}

#[derive(oxana::Worker)]
#[oxana(context = Nothing, error = WorkerError, registry = None, job = Count)]
struct Counter;

impl Counter {
    async fn process(&self, _: Count, _: &oxana::JobContext) -> Result<(), WorkerError> {
        measure::count();
        Ok(())
    }
}

#[derive(Debug, Deserialize, Serialize)]
struct Note {
    number: u64,
}

impl oxana::Job for Note {}

#[derive(oxana::Worker)]
#[oxana(context = Nothing, error = WorkerError, registry = None, job = Note)]
struct Noter;

impl Noter {
    async fn process(&self, note: Note, _: &oxana::JobContext) -> Result<(), WorkerError> {
        measure::note_start(note.number);
        Ok(())
    }
}

#[derive(Serialize)]
struct Numbers;

impl oxana::Queue for Numbers {
    fn to_config() -> oxana::QueueConfig {
        oxana::QueueConfig {
            kind: oxana::QueueKind::Static { key: "numbers".to_owned() },
            concurrency: oxana::QueueConcurrency::Fixed(1),
            throttle: None,
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let plan = Plan::read();
    let mut config = Config::from_url(&plan.address);
    config.pool = Some(PoolConfig { max_size: 100, ..PoolConfig::default() });
    let pool = config.create_pool(Some(Runtime::Tokio1))?;
    let storage = Storage::builder().build_from_pool(pool)?;
    match plan.task {
        Task::Push { producers } => {
            let push = move |number| {
                let storage = storage.clone();
                async move {
                    storage.enqueue(Numbers, Note { number }).await.expect("it works");
                }
            };
            measure::push_async(producers, push).await
        }
        Task::Drain { concurrency } => {
            for first in (0..JOBS).step_by(usize::try_from(BATCH)?) {
                let jobs = (first..first + BATCH).map(|number| Count { number });
                storage.enqueue_list(Numbers, jobs).await?;
            }
            start(&storage, usize::try_from(concurrency)?);
            tokio::task::spawn_blocking(|| measure::drain()).await?
        }
        Task::Latency => {
            start(&storage, 1);
            let runtime = tokio::runtime::Handle::current();
            tokio::task::spawn_blocking(move || {
                measure::latency(|number| {
                    runtime.block_on(storage.enqueue(Numbers, Note { number })).expect("it works");
                })
            })
            .await?
        }
    }
}

fn start(storage: &Storage, concurrency: usize) {
    let runtime = storage
        .runtime(Nothing)
        .queue_with_concurrency::<Numbers>(concurrency)
        .worker::<Counter, Count>()
        .worker::<Noter, Note>();
    tokio::spawn(runtime.run());
}
