//! The runners that write a table of their services on SIGUSR1.

use std::sync::{Arc, Mutex, Weak};

use crate::engine::Engine;
use crate::engine::release::release;
use crate::process::signals::dump_table;
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;

static RUNNERS: PerProcess<Mutex<Vec<Weak<Engine>>>> = PerProcess::new(Mutex::new(Vec::new()));

/// Whether this runner is among them.
pub(super) fn contains(engine: &Arc<Engine>) -> bool {
    let runners = std_lock(RUNNERS.get_or_init());
    runners.iter().any(|known| is_of(known, engine))
}

/// Adds a runner, unless it is among them.
pub(super) fn add(engine: &Arc<Engine>) {
    let mut runners = std_lock(RUNNERS.get_or_init());
    runners.retain(|known| known.strong_count() > 0);
    if !runners.iter().any(|known| is_of(known, engine)) {
        runners.push(Arc::downgrade(engine));
    }
}

/// Something weak keeps its address from being used again, so the address identifies the runner.
fn is_of(known: &Weak<Engine>, engine: &Arc<Engine>) -> bool {
    std::ptr::addr_eq(known.as_ptr(), Arc::as_ptr(engine))
}

/// Lets each of them write its table.
pub(super) fn write_tables() {
    let runners: Vec<_> =
        std_lock(RUNNERS.get_or_init()).iter().filter_map(Weak::upgrade).collect();
    for engine in runners {
        dump_table::write(&engine);
        release(engine);
    }
}
