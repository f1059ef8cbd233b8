//! The promises of the crate, by subject.
//!
//! Tests about a whole process are separate test binaries next to this directory: they end it,
//! measure it, count its threads, change its root directory, or replace its log subscriber.
#![forbid(unsafe_code)]

/// What the attribute accepts and what it generates.
pub mod attribute {
    mod parameters;
    mod service_of;
    pub mod strict_lints;
}

mod control;

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
    mod events;
    mod status;
    mod untrusted_text;
}

/// Threads and locks.
mod pool {
    mod locks;
    mod stack;
}

/// The handles of a runner.
mod runner {
    mod from_context;
    mod handles;
}

/// Async functions as services.
mod tasks {
    mod both_kinds;
    mod runs;
    mod stop;
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
