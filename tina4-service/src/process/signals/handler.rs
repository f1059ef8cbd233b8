//! The code that runs inside a signal handler, and the state that it changes.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, Ordering};

#[cfg(unix)]
use super::unix::WakeSender;
#[cfg(windows)]
use super::windows::WakeSender;
use crate::observe::signal::Signal;
use crate::process::signals::debounce::{Debounce, Meaning};
use crate::sys::per_process::PerProcess;
use crate::time::clock::Clock;

/// The stop signals of one process.
#[derive(Debug, Default)]
pub(super) struct Signals {
    /// The id of the process that installed the handlers of the stop signals. A forked child inherits the handlers
    /// before it can know that it is a child.
    process_id: AtomicU32,
    /// The id of the process that installed the handler of SIGUSR1.
    #[cfg(unix)]
    dump_process_id: AtomicU32,
    pub(super) debounce: Debounce,
    /// How many stop requests have arrived.
    count: AtomicU32,
    /// The signal of the last one.
    last: AtomicI32,
    /// Whether a runner with a quiesce time has ever waited for a signal.
    may_quiesce: AtomicBool,
    /// The number of requests after which the program went on: a waiter received them, and waited again.
    went_on_after: AtomicU32,
    /// Whether a table of the services was asked for.
    #[cfg(unix)]
    dump_requested: AtomicBool,
    /// Set once the signal thread is running.
    wake: OnceLock<WakeSender>,
}

static SIGNALS: PerProcess<Signals> = PerProcess::new(Signals {
    process_id: AtomicU32::new(0),
    #[cfg(unix)]
    dump_process_id: AtomicU32::new(0),
    debounce: Debounce::new(),
    count: AtomicU32::new(0),
    last: AtomicI32::new(0),
    may_quiesce: AtomicBool::new(false),
    went_on_after: AtomicU32::new(0),
    #[cfg(unix)]
    dump_requested: AtomicBool::new(false),
    wake: OnceLock::new(),
});

/// What the caller of [`on_signal`] has to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reaction {
    /// Nothing more.
    Continue,
    /// End the process: it is another stop signal.
    EndProcess,
    /// Do what the process would do without a handler.
    Default,
}

/// Handles an arriving stop signal. Async-signal-safe.
pub(crate) fn on_signal(number: i32) -> Reaction {
    match SIGNALS.get().filter(|signals| is_this_process(&signals.process_id)) {
        Some(signals) => signals.arrived(number),
        // A forked child inherited the handler, but nothing in the child waits for a signal.
        None => Reaction::Default,
    }
}

/// Handles an arriving SIGUSR1. Async-signal-safe.
#[cfg(unix)]
pub(crate) fn on_dump_signal() -> Reaction {
    let accepts = |signals: &&Signals| is_this_process(&signals.dump_process_id);
    match SIGNALS.get().filter(accepts) {
        Some(signals) => {
            signals.request_dump();
            Reaction::Continue
        }
        None => Reaction::Default,
    }
}

/// Whether this is the id of this process. Async-signal-safe.
fn is_this_process(id: &AtomicU32) -> bool {
    id.load(Ordering::Acquire) == std::process::id()
}

impl Signals {
    /// The stop signals of this process.
    pub(super) fn get() -> &'static Self {
        SIGNALS.get_or_init()
    }

    /// Records a signal that has arrived. Async-signal-safe.
    fn arrived(&self, number: i32) -> Reaction {
        let may_quiesce = self.may_quiesce.load(Ordering::Acquire);
        match self.debounce.classify(Clock::system().now(), may_quiesce) {
            Meaning::Request => {
                self.last.store(number, Ordering::Relaxed);
                self.count.fetch_add(1, Ordering::Release);
                self.wake_thread();
                Reaction::Continue
            }
            Meaning::Repeated => Reaction::Continue,
            Meaning::EndProcess => Reaction::EndProcess,
        }
    }

    /// Records that a table of the services was asked for. Async-signal-safe.
    #[cfg(unix)]
    fn request_dump(&self) {
        self.dump_requested.store(true, Ordering::Release);
        self.wake_thread();
    }

    /// Takes the request for a table of the services, if there is one.
    #[cfg(unix)]
    pub(super) fn take_dump_request(&self) -> bool {
        self.dump_requested.swap(false, Ordering::AcqRel)
    }

    /// Lets the handlers of this process handle stop signals from now on.
    pub(super) fn accept(&self) {
        self.process_id.store(std::process::id(), Ordering::Release);
    }

    /// Lets the handler of this process handle SIGUSR1 from now on. Stop signals, whose handlers a forked child may
    /// have inherited, are not affected: nothing may be waiting for them.
    #[cfg(unix)]
    pub(super) fn accept_dump(&self) {
        self.dump_process_id.store(std::process::id(), Ordering::Release);
    }

    /// How many stop requests have arrived.
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Acquire)
    }

    /// The signal of the last request.
    pub(super) fn last(&self) -> Signal {
        Signal::new(self.last.load(Ordering::Relaxed))
    }

    /// From now on, a first signal may begin a quiesce time.
    pub(super) fn allow_quiesce(&self) {
        self.may_quiesce.store(true, Ordering::Release);
    }

    /// The program goes on after this many requests.
    pub(super) fn went_on(&self, count: u32) {
        self.went_on_after.fetch_max(count, Ordering::AcqRel);
    }

    /// The last stop signal, unless the program goes on after it. `received`: how many the runner has received, if it
    /// has ever waited for one.
    pub(super) fn unreceived(&self, received: Option<u32>) -> Option<Signal> {
        let known = received.unwrap_or_else(|| self.went_on_after.load(Ordering::Acquire));
        (self.count() > known).then(|| self.last())
    }

    /// Sets the means to wake the signal thread. Later calls have no effect.
    pub(super) fn set_wake(&self, wake: WakeSender) {
        let _ = self.wake.set(wake);
    }

    /// Wakes the signal thread, if it has been started. Async-signal-safe.
    pub(super) fn wake_thread(&self) {
        if let Some(wake) = self.wake.get() {
            wake.wake();
        }
    }
}
