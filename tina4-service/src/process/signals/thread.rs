//! The signal thread: woken by the handlers, it notifies the waiters and ends a blocked `run`.

use std::io;
use std::sync::{Arc, Mutex};

#[cfg(unix)]
use super::unix::{Incoming, channel};
#[cfg(windows)]
use super::windows::{Incoming, channel};
use crate::engine::Engine;
use crate::process::signals::ending::{self, Ending, release};
use crate::process::signals::handler::Signals;
use crate::process::signals::install::install_handlers;
use crate::process::signals::waiters::Waiters;
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;
use crate::sys::threads::start_thread;

/// Whether this process has its handlers.
static INSTALLED: PerProcess<Mutex<bool>> = PerProcess::new(Mutex::new(false));

/// Starts the signal thread and installs the handlers, once per process.
///
/// # Errors
///
/// The operating system refused the thread or the handlers.
pub(super) fn start(signals: &'static Signals, waiters: &'static Waiters) -> io::Result<()> {
    let mut installed = std_lock(INSTALLED.get_or_init());
    if *installed {
        return Ok(());
    }
    // The thread comes first: if it cannot be started, nothing has changed.
    if !signals.has_thread() {
        let (wake, incoming) = channel()?;
        let body = move || notify_loop(signals, waiters, &incoming);
        start_thread("tina4-signals".to_owned(), Box::new(body))?;
        signals.set_wake(wake);
    }
    signals.accept();
    install_handlers()?;
    *installed = true;
    Ok(())
}

/// Never blocks, apart from the wait for the next signal.
fn notify_loop(signals: &Signals, waiters: &Waiters, incoming: &Incoming) {
    let mut endings: Vec<Ending> = Vec::new();
    loop {
        // Only the endings need a timeout.
        let timeout = (!endings.is_empty()).then_some(ending::POLL_INTERVAL);
        if !incoming.wait(timeout) {
            return;
        }
        endings.extend(notify_waiters(signals, waiters));
        endings.retain_mut(Ending::poll);
        ending::end_process_if_overdue(&endings);
    }
}

/// Notifies the waiters that have not seen the last request; returns each `run` that is to end.
fn notify_waiters(signals: &Signals, waiters: &Waiters) -> Vec<Ending> {
    let count = signals.count();
    let signal = signals.last();
    let unaware = waiters.take_unaware(count);
    for pool in unique(unaware.iter().map(|(pool, _)| pool)) {
        pool.with_nonblocking(|services, _| services.signal_arrived(signal));
    }
    let mut endings = Vec::new();
    for (pool, run) in unaware {
        if let Some(run) = run.and_then(|run| run.upgrade()) {
            endings.push(Ending::begin(&pool, run));
        }
        pool.wake_waiters();
        release(pool);
    }
    endings
}

fn unique<'a>(pools: impl Iterator<Item = &'a Arc<Engine>>) -> Vec<&'a Arc<Engine>> {
    let mut seen: Vec<&Arc<Engine>> = Vec::new();
    for pool in pools {
        if !seen.iter().any(|known| Arc::ptr_eq(known, pool)) {
            seen.push(pool);
        }
    }
    seen
}
