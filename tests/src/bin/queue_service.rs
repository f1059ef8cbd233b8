//! A program with a declared queue service, for `tests/process/queue_service.rs`: it works on the jobs of a store
//! until SIGTERM. The first argument is the address of the store, the second what the jobs do.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use tests::queue_store;
use tina4_service::{Context, Job, Queue, Res, service};

const JOBS: Queue<String> = Queue::new("jobs");

struct Action(String);

#[service(queue = JOBS, concurrency = 8, attempts = 3, backoff = "10ms", max_backoff = "10ms")]
fn work(ctx: &Context, job: Job<String>, action: Res<Action>) -> Result<(), &'static str> {
    // One call, so that lines of several threads do not mix.
    let line = format!("began {} {}\n", job.as_str(), job.attempt());
    let _ = std::io::stdout().write_all(line.as_bytes());
    match action.0.as_str() {
        "sleep" if !ctx.sleep(Duration::from_secs(3_600)) => Err("interrupted"),
        // As a fault in native code would.
        "poison" if job.as_str() == "poison" => std::process::abort(),
        _ => Ok(()),
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().expect("an address");
    let action = arguments.next().expect("an action");
    tina4_service::provide(queue_store::open(&address));
    tina4_service::provide(Action(action));
    // The queues that were provided are those of the program.
    JOBS.push(&"own".to_owned()).expect("the push succeeds");
    tina4_service::run()
}
