//! apalis-sqlite: a storage, and a worker with a limit on its concurrency.

use apalis::prelude::*;
use apalis_sqlite::SqliteStorage;
use measure::{JOBS, Plan, Task as Measurement};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};

/// How many jobs are stored at once before a drain.
const BATCH: u64 = 1000;

#[tokio::main]
async fn main() -> Result<(), BoxDynError> {
    let plan = Plan::read();
    let file = SqliteConnectOptions::new().filename(&plan.address).create_if_missing(true);
    let mut pool = SqlitePoolOptions::new().connect_with(file.clone()).await?;
    // This sets `synchronous = off` for the connection that it happens to use.
    SqliteStorage::setup(&pool).await?;
    if plan.is_equal {
        pool.close().await;
        let synchronous = match plan.task {
            Measurement::Drain { .. } => SqliteSynchronous::Normal,
            Measurement::Push { .. } | Measurement::Latency => SqliteSynchronous::Full,
        };
        let file = file.journal_mode(SqliteJournalMode::Wal).synchronous(synchronous);
        pool = SqlitePoolOptions::new().connect_with(file).await?;
    }
    let storage = SqliteStorage::<u64>::new(&pool);
    match plan.task {
        Measurement::Push { producers } => {
            let push = move |number| {
                let mut storage = storage.clone();
                async move { storage.push(number).await.expect("it works") }
            };
            measure::push_async(producers, push).await
        }
        Measurement::Drain { concurrency } => {
            let mut filling = storage.clone();
            for first in (0..JOBS).step_by(usize::try_from(BATCH)?) {
                filling.push_bulk((first..first + BATCH).collect()).await?;
            }
            async fn run(_: u64) -> Result<(), BoxDynError> {
                measure::count();
                Ok(())
            }
            let worker = WorkerBuilder::new("worker")
                .backend(storage)
                .concurrency(usize::try_from(concurrency)?)
                .parallelize(tokio::spawn)
                .build(run);
            tokio::spawn(worker.run());
            tokio::task::spawn_blocking(|| measure::drain()).await?
        }
        Measurement::Latency => {
            // Without its callback, a worker that is idle does not look again for half a minute.
            let address = format!("sqlite:{}", plan.address);
            let (pool, callback) = SqliteStorage::connect_with_callback(&address)?;
            let pushing = SqliteStorage::<u64>::new(&pool);
            async fn run(number: u64) -> Result<(), BoxDynError> {
                measure::note_start(number);
                Ok(())
            }
            let backend = pushing.clone().with_callback(callback);
            let worker = WorkerBuilder::new("worker").backend(backend).build(run);
            tokio::spawn(worker.run());
            let runtime = tokio::runtime::Handle::current();
            tokio::task::spawn_blocking(move || {
                measure::latency(|number| {
                    runtime.block_on(pushing.clone().push(number)).expect("it works");
                })
            })
            .await?
        }
    }
}
