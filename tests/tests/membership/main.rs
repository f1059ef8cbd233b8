//! Rules 36 and 110: services come and go, a million times if need be, and run, at a cost that does not grow.
//!
//! `CYCLES=1000000` sets the number of cycles, and `-- --nocapture` shows the figures.
#![cfg(target_os = "linux")]

use std::sync::{Mutex, MutexGuard, PoisonError};

mod cost;
mod cycles;
mod history;
#[path = "../soak/memory.rs"]
mod memory;

/// The tests measure, so they run one after the other.
fn alone() -> MutexGuard<'static, ()> {
    static RUNNING: Mutex<()> = Mutex::new(());
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}
