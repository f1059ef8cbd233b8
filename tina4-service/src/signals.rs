//! The only owner of signal handlers: the first stop signal is graceful, a later one ends the process.
//!
//! Handlers are installed by the first `run` or `wait_for_signal`, and stay. A handler does no more
//! than a handler may: it notes the signal and wakes a thread of its own, which tells those who wait.
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
//! Once somebody has been told of a signal and waits again, the next one is the first again. A signal
//! that arrives while nobody waits is kept for whoever waits next.

use std::io;
use std::sync::atomic::{AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::clock::{Clock, Nanos, nanos};
use crate::fork::{self, PerProcess};
use crate::runner::Services;
use crate::signal::Signal;

mod ending;
#[cfg(unix)]
mod unix;
#[cfg(unix)]
use unix as system;
#[cfg(windows)]
mod windows;
#[cfg(windows)]
use windows as system;

pub(crate) use ending::RunWatch;

/// Stop signals this close to the first one are the same request.
const GRACE: Duration = Duration::from_millis(250);

/// What the handlers of this process have seen, and who waits for it.
#[derive(Debug, Default)]
struct Signals {
    /// The process that installed them: a child has them from the moment of its birth, before it
    /// knows that it is one.
    process: AtomicU32,
    first: First,
    /// How many requests to end arrived, and with which signal the last one did.
    count: AtomicU32,
    last: AtomicI32,
    /// How many of them somebody was told of.
    claimed: AtomicU32,
    waiters: Mutex<Vec<Waiter>>,
    installed: Mutex<bool>,
    /// Open once the thread that tells of signals is there.
    wake: OnceLock<system::Wake>,
}

static SIGNALS: PerProcess<Signals> = PerProcess::new(Signals {
    process: AtomicU32::new(0),
    first: First(AtomicU64::new(0)),
    count: AtomicU32::new(0),
    last: AtomicI32::new(0),
    claimed: AtomicU32::new(0),
    waiters: Mutex::new(Vec::new()),
    installed: Mutex::new(false),
    wake: OnceLock::new(),
});

/// When the first stop signal arrived, and whether a later one ends the process. In one atomic,
/// because two handlers may run at once: twice the time, and one more if it does; 0: none yet.
#[derive(Debug, Default)]
struct First(AtomicU64);

/// What a signal that arrives means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It asks the program to end.
    Request,
    /// It is the first one, sent twice.
    Repeated,
    /// It ends the process.
    Insists,
}

impl First {
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
                return Meaning::Insists;
            }
            let new = now << 1 | 1;
            match self.0.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Meaning::Request,
                Err(other) => known = other,
            }
        }
    }

    /// The next signal is the first again, unless it is the last one sent twice.
    fn disarm(&self) {
        self.0.fetch_and(!1, Ordering::AcqRel);
    }
}

/// Somebody to tell when a signal arrives.
#[derive(Clone, Debug)]
struct Waiter {
    pool: Weak<Services>,
    /// Set for a thread inside `run`.
    run: Option<Weak<RunWatch>>,
    /// The number of requests that it was told of, or was not to be told of.
    told: u32,
}

impl Signals {
    fn waiters(&self) -> MutexGuard<'_, Vec<Waiter>> {
        self.waiters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process has installed them. Async-signal-safe.
    #[cfg(unix)]
    fn are_of_this_process(&self) -> bool {
        self.process.load(Ordering::Acquire) == std::process::id()
    }

    /// A signal has arrived. Async-signal-safe.
    fn arrived(&self, number: i32) {
        match self.first.arrived(Clock::system().now()) {
            Meaning::Request => {
                self.last.store(number, Ordering::Relaxed);
                self.count.fetch_add(1, Ordering::Release);
                if let Some(wake) = self.wake.get() {
                    wake.wake();
                }
            }
            Meaning::Repeated => {}
            Meaning::Insists => system::end_now(number),
        }
    }

    /// The life of the thread that tells those who wait. Nothing it does blocks.
    fn tell(&self, incoming: &system::Incoming) {
        let mut endings: Vec<ending::Ending> = Vec::new();
        loop {
            // To look at those that end is the only thing that is done by the clock.
            let timeout = (!endings.is_empty()).then_some(ending::LOOK);
            if !incoming.wait(timeout) {
                return;
            }
            endings.extend(self.tell_waiters());
            endings.retain_mut(ending::Ending::goes_on);
        }
    }

