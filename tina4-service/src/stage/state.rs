//! Who holds the baton, and who waits for what.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::ThreadId;
use std::time::Duration;

use super::PATIENCE;
use crate::clock::Nanos;
use crate::sync::Condvar;

/// How long, in real time, test time waits for a body that has just gone outside: most only look
/// whether they are asked to stop.
const GLANCE: Duration = Duration::from_millis(100);
/// So often again where a body is seen to be computing still: the machine may be slow.
const MOST_GLANCES: u32 = 20;

/// Who acts and who waits; under the stage's lock.
pub(super) struct State {
    pub(super) holder: Holder,
    pub(super) resting: Vec<Rest>,
    /// Threads that can drive.
    pub(super) idle: Vec<Arc<Seat>>,
    /// Those outside whose run has ended.
    pub(super) returning: Vec<Arc<Seat>>,
    /// Those who go on without the baton, and how long time waits for them.
    pub(super) outside: Vec<Outside>,
    pub(super) patience: Patience,
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
pub(super) enum Holder {
    Test,
    Thread(ThreadId),
    /// A thread that is being started.
    Newcomer,
    /// A thread that has nothing to do with the stage; it never has the baton.
    Stranger,
}

/// A body that goes on without the baton.
pub(super) struct Outside {
    thread: ThreadId,
    /// Where the operating system says what it is doing, if it does.
    stat: Option<PathBuf>,
}

/// How long time waits for those outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// They were waited for in vain.
    Ended,
    /// Somebody has just gone outside; so many glances were waited for.
    Glances(u32),
    /// Somebody was asked to stop.
    Stop,
}

/// Where a thread waits for the baton.
pub(super) struct Seat {
    pub(super) holder: Holder,
    pub(super) bell: Condvar,
    /// Written and read under the stage's lock.
    pub(super) called: AtomicBool,
}

/// Somebody who rests.
pub(super) struct Rest {
    pub(super) until: Option<Nanos>,
    pub(super) wake: Wake,
    pub(super) seat: Arc<Seat>,
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
    Curtain,
    /// The same, at the instant of the next run.
    NextRun,
}

impl Patience {
    /// How long to wait now, in real time.
    pub(super) fn limit(self) -> Option<Duration> {
        match self {
            Self::Ended => None,
            Self::Glances(_) => Some(GLANCE),
            Self::Stop => Some(PATIENCE),
        }
    }
}

impl Outside {
    /// The thread that asks.
    pub(super) fn here() -> Self {
        // Linux: `<process>/task/<thread>`.
        let own = std::fs::read_link("/proc/thread-self").ok();
        let stat = own.map(|own| Path::new("/proc").join(own).join("stat"));
        Self { thread: std::thread::current().id(), stat }
    }

    /// Whether it computes, or would if it had a processor; `false`: it waits, or that is not known.
    fn is_computing(&self) -> bool {
        let stat = self.stat.as_ref().and_then(|stat| std::fs::read_to_string(stat).ok());
        // The state follows the name, which is in parentheses and may contain some.
        stat.as_ref()
            .and_then(|stat| stat.rsplit_once(") "))
            .is_some_and(|(_, state)| state.starts_with('R'))
    }
}

impl Seat {
    pub(super) fn new(holder: Holder) -> Arc<Self> {
        Arc::new(Self { holder, bell: Condvar::new(), called: AtomicBool::new(false) })
    }

    pub(super) fn call(&self) {
        self.called.store(true, Ordering::Relaxed);
        self.bell.notify_one();
    }

    pub(super) fn take_call(&self) -> bool {
        self.called.swap(false, Ordering::Relaxed)
    }
}

impl Rest {
    pub(super) fn is_ready(&self, now: Nanos, changes: u64) -> bool {
        let in_time = || self.until.is_some_and(|until| until <= now);
        match &self.wake {
            Wake::Stop(is_stopping) => in_time() || is_stopping(),
            Wake::News(seen) => in_time() || *seen != changes,
            Wake::Never => in_time(),
            Wake::Curtain | Wake::NextRun => false,
        }
    }
}

impl State {
    pub(super) fn give(&mut self, seat: &Seat) {
        self.holder = seat.holder;
        seat.call();
    }

    /// Whether this thread was outside; it no longer is.
    pub(super) fn leave_outside(&mut self, thread: ThreadId) -> bool {
        let before = self.outside.len();
        self.outside.retain(|outside| outside.thread != thread);
        self.outside.len() < before
    }

    /// Somebody goes outside; who was asked to stop is still waited for.
    pub(super) fn step_outside(&mut self) {
        self.outside.push(Outside::here());
        self.patience = match self.patience {
            Patience::Stop => Patience::Stop,
            Patience::Ended | Patience::Glances(_) => Patience::Glances(0),
        };
    }

    /// Those outside were waited for, and did not come back.
    pub(super) fn lose_patience(&mut self) {
        self.patience = match self.patience {
            Patience::Glances(count)
                if count < MOST_GLANCES && self.outside.iter().any(Outside::is_computing) =>
            {
                Patience::Glances(count + 1)
            }
            Patience::Glances(_) | Patience::Stop | Patience::Ended => Patience::Ended,
        };
    }

    /// Where the test waits, if it does.
    pub(super) fn test(&self) -> Option<usize> {
        self.resting.iter().position(|rest| rest.seat.holder == Holder::Test && !rest.away)
    }
}
