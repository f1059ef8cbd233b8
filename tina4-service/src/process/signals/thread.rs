//! The signal thread: woken by the handlers, it notifies the waiters, and ends the process if a `run`
//! does not return.

use std::io;
use std::sync::{Arc, Mutex};

#[cfg(unix)]
use super::unix::{WakeReceiver, channel};
#[cfg(windows)]
use super::windows::{WakeReceiver, channel};
use crate::engine::Engine;
use crate::engine::release::release;
#[cfg(unix)]
use crate::process::signals::dump_runners;
use crate::process::signals::ending::{self, Ending};
use crate::process::signals::handler::Signals;
use crate::process::signals::install::install_handlers;
use crate::process::signals::waiters::Waiters;
use crate::sys::per_process::PerProcess;
use crate::sys::sync::std_lock;
use crate::sys::threads::start_thread;

/// Whether the handlers are installed in this process.
static INSTALLED: PerProcess<Mutex<bool>> = PerProcess::new(Mutex::new(false));

/// Whether the signal thread has been started in this process.
static THREAD_STARTED: PerProcess<Mutex<bool>> = PerProcess::new(Mutex::new(false));

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
    start_thread_once(signals, waiters)?;
    signals.accept();
    install_handlers()?;
    *installed = true;
    Ok(())
}

/// Starts the signal thread, once per process.
///
/// # Errors
///
/// The operating system refused the thread.
pub(super) fn start_thread_once(
    signals: &'static Signals,
    waiters: &'static Waiters,
) -> io::Result<()> {
    let mut started = std_lock(THREAD_STARTED.get_or_init());
    if !*started {
        let (wake, wakeups) = channel()?;
        let body = move || notify_loop(signals, waiters, &wakeups);
        start_thread("tina4-signals".to_owned(), Box::new(body))?;
        signals.set_wake(wake);
        *started = true;
    }
    Ok(())
}

/// Notifies the waiters of each signal, and ends the process if a `run` does not return.
fn notify_loop(signals: &'static Signals, waiters: &Waiters, wakeups: &WakeReceiver) {
    let mut endings: Vec<Ending> = Vec::new();
    loop {
        // Only the endings need a timeout.
        let timeout = (!endings.is_empty()).then_some(ending::POLL_INTERVAL);
        if !wakeups.wait(timeout) {
            return;
        }
        #[cfg(unix)]
        if signals.take_dump_request() {
            dump_runners::write_tables();
        }
        for new in notify_waiters(signals, waiters) {
            // A second signal that ends the quiesce time belongs to a `run` that is known.
            if !endings.iter().any(|known| known.is_of_same_run(&new)) {
                endings.push(new);
            }
        }
        endings.retain_mut(Ending::poll);
        ending::end_process_if_overdue(&endings);
    }
}

/// Notifies the waiters that have not been notified of the last request; returns each `run` that has to
/// end.
fn notify_waiters(signals: &'static Signals, waiters: &Waiters) -> Vec<Ending> {
    let count = signals.count();
    let signal = signals.last();
    let unnotified = waiters.take_unnotified(count);
    for engine in unique(unnotified.iter().map(|(engine, _)| engine)) {
        engine.with_nonblocking(|supervisor, now| {
            supervisor.signal_arrived(signal);
            // From now on the runner is not ready, although the thread that waits may be slow to see the signal.
            signals.quiesce(supervisor, now);
        });
    }
    let mut endings = Vec::new();
    for (engine, run) in unnotified {
        if let Some(run) = run.and_then(|run| run.upgrade()) {
            endings.push(Ending::begin(&engine, run, signals));
        }
        engine.wake_waiters();
        release(engine);
    }
    endings
}

fn unique<'a>(engines: impl Iterator<Item = &'a Arc<Engine>>) -> Vec<&'a Arc<Engine>> {
    let mut seen: Vec<&Arc<Engine>> = Vec::new();
    for engine in engines {
        if !seen.iter().any(|known| Arc::ptr_eq(known, engine)) {
            seen.push(engine);
        }
    }
    seen
}
