//! Effects that must wait until the pool's lock is released: they run user code, or wake threads.

use std::any::Any;
#[cfg(feature = "tokio")]
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::observe::log::LogLine;
use crate::service::environment::Environment;
#[cfg(all(target_os = "linux", feature = "systemd"))]
use crate::sys::notify_socket::NotifySocket;
use crate::sys::panics;
use crate::sys::stop_flag::Sleepers;

/// The maximum number of log lines that wait to be written.
const MAX_LINES: usize = 10_000;

/// Effects taken out of a [`DeferredQueue`], to be executed without the lock.
#[derive(Debug, Default)]
pub(crate) struct Deferred {
    #[cfg(feature = "tokio")]
    first: Vec<First>,
    /// What to tell systemd. Nothing of it blocks.
    #[cfg(all(target_os = "linux", feature = "systemd"))]
    messages: Vec<(Arc<NotifySocket>, String)>,
    sleepers: Vec<Sleepers>,
    /// User values to be dropped.
    discarded: Vec<Box<dyn Any + Send>>,
    log: Vec<LogLine>,
}

/// A call that must not wait for user code.
#[cfg(feature = "tokio")]
struct First(Box<dyn FnOnce() + Send>);

#[cfg(feature = "tokio")]
impl fmt::Debug for First {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("First").finish_non_exhaustive()
    }
}

impl Deferred {
    /// Makes the calls that come before everything else, and returns what is left.
    #[cfg(feature = "tokio")]
    pub(super) fn call_first(mut self: Box<Self>) -> Box<Self> {
        self.first.drain(..).for_each(|First(call)| call());
        self
    }

    /// Whether there are log lines. Only one thread at a time may write them, to keep them in order.
    pub(super) fn has_log(&self) -> bool {
        !self.log.is_empty()
    }

    /// Executes the effects. Destructors and log subscribers are user code. The panic hook reports a
    /// panic in them, so it is ignored here; it must not end a worker.
    pub(crate) fn flush(self) {
        let Self {
            #[cfg(feature = "tokio")]
            first,
            #[cfg(all(target_os = "linux", feature = "systemd"))]
            messages,
            sleepers,
            discarded,
            log,
        } = self;
        #[cfg(feature = "tokio")]
        first.into_iter().for_each(|First(call)| call());
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        messages.into_iter().for_each(|(socket, message)| socket.send(&message));
        sleepers.into_iter().for_each(Sleepers::wake);
        for value in discarded {
            let _ = panics::catch(|| drop(value));
        }
        for line in log {
            let _ = panics::catch(|| line.write());
            line.mark_handled();
        }
    }
}

/// Effects that wait until the lock is released.
#[derive(Debug)]
pub(crate) struct DeferredQueue {
    env: Arc<Environment>,
    pending: Deferred,
    /// A thread is writing log lines.
    logging: bool,
    /// Log lines that were discarded since the last one that was queued.
    missed_lines: u64,
    /// The process is ending: from now on, user values are leaked and new log lines are discarded.
    exiting: bool,
}

impl DeferredQueue {
    pub(crate) fn new(env: Arc<Environment>) -> Self {
        Self { env, pending: Deferred::default(), logging: false, missed_lines: 0, exiting: false }
    }

    /// Queues the sleeping code of a service to be woken; does nothing for `None`.
    pub(crate) fn wake(&mut self, sleepers: Option<Sleepers>) {
        self.pending.sleepers.extend(sleepers);
    }

    /// Queues a call that must not wait for user code, not even for that of other effects.
    #[cfg(feature = "tokio")]
    pub(crate) fn call_first(&mut self, call: impl FnOnce() + Send + 'static) {
        self.pending.first.push(First(Box::new(call)));
        // perf: makes the effects pending, so that `is_pending`, which every run calls, need not check for calls.
        self.pending.discarded.push(Box::new(()));
    }

    /// Queues a message to systemd.
    #[cfg(all(target_os = "linux", feature = "systemd"))]
    pub(crate) fn notify(&mut self, socket: Arc<NotifySocket>, message: String) {
        self.pending.messages.push((socket, message));
        // perf: as in `call_first`.
        self.pending.discarded.push(Box::new(()));
    }

    /// Queues a user value to be dropped once the lock is released.
    pub(crate) fn discard<T: Any + Send>(&mut self, value: Option<T>) {
        if self.exiting {
            std::mem::forget(value);
        } else if let Some(value) = value {
            self.pending.discarded.push(Box::new(value));
        }
    }

    /// Makes room for this many more log lines.
    pub(crate) fn reserve_log(&mut self, count: usize) {
        self.pending.log.reserve(count.min(MAX_LINES));
    }

    /// How many log lines are queued.
    pub(crate) fn log_length(&self) -> usize {
        self.pending.log.len()
    }

    /// Queues a log line in front of those that were queued after the first `place` ones.
    pub(crate) fn insert_log(&mut self, place: usize, line: LogLine) {
        let log = &mut self.pending.log;
        if self.exiting || log.len() >= MAX_LINES {
            return self.log(line);
        }
        log.insert(place.min(log.len()), line);
    }

    /// Queues a log line. While the log blocks, up to [`MAX_LINES`] are kept; further lines are
    /// discarded and counted.
    pub(crate) fn log(&mut self, line: LogLine) {
        if self.exiting {
            return line.mark_handled();
        }
        let log = &mut self.pending.log;
        if log.len() >= MAX_LINES {
            self.missed_lines += 1;
            return line.mark_handled();
        }
        if self.missed_lines > 0 {
            log.push(LogLine::missed(std::mem::take(&mut self.missed_lines)));
        }
        log.push(line);
    }

    /// Records that the process is ending: from now on, user values are leaked and new log lines
    /// are discarded, because destructors and the log may block. Lines that are already queued are
    /// still written.
    pub(crate) fn set_exiting(&mut self) {
        self.exiting = true;
        self.pending.discarded.drain(..).for_each(std::mem::forget);
    }

    /// Whether [`DeferredQueue::take`] would return anything.
    #[inline]
    pub(crate) fn is_pending(&self) -> bool {
        let Deferred { sleepers, discarded, log, .. } = &self.pending;
        let may_log = !log.is_empty() && !self.logging;
        may_log || !discarded.is_empty() || !sleepers.is_empty()
    }

    /// Takes the effects. Log lines stay where they are while another thread writes earlier ones.
    #[inline]
    pub(crate) fn take(&mut self) -> Option<Box<Deferred>> {
        self.is_pending().then(|| self.take_pending())
    }

    // perf: not inlined, because most runs defer nothing.
    #[inline(never)]
    fn take_pending(&mut self) -> Box<Deferred> {
        let mut taken = std::mem::take(&mut self.pending);
        if self.logging {
            std::mem::swap(&mut taken.log, &mut self.pending.log);
        } else {
            self.logging = taken.has_log();
        }
        Box::new(taken)
    }

    /// Takes the sleepers. Waking them never blocks.
    #[cfg(any(feature = "queue", feature = "signals", feature = "tokio"))]
    pub(super) fn take_sleepers(&mut self) -> Vec<Sleepers> {
        std::mem::take(&mut self.pending.sleepers)
    }

    /// Records that the effects that were taken have been executed.
    pub(crate) fn flushed(&mut self, had_log: bool) {
        if had_log {
            self.logging = false;
            self.env.log_is_slow.store(false, Ordering::Relaxed);
        }
    }

    /// Whether every log line has been written.
    pub(super) fn is_log_written(&self) -> bool {
        !self.logging && self.pending.log.is_empty()
    }
}
