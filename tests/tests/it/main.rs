//! What the crate promises, by subject.
//!
//! Tests that need a process of their own are programs of their own beside this folder: they end
//! it, measure it, count its threads, change its root folder, or own its log.
#![forbid(unsafe_code)]

/// What the attribute takes, and what it leaves behind.
pub mod attribute {
    mod parameters;
    pub mod strict_lints;
}

mod control;

/// The documents of this package tell the truth.
mod docs {
    mod cases;
    mod rules;
}

/// Crashes, restarts, and the end of them.
mod failure {
    mod backoff;
    mod failed;
    mod hostile_errors;
    mod panics;
    mod permanent;
    mod restarts;
}

/// What can be seen from outside: events, status, texts.
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

/// When runs are due.
mod schedule {
    mod cron;
    mod cron_check;
    mod grid;
    mod late_runs;
    mod standalone;
}

mod source;

/// Discovery, checks and the order of the start.
mod start {
    mod discovery;
    mod faults;
    mod no_services;
    mod order;
    mod settings;
    mod start_all;
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
    mod test_runner;
}
