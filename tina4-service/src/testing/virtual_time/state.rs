//! Who holds the baton, and who waits for what.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;

use super::detached::Detached;
use crate::sys::sync::Condvar;
use tina4_service_core::Nanos;

/// Who acts and who waits; under the stage's lock.
pub(super) struct State {
    pub(super) holder: TokenHolder,
    pub(super) resting: Vec<Rest>,
    /// Threads that can drive.
    pub(super) idle: Vec<Arc<Waiter>>,
    /// Those outside whose run has ended.
    pub(super) returning: Vec<Arc<Waiter>>,
    /// Those who go on without the baton.
    pub(super) outside: Vec<Detached>,
    /// How often something changed that somebody may wait for.
    pub(super) changes: u64,
    /// The thread of the test.
    pub(super) test: ThreadId,
    /// What happened since the clock last moved, and who woke up since the test began to wait.
    pub(super) at_once: u64,
    pub(super) woken: u64,
    pub(super) threads: u64,
    pub(super) closed: bool,
    /// Why the test cannot go on.
    pub(super) stuck: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenHolder {
    Test,
    Thread(ThreadId),
    /// A thread that is being started.
    Starting,
    /// A thread that has nothing to do with the stage; it never has the baton.
    Foreign,
}

/// Where a thread waits for the baton.
pub(super) struct Waiter {
    pub(super) holder: TokenHolder,
    pub(super) condvar: Condvar,
    /// Written and read under the stage's lock.
    pub(super) notified: AtomicBool,
}

/// Somebody who rests.
pub(super) struct Rest {
    pub(super) until: Option<Nanos>,
    pub(super) wake: Wake,
    pub(super) seat: Arc<Waiter>,
    /// It had no baton, and needs none.
    pub(super) away: bool,
}

/// What else than time ends a rest.
pub(super) enum Wake {
    /// Its service is asked to stop.
    Stop(Arc<dyn Fn() -> bool + Send + Sync>),
    /// Something has changed since so many changes.
    News(u64),
    /// Nothing.
    Never,
    /// Nothing, and it comes last at its instant: the test.
    EndOfAdvance,
    /// The same, at the instant of the next run.
    NextRun,
}

impl Waiter {
    pub(super) fn new(holder: TokenHolder) -> Arc<Self> {
        Arc::new(Self { holder, condvar: Condvar::new(), notified: AtomicBool::new(false) })
    }

    pub(super) fn call(&self) {
        self.notified.store(true, Ordering::Relaxed);
        self.condvar.notify_one();
    }

    pub(super) fn take_call(&self) -> bool {
        self.notified.swap(false, Ordering::Relaxed)
    }
}

impl Rest {
    pub(super) fn is_ready(&self, now: Nanos, changes: u64) -> bool {
        let in_time = || self.until.is_some_and(|until| until <= now);
        match &self.wake {
            Wake::Stop(is_stopping) => in_time() || is_stopping(),
            Wake::News(seen) => in_time() || *seen != changes,
            Wake::Never => in_time(),
            Wake::EndOfAdvance | Wake::NextRun => false,
        }
    }
}

impl State {
    pub(super) fn give(&mut self, seat: &Waiter) {
        self.holder = seat.holder;
        seat.call();
    }

    /// Wakes who rests without the baton and need not rest: perhaps nobody drives for now.
    pub(super) fn notify_foreign(&mut self, now: Nanos) {
        let changes = self.changes;
        let is_called = |rest: &mut Rest| rest.away && rest.is_ready(now, changes);
        self.resting.extract_if(.., is_called).for_each(|rest| rest.seat.call());
    }

    /// Where the test waits, if it does.
    pub(super) fn test(&self) -> Option<usize> {
        self.resting.iter().position(|rest| rest.seat.holder == TokenHolder::Test && !rest.away)
    }
}
