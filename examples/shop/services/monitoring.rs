//! Monitoring of the shop itself: liveness, resources and load.

use tina4_service::{Local, Res, Tick, service};

use crate::process::Usage;
use crate::visits::VisitCounter;

/// Logs that the shop is alive.
#[service(interval = "30s")]
fn heartbeat(tick: Tick) {
    tracing::info!(beat = tick.run, "alive");
}

/// Logs the memory and threads of this process.
#[service(interval = "60s")]
fn metrics_collector() {
    let Usage { pid, memory_kib, threads } = Usage::current();
    tracing::info!(pid, memory_kib, threads, "this process");
}

/// Logs how many requests have arrived since its last run. The total is shared with the HTTP
/// server; the previous total belongs to this service alone.
#[service(interval = "10s")]
fn counter(visits: Res<VisitCounter>, mut before: Local<u64>) {
    let total = visits.total();
    if total != *before {
        tracing::info!(visits = total, new = total - *before, "visits");
    }
    *before = total;
}
