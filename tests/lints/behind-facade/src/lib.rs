//! Services with the runtime re-exported by another crate, under the strictest lints.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, clippy::all, clippy::pedantic)]

pub use facade::svc as runtime;

use facade::svc::{Context, Flow, Local, Res, Tick, service};

#[path = "../../in_a_macro.rs"]
pub mod in_a_macro;

/// A value that services share.
#[derive(Debug)]
pub struct Shared(pub u64);

/// With an absolute path and every kind of value.
///
/// # Errors
///
/// If it has no name.
#[service(
    name = "all.of-them",
    crate = ::facade::svc,
    interval = "30s",
    initial_delay = "1ms",
    jitter = "1ms",
    timeout = "1m",
    on_timeout = "cancel",
    restart = "on-failure",
    max_restarts = 3,
    restart_window = "1h",
    backoff = "2s",
    max_backoff = "4s",
    stop_timeout = "1s",
    after = [finishes_immediately, "named"],
    on_stop = flush,
    critical = true
)]
pub fn all(
    ctx: &Context,
    tick: Tick,
    shared: Res<Shared>,
    mut count: Local<u64>,
) -> Result<Flow, String> {
    *count += shared.0;
    if ctx.name().is_empty() { Err(tick.run.to_string()) } else { Ok(Flow::Wait) }
}

fn flush(shared: Option<Res<Shared>>) -> Result<(), String> {
    shared.map(drop).ok_or_else(|| "nothing to flush".to_owned())
}

#[service(delay = "5s", crate = facade::svc)]
fn finishes_immediately() -> Flow {
    Flow::Done
}

#[service(name = "named", ready = "started", restart = "always", crate = facade::svc, max_restarts = 1)]
fn plain(ctx: &Context) {
    while ctx.sleep(std::time::Duration::from_hours(1)) {}
}
