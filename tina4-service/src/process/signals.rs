//! The only owner of signal handlers: the first stop signal is graceful, a later one ends the process.
//!
//! Handlers are installed by the first `run` or `wait_for_signal`, and stay. A handler does no more
//! than a handler may: it notes the signal and wakes the signal thread, which notifies the waiters.
//! That thread never blocks: under `run` it requests the stop by itself, and ends the process if the
//! thread that called `run` does not get to it (see [`ending`]).
//!
//! # What counts as the first
//!
//! GNU `timeout` sends its signal to the process and then to its group, so that it arrives twice
//! within a millisecond; a terminal and a shell can do the same. So what arrives within [`GRACE`] of
//! the first signal is still the first. A later one ends the process inside the handler, whatever
//! every thread is doing.
//!
//! After a waiter has received a signal and waits again, the next signal counts as the first, unless
//! another `run` is still stopping. A signal that arrives while a runner has no waiter is kept for
//! its next one.

use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::engine::Engine;
use crate::observe::signal::Signal;
use crate::service::environment::Environment;
use crate::sys::fork::{self, PerProcess};
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

mod ending;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

use self::ending::Ending;
pub(crate) use self::ending::RunWatch;
#[cfg(unix)]
pub(crate) use self::unix::arrived;

/// Stop signals this close to the first one are the same request.
const GRACE: Duration = Duration::from_millis(250);

/// What the handlers of this process have seen, and who waits for it.
#[derive(Debug, Default)]
struct Signals {
    /// The process that installed them: a forked child inherits the handlers before it can tell that
    /// it is a child.
    process: AtomicU32,
    debounce: Debounce,
    /// How many requests to end arrived, and with which signal the last one did.
    count: AtomicU32,
    last: AtomicI32,
    /// How many of them have been delivered to a waiter.
    delivered: AtomicU32,
    waiters: Mutex<Vec<Waiter>>,
    next_id: AtomicU32,
    installed: Mutex<bool>,
    /// Set once the signal thread is running.
    wake: OnceLock<system::Wake>,
}

static SIGNALS: PerProcess<Signals> = PerProcess::new(Signals {
    process: AtomicU32::new(0),
    debounce: Debounce(AtomicU64::new(0)),
    count: AtomicU32::new(0),
    last: AtomicI32::new(0),
    delivered: AtomicU32::new(0),
    waiters: Mutex::new(Vec::new()),
    next_id: AtomicU32::new(0),
    installed: Mutex::new(false),
    wake: OnceLock::new(),
});

/// When the first stop signal arrived, and whether a later one ends the process. In one atomic,
/// because two handlers may run at once: the lowest bit is set if it does, the others are the time;
/// 0: no signal yet.
#[derive(Debug, Default)]
struct Debounce(AtomicU64);

/// What a signal that arrives means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It asks the program to end.
    Request,
    /// It is the first one, sent twice.
    Repeated,
    /// It ends the process.
    Kill,
}

impl Debounce {
    /// Takes in a signal that arrives `now`. Async-signal-safe.
    fn arrived(&self, now: Nanos) -> Meaning {
        let now = now.max(1);
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            let (at, armed) = (known >> 1, known & 1 == 1);
            if known != 0 && now.saturating_sub(at) < nanos(GRACE) {
                return Meaning::Repeated;
            }
            if armed {
                return Meaning::Kill;
            }
            let new = now << 1 | 1;
            match self.0.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Meaning::Request,
                Err(other) => known = other,
            }
        }
    }

    fn state(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// The next signal is the first again, unless it is the last one sent twice. Only if nothing has
    /// arrived since `state` was read.
    fn disarm(&self, state: u64) {
        let _ = self.0.compare_exchange(state, state & !1, Ordering::AcqRel, Ordering::Acquire);
    }
}

/// A thread that waits for a signal.
#[derive(Debug)]
struct Waiter {
    id: u32,
    pool: Weak<Engine>,
    /// Set for a thread inside `run`.
    run: Option<Weak<RunWatch>>,
    /// The requests that it is not to be notified of.
    since: u32,
    /// The requests that it has been notified of.
    notified: u32,
}

impl Waiter {
    /// Whether it has been notified, and is still there.
    fn is_stopping(&self) -> bool {
        self.notified != self.since
    }
}

impl Signals {
    fn waiters(&self) -> MutexGuard<'_, Vec<Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Installs the handlers and starts the signal thread, unless that was done.
    fn install(&self, signals: &'static Self) -> io::Result<()> {
        let mut installed = self.installed.lock().unwrap_or_else(PoisonError::into_inner);
        if *installed {
            return Ok(());
        }
        if self.wake.get().is_none() {
            let (wake, incoming) = system::channel()?;
            // The thread comes first: if it cannot be had, nothing has changed.
            let notify = move || signals.notify_loop(&incoming);
            crate::sys::threads::start_thread("tina4-signals".to_owned(), Box::new(notify))?;
            // Nobody else sets it: the lock is held.
            let _ = self.wake.set(wake);
        }
        self.process.store(std::process::id(), Ordering::Release);
        system::install()?;
        *installed = true;
        Ok(())
    }

    /// Whether this process has installed them. Async-signal-safe.
    #[cfg(unix)]
    fn are_of_this_process(&self) -> bool {
        self.process.load(Ordering::Acquire) == std::process::id()
    }

