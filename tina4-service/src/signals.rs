//! The only owner of signal handlers: the first signal is graceful, the second ends the process.
//!
//! Handlers are installed by the first `run` or `wait_for_signal` and stay.

use std::fmt;
use std::io;
#[cfg(unix)]
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::runner::Services;

/// A signal that asks the program to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal(i32);

impl Signal {
    /// Its number, such as 15 for SIGTERM.
    #[must_use]
    pub fn number(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            2 => f.write_str("SIGINT"),
            15 => f.write_str("SIGTERM"),
            number => write!(f, "signal {number}"),
        }
    }
}

/// What the handlers have seen.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    /// How many signals came, and which one last.
    count: AtomicU32,
    last: AtomicI32,
    /// A signal has come, so that the next one ends the process.
    #[cfg(unix)]
    asked: Arc<AtomicBool>,
    /// Those to tell.
    listeners: Mutex<Vec<Weak<Services>>>,
}

impl Signals {
    fn came(&self, number: i32) {
        let listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.last.store(number, Ordering::Relaxed);
        // The handler has done so, if it was complete, but who began to listen since then has taken
        // it back.
        #[cfg(unix)]
        self.asked.store(true, Ordering::SeqCst);
        self.count.fetch_add(1, Ordering::Release);
        let told = listeners.clone();
        drop(listeners);
        for pool in told.iter().filter_map(Weak::upgrade) {
            pool.look_again();
        }
    }
}

/// Somebody who waits for a signal.
#[derive(Debug)]
pub(crate) struct Listener {
    signals: Arc<Signals>,
    /// Signals that came before it began to listen are not for it.
    seen: u32,
}

impl Listener {
    pub(crate) fn signal(&self) -> Option<Signal> {
        let came = self.signals.count.load(Ordering::Acquire) != self.seen;
        came.then(|| Signal(self.signals.last.load(Ordering::Relaxed)))
    }
}

static SIGNALS: OnceLock<Arc<Signals>> = OnceLock::new();

/// Installs the handlers, once per process, has `pool` look again when a signal comes, and makes
/// the next signal the first.
pub(crate) fn listen(pool: &Arc<Services>) -> io::Result<Listener> {
    static INSTALLING: Mutex<()> = Mutex::new(());
    let guard = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    let (signals, is_new) = match SIGNALS.get() {
        Some(signals) => (Arc::clone(signals), false),
        None => {
            let signals = Arc::new(Signals::default());
            install(&signals)?;
            (Arc::clone(SIGNALS.get_or_init(|| signals)), true)
        }
    };
    drop(guard);
    // Under the lock under which signals are passed on: each is before this or after it.
    let mut listeners = signals.listeners.lock().unwrap_or_else(PoisonError::into_inner);
    // What came while the handlers were being installed was meant for who waits now.
    let seen = if is_new { 0 } else { signals.count.load(Ordering::Acquire) };
    #[cfg(unix)]
    if !is_new {
        signals.asked.store(false, Ordering::SeqCst);
    }
    listeners.retain(|known| known.strong_count() > 0);
    if !listeners.iter().any(|known| std::ptr::eq(known.as_ptr(), Arc::as_ptr(pool))) {
        listeners.push(Arc::downgrade(pool));
    }
    drop(listeners);
    Ok(Listener { signals, seen })
}

#[cfg(unix)]
fn install(signals: &Arc<Signals>) -> io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::flag;

    // The thread that passes signals on comes first: if it cannot be had, nothing has changed.
    let (sender, receiver) = crossbeam_channel::bounded::<signal_hook::iterator::Signals>(1);
    let came = Arc::clone(signals);
    let pass_on = move || {
        for mut incoming in receiver {
            for number in incoming.forever() {
                came.came(number);
            }
        }
    };
    crate::pool::start_thread("tina4-signals".to_owned(), Box::new(pass_on))?;
    // The pipe, which a process may have no room for, comes before anything has changed.
    let mut incoming = signal_hook::iterator::Signals::new(std::iter::empty::<i32>())?;
    let early = Arc::new(AtomicUsize::new(0));
    for number in [SIGTERM, SIGINT] {
        // In this order, in which a handler does them too. First it is noted; nobody is told by that.
        flag::register_usize(number, Arc::clone(&early), number.unsigned_abs() as usize)?;
        // The first signal finds the flag unset and sets it, the second ends the process in the
        // handler itself, whatever every thread is doing.
        flag::register_conditional_shutdown(number, 128 + number, Arc::clone(&signals.asked))?;
        flag::register(number, Arc::clone(&signals.asked))?;
        // The program is told last, because telling sets the flag: it might be faster than the rest
        // of the handler, which would take the first signal for the second.
        incoming.add_signal(number)?;
    }
    // A signal that came between these lines was noted, and nobody was told. (If a handler on
    // another thread is between its first line and its last at this moment, its signal is passed on
    // twice, which who waits for one does not see.)
    let early = i32::try_from(early.load(Ordering::SeqCst)).unwrap_or(0);
    let mut pending: Vec<_> = incoming.pending().collect();
    if pending.is_empty() && early > 0 {
        pending.push(early);
    }
    pending.into_iter().for_each(|number| signals.came(number));
    // The thread waits for it as long as this sender lives.
    sender.send(incoming).map_err(io::Error::other)
}

#[cfg(windows)]
fn install(signals: &Arc<Signals>) -> io::Result<()> {
    let signals = Arc::clone(signals);
    ctrlc::set_handler(move || {
        // Windows names no signal; all of them mean Ctrl-C to a Rust program.
        if signals.count.load(Ordering::Acquire) > 0 {
            end_now(128 + 2);
        }
        signals.came(2);
    })
    .map_err(io::Error::other)
}

#[cfg(windows)]
#[expect(clippy::disallowed_methods, reason = "the second Ctrl-C ends the process at once")]
fn end_now(code: i32) -> ! {
    std::process::exit(code)
}
