//! Looking at the shop itself: is it alive, how big is it, how busy.

use tina4_service::{Local, Res, Tick, service};

use crate::process::Usage;
use crate::visits::Tally;

/// Says that the shop is alive.
#[service(interval = "30s")]
fn heartbeat(tick: Tick) {
    tracing::info!(beat = tick.run, "alive");
}

/// Looks at this process.
#[service(interval = "60s")]
fn metrics_collector() {
    let Usage { pid, memory_kib, threads } = Usage::look();
    tracing::info!(pid, memory_kib, threads, "this process");
}

/// Says how many requests came since it last looked: the total is shared with the HTTP server, the
/// last look is its own.
#[service(interval = "10s")]
fn counter(tally: Res<Tally>, mut before: Local<u64>) {
    let visits = tally.visits();
    if visits != *before {
        tracing::info!(visits, new = visits - *before, "visits");
    }
    *before = visits;
}