    /// Tells those who have not been told of the last request; returns each `run` that is to end.
    fn tell_waiters(&self) -> Vec<ending::Ending> {
        let count = self.count.load(Ordering::Acquire);
        let signal = Signal::new(self.last.load(Ordering::Relaxed));
        let untold = self.take_untold(count);
        for pool in unique(untold.iter().map(|(pool, _)| pool)) {
            pool.act_without_blocking(|services, _| services.signal_arrived(signal));
        }
        let mut endings = Vec::new();
        for (pool, run) in untold {
            if let Some(run) = run.and_then(|run| run.upgrade()) {
                endings.push(ending::Ending::begin(&pool, run));
            }
            pool.look_again();
        }
        endings
    }

    /// Those who have not been told that there were so many requests. They are told without the lock.
    fn take_untold(&self, count: u32) -> Vec<(Arc<Services>, Option<Weak<RunWatch>>)> {
        let mut waiters = self.waiters();
        let untold = waiters.iter_mut().filter(|waiter| waiter.told != count);
        let told = untold.filter_map(|waiter| {
            waiter.told = count;
            Some((waiter.pool.upgrade()?, waiter.run.clone()))
        });
        told.collect()
    }
}

fn unique<'a>(pools: impl Iterator<Item = &'a Arc<Services>>) -> Vec<&'a Arc<Services>> {
    let mut seen: Vec<&Arc<Services>> = Vec::new();
    for pool in pools {
        if !seen.iter().any(|known| Arc::ptr_eq(known, pool)) {
            seen.push(pool);
        }
    }
    seen
}

/// Waits for a signal; what it was added for ends when it is dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    signals: &'static Signals,
    pool: Weak<Services>,
    /// Kept alive for the signal thread.
    run: Option<Arc<RunWatch>>,
    /// Signals that somebody was told of before it began to listen are not for it.
    seen: u32,
}

impl Listener {
    /// The signal that has arrived since it began to listen.
    pub(crate) fn signal(&self) -> Option<Signal> {
        let count = self.signals.count.load(Ordering::Acquire);
        if count == self.seen {
            return None;
        }
        self.signals.claimed.fetch_max(count, Ordering::AcqRel);
        Some(Signal::new(self.signals.last.load(Ordering::Relaxed)))
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let run = self.run.as_ref().map(Arc::downgrade);
        let is_this = |waiter: &Waiter| {
            let same_run = match (&waiter.run, &run) {
                (Some(known), Some(run)) => known.ptr_eq(run),
                (None, None) => true,
                (Some(_), None) | (None, Some(_)) => false,
            };
            same_run && waiter.pool.ptr_eq(&self.pool)
        };
        let mut waiters = self.signals.waiters();
        if let Some(place) = waiters.iter().position(is_this) {
            waiters.swap_remove(place);
        }
    }
}

/// Installs the handlers, once per process, and has `pool` look again when a signal arrives.
///
/// # Errors
///
/// The operating system refused the handlers, or a thread.
pub(crate) fn listen(pool: &Arc<Services>, run: Option<Arc<RunWatch>>) -> io::Result<Listener> {
    fork::watch();
    let signals = SIGNALS.get();
    let mut installed = signals.installed.lock().unwrap_or_else(PoisonError::into_inner);
    if !*installed {
        if signals.wake.get().is_none() {
            let (wake, incoming) = system::channel()?;
            // The thread comes first: if it cannot be had, nothing has changed.
            let tell = move || signals.tell(&incoming);
            crate::pool::start_thread("tina4-signals".to_owned(), Box::new(tell))?;
            // Nobody else sets it: the lock is held.
            let _ = signals.wake.set(wake);
        }
        signals.process.store(std::process::id(), Ordering::Release);
        system::install()?;
        *installed = true;
    }
    drop(installed);
    let seen = signals.claimed.load(Ordering::Acquire);
    let run_of_waiter = run.as_ref().map(Arc::downgrade);
    signals.waiters().push(Waiter { pool: Arc::downgrade(pool), run: run_of_waiter, told: seen });
    if signals.count.load(Ordering::Acquire) == seen {
        signals.first.disarm();
    } else if let Some(wake) = signals.wake.get() {
        // It arrived while nobody waited.
        wake.wake();
    }
    Ok(Listener { signals, pool: Arc::downgrade(pool), run, seen })
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn rule_44_what_follows_within_a_quarter_of_a_second_is_still_the_first_signal() {
        let first = First::default();
        assert_eq!(first.arrived(7 * MS), Meaning::Request);
        assert_eq!(first.arrived(8 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(256 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(257 * MS), Meaning::Insists);
        // Somebody was told, and waits again.
        let first = First::default();
        assert_eq!(first.arrived(7 * MS), Meaning::Request);
        first.disarm();
        assert_eq!(first.arrived(256 * MS), Meaning::Repeated);
        assert_eq!(first.arrived(257 * MS), Meaning::Request);
        assert_eq!(first.arrived(507 * MS), Meaning::Insists);
    }
}
