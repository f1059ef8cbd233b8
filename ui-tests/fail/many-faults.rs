use tina4_service::{Context, service};

fn flush(_files: u32) {}

#[service(
    name = "heart beat",
    intervall = "30s",
    delay = 5,
    cron = "0 25 * * *",
    timezone = "Mars/Olympus",
    jitter = "0s",
    timeout = "1 year",
    restart = "nevr",
    max_restarts = -1,
    backoff = "2m",
    after = [heartbeat, 5],
    on_stop = flush,
    critical = "yes",
)]
fn heartbeat((_a, _b): (u32, u32), _ctx: Context) -> u32 {
    30
}

fn main() {}

// rule 82
