//! Every form of a queue service.

use serde::{Deserialize, Serialize};
use tina4_service::{Context, DeadJob, Job, Local, Queue, Res, Tick, service};

#[derive(Serialize, Deserialize)]
pub struct Email {
    pub to: String,
}

pub mod queues {
    use super::Email;
    use tina4_service::Queue;

    pub const EMAILS: Queue<Email> = Queue::new("emails");
}

#[service(
    queue = queues::EMAILS, name = "send", attempts = 3, concurrency = 4, lease = "1m", poll = "500ms", keep_dead = "7d",
    keep_done = "1d", shared = true, backoff = "1s", max_backoff = "10m", timeout = "5m", stop_timeout = "30s", critical = true,
    ready = "notified", autostart = false, on_stop = close, on_dead = report
)]
fn send(ctx: &Context, tick: Tick, job: Job<Email>, smtp: Res<u32>) -> Result<(), std::io::Error> {
    let _ = (ctx, tick, &job.to, *smtp);
    Ok(())
}

fn close() {}

fn report(dead: DeadJob, smtp: Option<Res<u32>>) -> Result<(), String> {
    let _ = (dead.error, smtp);
    Ok(())
}

#[service(queue = queues::EMAILS, shared = true)]
fn count(mut seen: Local<u32>, _job: tina4_service::Job<Email>) {
    *seen += 1;
}

#[service(queue = queues::EMAILS, shared = true, timeout = "1m", on_timeout = "cancel", on_dead = report_async)]
async fn asynchronous(job: Job<Email>) -> Result<(), String> {
    drop(job);
    Ok(())
}

async fn report_async(smtp: Option<Res<u32>>, dead: DeadJob) -> Result<(), String> {
    let _ = (dead.error, smtp);
    Ok(())
}

const NUMBERS: Queue<Vec<Option<u32>>> = Queue::new("numbers");

#[service(queue = NUMBERS)]
fn numbers(_: Job<Vec<Option<u32>>>) {}

fn main() {
    // They remain ordinary functions.
    numbers(Job::new(vec![None]));
    send(
        &Context::standalone("send"),
        Context::standalone("send").tick(),
        Job::new(Email { to: "ada".to_owned() }),
        Res::new(5),
    )
    .unwrap();
}
// rule 151
