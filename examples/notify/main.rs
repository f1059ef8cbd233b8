//! Tells others about the services of a program: a web hook for people, pings for a dead man's switch, and check-ins for a
//! monitor of schedules.
//!
//! ```text
//! WEBHOOK_URL=http://127.0.0.1:8080/hook PING_URL=http://127.0.0.1:8080/ping cargo run --bin notify
//! ```
//!
//! The addresses come from the environment, because they are secrets. All of it runs on threads of its own, so a slow or broken
//! receiver delays no service.

mod check_ins;
mod http;
mod pings;
#[cfg(test)]
mod tests;
mod webhook;

use std::process::ExitCode;

use tina4_service::{Runner, Tick, service};

/// Of 24 runs, the last six fail.
#[service(interval = "5s", backoff = "1s", max_backoff = "5s")]
fn import(tick: Tick) -> Result<(), &'static str> {
    if tick.run % 24 >= 18 { Err("the supplier does not answer") } else { Ok(()) }
}

#[service(cron = "0 8 * * MON-FRI", timezone = "Europe/Berlin")]
fn daily_report() {
    tracing::info!("the daily report");
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let runner = Runner::builder().build();
    let url = |name| std::env::var(name).ok();
    if let Some(url) = url("WEBHOOK_URL") {
        webhook::install(&runner, url);
    }
    let pings = url("PING_URL").map_or(Ok(()), |url| pings::install(&runner, "import", url));
    let check_ins = url("CHECK_IN_URL").map_or(Ok(()), |url| check_ins::install(&runner, url));
    if let Err(error) = pings.and(check_ins) {
        eprintln!("notify: no thread could be started: {error}");
        return ExitCode::FAILURE;
    }
    runner.run()
}
