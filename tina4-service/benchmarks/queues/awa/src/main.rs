//! awa: inserts with its options for one queue, and a client with its default options but the number of workers.

use awa::{Client, InsertOpts, InsertParams, JobArgs, JobResult, QueueConfig};
use measure::{JOBS, Plan, Task};
use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgPool, PgPoolOptions};

type Error = Box<dyn std::error::Error + Send + Sync>;

const QUEUE: &str = "numbers";

/// How many jobs are stored at once before a drain.
const BATCH: u64 = 1000;

#[derive(Deserialize, JobArgs, Serialize)]
struct Count {
    number: u64,
}

#[derive(Deserialize, JobArgs, Serialize)]
struct Note {
    number: u64,
}

fn options() -> InsertOpts {
    InsertOpts { queue: QUEUE.to_owned(), ..InsertOpts::default() }
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let plan = Plan::read();
    let pool = PgPoolOptions::new().max_connections(20).connect(&plan.address).await?;
    awa::migrations::run(&pool).await?;
    match plan.task {
        Task::Push { producers } => {
            let push = move |number| {
                let pool = pool.clone();
                async move {
                    awa::insert_with(&pool, &Note { number }, options()).await.expect("it works");
                }
            };
            measure::push_async(producers, push).await
        }
        Task::Drain { concurrency } => {
            for first in (0..JOBS).step_by(usize::try_from(BATCH)?) {
                let jobs = (first..first + BATCH)
                    .map(|number| awa::insert::params_with(&Count { number }, options()))
                    .collect::<Result<Vec<InsertParams>, _>>()?;
                awa::insert_many_copy_from_pool(&pool, &jobs).await?;
            }
            let _client = start(&pool, concurrency).await?;
            tokio::task::spawn_blocking(|| measure::drain()).await?
        }
        Task::Latency => {
            let _client = start(&pool, 1).await?;
            let runtime = tokio::runtime::Handle::current();
            tokio::task::spawn_blocking(move || {
                measure::latency(|number| {
                    let note = Note { number };
                    let push = awa::insert_with(&pool, &note, options());
                    runtime.block_on(push).expect("it works");
                })
            })
            .await?
        }
    }
}

async fn start(pool: &PgPool, concurrency: u32) -> Result<Client, Error> {
    let config = QueueConfig { max_workers: concurrency, ..QueueConfig::default() };
    let client = Client::builder(pool.clone())
        .queue(QUEUE, config)
        .register::<Count, _, _>(|_, _| async {
            measure::count();
            Ok(JobResult::Completed)
        })
        .register::<Note, _, _>(|note: Note, _| async move {
            measure::note_start(note.number);
            Ok(JobResult::Completed)
        })
        .build()?;
    client.start().await?;
    Ok(client)
}
