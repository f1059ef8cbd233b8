//! Waiting for a stop signal on behalf of one runner.

use std::io;
use std::sync::Arc;

use crate::engine::Engine;
use crate::observe::signal::Signal;
#[cfg(unix)]
use crate::process::ffi::watch_forks;
use crate::process::signals::handler::Signals;
use crate::process::signals::run_watch::RunWatch;
use crate::process::signals::thread;
use crate::process::signals::waiters::Waiters;
use crate::service::environment::Environment;

/// A registered waiter; unregistered on drop.
#[derive(Debug)]
pub(crate) struct Listener {
    signals: &'static Signals,
    waiters: &'static Waiters,
    id: u32,
    env: Arc<Environment>,
    /// Kept alive for the signal thread.
    _run: Option<Arc<RunWatch>>,
    since: u32,
}

impl Listener {
    /// Installs the handlers, once per process, and registers a waiter.
    ///
    /// # Errors
    ///
    /// The operating system refused the handlers, or a thread.
    pub(crate) fn new(
        pool: &Arc<Engine>,
        env: &Arc<Environment>,
        run: Option<Arc<RunWatch>>,
    ) -> io::Result<Self> {
        #[cfg(unix)]
        watch_forks();
        let (signals, waiters) = (Signals::get(), Waiters::get());
        thread::start(signals, waiters)?;
        let state = signals.debounce.state();
        // The first waiter of a runner takes over the requests that no waiter has received.
        let since = env.received.get().unwrap_or_else(|| waiters.delivered());
        env.received.set(since);
        let (id, others_stop) = waiters.add(pool, run.as_ref(), since);
        // After the waiter was added: the signal thread sees it, or is woken for it.
        if signals.count() == since {
            if !others_stop {
                signals.debounce.disarm(state);
            }
        } else {
            // The request arrived while the runner had no waiter.
            signals.wake_thread();
        }
        Ok(Self { signals, waiters, id, env: Arc::clone(env), _run: run, since })
    }

    /// The signal that has arrived since the runner's waiters received one.
    pub(crate) fn signal(&self) -> Option<Signal> {
        let count = self.signals.count();
        if count == self.since {
            return None;
        }
        self.env.received.set(count);
        self.waiters.deliver(count);
        Some(self.signals.last())
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.waiters.remove(self.id);
    }
}
