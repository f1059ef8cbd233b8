//! Rules 36 and 110: services come and go, a million times if need be, and run, at a cost that does not grow.
//!
//! `CYCLES=1000000` sets the number of cycles, and `-- --nocapture` shows the figures.
#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};

use tests::{process, until};

mod cost;
mod cycles;
mod history;
#[path = "../soak/memory.rs"]
mod memory;

/// The tests measure, so they run one after the other, each after the runners of the one before are gone.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    let running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
    until_runners_are_gone();
    running
}

/// Waits until no runner has a thread. A dropped runner is freed by its last thread, which may be after the call that
/// dropped it.
fn until_runners_are_gone() {
    until("the threads of dropped runners have ended", || process::threads("tina4").is_empty());
}
