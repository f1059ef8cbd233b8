//! Waiting for a stop signal on behalf of one runner.

use std::io;
use std::sync::Arc;

use crate::engine::Engine;
use crate::engine::pool::poll::Poll;
use crate::engine::supervisor::Supervisor;
use crate::observe::signal::Signal;
#[cfg(unix)]
use crate::process::ffi::watch_forks;
use crate::process::signals::handler::Signals;
use crate::process::signals::run_watch::RunWatch;
use crate::process::signals::thread;
use crate::process::signals::waiters::Waiters;
use crate::service::environment::Environment;
use tina4_service_core::Nanos;

/// Registers a waiter, and removes it on drop.
#[derive(Debug)]
pub(crate) struct WaiterGuard {
    signals: &'static Signals,
    waiters: &'static Waiters,
    id: u32,
    env: Arc<Environment>,
    /// Kept alive for the signal thread.
    _run: Option<Arc<RunWatch>>,
    /// The number of requests that this waiter ignores, because earlier waiters received them.
    seen: u32,
}

impl WaiterGuard {
    /// Installs the handlers, once per process, and registers a waiter.
    ///
    /// # Errors
    ///
    /// The operating system refused the handlers or a thread.
    pub(crate) fn new(
        engine: &Arc<Engine>,
        env: &Arc<Environment>,
        run: Option<Arc<RunWatch>>,
    ) -> io::Result<Self> {
        #[cfg(unix)]
        watch_forks();
        let (signals, waiters) = (Signals::get(), Waiters::get());
        thread::start(signals, waiters)?;
        let state = signals.debounce.state();
        // The first waiter of a runner takes over the requests that no waiter has received.
        let seen = env.received.get().unwrap_or_else(|| waiters.delivered());
        env.received.set(seen);
        if !env.quiesce.is_zero() {
            signals.allow_quiesce();
        }
        let (id, others_are_stopping) =
            waiters.add(engine, run.as_ref(), &env.may_quiesce, seen, signals.count());
        // This check comes after the waiter was added, so that the signal thread either sees the waiter
        // or is woken for it.
        if signals.count() == seen {
            if !others_are_stopping {
                signals.debounce.disarm(state);
                signals.went_on(seen);
                engine.with_nonblocking(|supervisor, _| supervisor.forget_stop_signal());
            }
        } else {
            // The request arrived while the runner had no waiter.
            signals.wake_thread();
        }
        Ok(Self { signals, waiters, id, env: Arc::clone(env), _run: run, seen })
    }

    /// Takes the last signal, unless it is one of the first `seen` ones, and marks it as received. During the quiesce
    /// time, returns when that ends.
    pub(crate) fn poll_signal(&self, supervisor: &mut Supervisor, now: Nanos) -> Poll<Signal> {
        let count = self.signals.count();
        if count == self.seen {
            return Poll::Pending(None);
        }
        if let Some(until) = self.signals.quiesce(supervisor, now) {
            return Poll::Pending(Some(until));
        }
        self.receive(count);
        Poll::Ready(self.signals.last())
    }

    /// Ends the quiesce time, because there is nothing that could keep running, and marks the signal as received.
    pub(crate) fn end_quiesce(&self, supervisor: &mut Supervisor) {
        let count = self.signals.count();
        self.signals.end_quiesce(supervisor);
        self.receive(count);
    }

    fn receive(&self, count: u32) {
        self.env.received.set(count);
        self.waiters.deliver(count);
    }
}

/// The last stop signal, if this runner has not received it: it has no waiter at present, or its waiter has not seen it
/// yet. For a runner that has never had a waiter: if the program has not gone on after it.
pub(crate) fn unreceived_signal(env: &Environment) -> Option<Signal> {
    Signals::get().unreceived(env.received.get())
}

impl Drop for WaiterGuard {
    fn drop(&mut self) {
        self.waiters.remove(self.id);
    }
}
