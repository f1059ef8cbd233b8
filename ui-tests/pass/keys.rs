//! Every key except `cron`, `timezone` and `anchor`, including values at their bounds.
#![forbid(unsafe_code)]
#![deny(warnings, missing_docs, rust_2018_idioms, unreachable_pub)]

use tina4_service::service;

#[service(
    name = "all-of.them_1",
    interval = "1h 30m",
    tolerance = "89m",
    initial_delay = "0s",
    jitter = "500ms",
    timeout = "2h",
    on_timeout = "cancel",
    restart = "on-failure",
    max_restarts = 5,
    restart_window = "366d",
    backoff = "1ms",
    max_backoff = "1w",
    stop_timeout = "30 sec",
    after = [other, "third"],
    requires = [always, "fourth"],
    ready = "notified",
    on_stop = flush,
    autostart = false,
    critical = true,
    tags = ["mail", "slow.night-2"],
    crate = ::tina4_service
)]
fn all() {}

fn flush() {}

#[service()]
fn other() {}

#[service(name = "third", delay = "1.5s", tolerance = "1499ms", jitter = "1499ms", max_restarts = 4_294_967_295, after = [],)]
fn with_a_comma_at_the_end() {}

#[service(restart = "always", max_restarts = 0, restart_window = "1ms", ready = "started")]
fn always() {}

#[service(name = "fourth", ready = "finished")]
fn finishes() {}

#[service(restart = "never", critical = true, tags = [])]
fn never() {}

fn main() {}

// rule 156