    /// A signal has arrived. Async-signal-safe.
    fn arrived(&self, number: i32) {
        match self.debounce.arrived(Clock::system().now()) {
            Meaning::Request => {
                self.last.store(number, Ordering::Relaxed);
                self.count.fetch_add(1, Ordering::Release);
                if let Some(wake) = self.wake.get() {
                    wake.wake();
                }
            }
            Meaning::Repeated => {}
            Meaning::Kill => system::end_now(number),
        }
    }

    /// The signal thread's loop. Never blocks.
    fn notify_loop(&self, incoming: &system::Incoming) {
        let mut endings: Vec<Ending> = Vec::new();
        loop {
            // Only the endings need a timeout.
            let timeout = (!endings.is_empty()).then_some(ending::POLL_INTERVAL);
            if !incoming.wait(timeout) {
                return;
            }
            endings.extend(self.notify_waiters());
            endings.retain_mut(Ending::goes_on);
            ending::end_process_if_over(&endings);
        }
    }

    /// Notifies those that have not seen the last request; returns each `run` that is to end.
    fn notify_waiters(&self) -> Vec<Ending> {
        let count = self.count.load(Ordering::Acquire);
        let signal = Signal::new(self.last.load(Ordering::Relaxed));
        let waiters = self.take_waiters(count);
        for pool in unique(waiters.iter().map(|(pool, _)| pool)) {
            pool.act_without_blocking(|services, _| services.signal_arrived(signal));
        }
        let mut endings = Vec::new();
        for (pool, run) in waiters {
            if let Some(run) = run.and_then(|run| run.upgrade()) {
                endings.push(Ending::begin(&pool, run));
            }
            pool.look_again();
            release(pool);
        }
        endings
    }

    /// The waiters that have not seen request `count`. They are notified without the lock.
    fn take_waiters(&self, count: u32) -> Vec<(Arc<Engine>, Option<Weak<RunWatch>>)> {
        let mut waiters = self.waiters();
        let unaware = waiters.iter_mut().filter(|waiter| waiter.notified != count);
        let taken = unaware.filter_map(|waiter| {
            waiter.notified = count;
            Some((waiter.pool.upgrade()?, waiter.run.clone()))
        });
        taken.collect()
    }
}

/// Lets go of a runner's services, somewhere else if nobody else has them: the last owner drops the
/// user's values, which can block.
fn release(pool: Arc<Engine>) {
    if Arc::strong_count(&pool) == 1 {
        let last = Box::new(move || drop(pool));
        let _ = crate::sys::threads::start_thread("tina4-drop".to_owned(), last);
    }
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

/// A registered waiter; unregistered on drop.
#[derive(Debug)]
pub(crate) struct Listener {
    signals: &'static Signals,
    id: u32,
    env: Arc<Environment>,
    /// Kept alive for the signal thread.
    _run: Option<Arc<RunWatch>>,
    since: u32,
}

impl Listener {
    /// The signal that has arrived since the runner's waiters received one.
    pub(crate) fn signal(&self) -> Option<Signal> {
        let count = self.signals.count.load(Ordering::Acquire);
        if count == self.since {
            return None;
        }
        self.env.received.set(count);
        self.signals.delivered.fetch_max(count, Ordering::AcqRel);
        Some(Signal::new(self.signals.last.load(Ordering::Relaxed)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.signals.waiters().retain(|waiter| waiter.id != self.id);
    }
}

/// Installs the handlers, once per process, and registers a waiter.
///
/// # Errors
///
/// The operating system refused the handlers, or a thread.
pub(crate) fn listen(
    pool: &Arc<Engine>,
    env: &Arc<Environment>,
    run: Option<Arc<RunWatch>>,
) -> io::Result<Listener> {
    fork::watch();
    let signals = SIGNALS.get();
    signals.install(signals)?;
    let state = signals.debounce.state();
    // A runner that never had a waiter takes over what nobody has received.
    let since = env.received.get().unwrap_or_else(|| signals.delivered.load(Ordering::Acquire));
    env.received.set(since);
    let mut waiters = signals.waiters();
    let others_stop = waiters.iter().any(Waiter::is_stopping);
    let id = signals.next_id.fetch_add(1, Ordering::Relaxed);
    let (pool, run_later) = (Arc::downgrade(pool), run.as_ref().map(Arc::downgrade));
    waiters.push(Waiter { id, pool, run: run_later, since, notified: since });
    drop(waiters);
    // After the waiter was added: the signal thread sees it, or is woken for it.
    if signals.count.load(Ordering::Acquire) == since {
        if !others_stop {
            signals.debounce.disarm(state);
        }
    } else if let Some(wake) = signals.wake.get() {
        // It arrived while the runner had no waiter.
        wake.wake();
    }
    Ok(Listener { signals, id, env: Arc::clone(env), _run: run, since })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn rule_44_what_follows_within_a_quarter_of_a_second_is_still_the_first_signal() {
        let first = Debounce::default();
        assert_eq!(first.arrived(7 * MS), Meaning::Request);
        assert_eq!(first.arrived(8 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(256 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(257 * MS), Meaning::Kill);
        // Somebody was told, and waits again.
        let first = Debounce::default();
        assert_eq!(first.arrived(7 * MS), Meaning::Request);
        first.disarm(first.state());
        assert_eq!(first.arrived(256 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(257 * MS), Meaning::Request);
        assert_eq!(first.arrived(507 * MS), Meaning::Kill);
    }
}
