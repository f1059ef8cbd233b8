//! The promises of the crate, by subject.
//!
//! Tests about a whole process are separate test binaries next to this directory: they end it,
//! measure it, count its threads, change its root directory, or replace its log subscriber.
//!
//! The tests that `tests::both_kinds!` lists run twice: with plain and with async functions (rule 92). The
//! others are about one kind only, or about none:
//!
//! - Attributes, parameters and values: a `#[service]` function is of one kind. `attribute`,
//!   `start::values` and declared services elsewhere; `tasks::runs` and `ui-tests/tokio` have async ones.
//! - Checks, plans and texts, where no function runs: `start::{discovery, faults, no_services, settings}`,
//!   `schedule::{cron_check, standalone}`, `observe::{shapes, untrusted_text}`, `docs`.
//! - Threads: `pool::stack`, and bodies that block or that the test kit detaches, in `testing::detached`,
//!   `failure::cancel` and `start::unregister`.
//! - What happens to a run that is left behind: a thread is abandoned (`stop::abandoned`,
//!   `failure::cancel`), and a task is dropped (`tasks::stop`).
//! - A year in virtual time, in `testing::test_runner`: a task costs the test kit some 50 us.
#![forbid(unsafe_code)]

/// What the attribute accepts and what it generates.
pub mod attribute {
    mod parameters;
    mod service_of;
    pub mod strict_lints;
}

mod control;

/// Settings that the deployment changes.
mod deployment {
    mod effects;
    mod environment;
    mod faults;
    mod queue;
    mod selection;
    mod settings;
    mod values;
}

/// The documents of the project agree with the tests and the sources.
mod docs {
    mod cases;
    mod keys;
    mod layers;
    mod rules;
}

/// Crashes, restarts and final failure.
mod failure {
    mod backoff;
    mod cancel;
    mod failed;
    mod hostile_errors;
    mod panics;
    mod permanent;
    mod restarts;
}

/// Events, status and their texts.
mod observe {
    mod changes;
    mod events;
    mod facts;
    mod health;
    mod history;
    mod hooks;
    mod metrics;
    mod overdue;
    mod readiness;
    mod requests;
    mod shapes;
    mod status;
    mod untrusted_text;
}

/// Threads and locks.
mod pool {
    mod locks;
    mod stack;
}

/// Services that work on the jobs of a queue.
mod queue {
    mod cancel;
    mod consumer;
    mod engine_failure;
    mod engine_hangs;
    mod engine_outage;
    mod faults;
    mod idle;
    mod on_dead;
    mod sqlite;
}

/// The handles of a runner.
mod runner {
    mod from_context;
    mod handles;
}

/// Async functions as services.
mod tasks {
    mod both_kinds;
    mod dropped;
    mod runs;
    mod sharing;
    mod stop;
    mod task_locals;
    mod twins;
}

/// When runs are due.
mod schedule {
    mod anchor;
    mod cron;
    mod cron_check;
    mod grid;
    mod late_runs;
    mod reschedule;
    mod standalone;
    mod tolerance;
}

mod source;

/// Discovery, checks and start order.
mod start {
    mod disabled;
    mod discovery;
    mod faults;
    mod graph;
    mod no_services;
    mod order;
    mod ready;
    mod settings;
    mod start_all;
    mod unregister;
    mod values;
    mod world;
}

/// Stop, deadlines and clean-up.
mod stop {
    mod abandoned;
    mod from_inside;
    mod hooks;
    mod order;
    mod races;
    mod waking;
}

/// The test kit.
mod testing {
    mod detached;
    mod instants;
    mod misuse;
    mod tasks;
    mod test_runner;
}
