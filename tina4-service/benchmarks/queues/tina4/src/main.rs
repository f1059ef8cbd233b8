//! The queues of this crate: a declared consumer on the engine that the address names.

use std::env;
use std::error::Error;

use measure::{JOBS, Plan, Task};
use tina4_service::{Job, Queue, Queues, Runner, Service};
use tina4_service_postgres::PostgresEngine;
use tina4_service_queue::{Engine, NewJob, Timestamp};
use tina4_service_redis::RedisEngine;
use tina4_service_sqlite::SqliteEngine;

const NUMBERS: Queue<u64> = Queue::new("numbers");

/// How many jobs are stored at once before a drain.
const BATCH: u64 = 1000;

fn main() -> Result<(), Box<dyn Error>> {
    // The defaults are as durable as `equal` demands.
    let Plan { task, address, .. } = Plan::read();
    let open = |address: &str| -> Result<Queues, Box<dyn Error>> {
        Ok(if address.starts_with("postgres:") {
            Queues::new(PostgresEngine::open(address)?)
        } else if address.starts_with("redis:") {
            Queues::new(RedisEngine::open(address)?)
        } else {
            Queues::new(SqliteEngine::open(address)?)
        })
    };
    let queues = open(&address)?;
    let numbers = NUMBERS.on(&queues);
    let push = |number| {
        numbers.push(&number).expect("the engine works");
    };
    match task {
        Task::Push { producers } => measure::push(producers, push),
        Task::Drain { concurrency } => {
            fill(queues.engine())?;
            let _runner = start(&queues, concurrency, |_: Job<u64>| measure::count())?;
            measure::drain()
        }
        Task::Latency => {
            // With an engine of its own, the consumer learns of jobs as one of another process does.
            let is_across = env::var_os("QUEUE_ACROSS").is_some();
            let consuming = if is_across { open(&address)? } else { queues.clone() };
            let _runner = start(&consuming, 1, |job: Job<u64>| measure::note_start(*job))?;
            measure::latency(push)
        }
    }
}

fn start(
    queues: &Queues,
    concurrency: u32,
    work: impl Fn(Job<u64>) + Send + Sync + 'static,
) -> Result<Runner, Box<dyn Error>> {
    let runner = Runner::new();
    runner.provide(queues.clone());
    runner.register(Service::of("consumer", work).queue(NUMBERS).concurrency(concurrency))?;
    runner.start_all()?;
    Ok(runner)
}

fn fill(engine: &dyn Engine) -> Result<(), Box<dyn Error>> {
    let payloads: Vec<String> = (0..JOBS).map(|number| number.to_string()).collect();
    for payloads in payloads.chunks(usize::try_from(BATCH)?) {
        let jobs: Vec<_> =
            payloads.iter().map(|payload| NewJob::new(NUMBERS.name(), payload)).collect();
        engine.push(&jobs, Timestamp::from_millis(0))?;
    }
    Ok(())
}
