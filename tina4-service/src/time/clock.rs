//! The only clock. Everything else takes time as an argument.
//!
//! Instants are nanoseconds since the clock's origin, as `u64` (584 years): they fit a heap entry
//! and an atomic, and arithmetic on them cannot panic.

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant, SystemTime};

use crossbeam_channel::{Receiver, Sender};

use crate::sys::stop_signal::Never;
#[cfg(feature = "testing")]
use crate::testing::virtual_time::VirtualTime;

mod wall;

use tina4_service_core::{Nanos, WallNanos, nanos};
use wall::wall_nanos;
pub(crate) use wall::{WallMark, wall_after, wall_seconds, wall_time};

/// Where a runner's time comes from.
///
/// [`Clock::system`] is real time. [`Clock::manual`] stands still until [`Clock::advance`], so a
/// test decides what time it is.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use tina4_service::Clock;
///
/// let clock = Clock::manual(SystemTime::UNIX_EPOCH);
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.wall(), SystemTime::UNIX_EPOCH + Duration::from_secs(60));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Clock(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    System,
    Manual(Arc<Mutex<Manual>>),
    /// Goes on when everybody rests.
    #[cfg(feature = "testing")]
    Staged(Arc<VirtualTime>),
}

#[derive(Debug)]
struct Manual {
    now: Nanos,
    wall: WallMark,
    /// Those who wait on the receiver wake when the sender is dropped: at the next `advance`.
    moved: (Sender<Never>, Receiver<Never>),
    watchers: Vec<Weak<dyn Watcher>>,
}

/// Somebody who must look at a manual clock again after it was moved.
pub(crate) trait Watcher: Send + Sync + std::fmt::Debug {
    /// The clock was moved.
    fn clock_moved(&self);
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(instant_now);

#[expect(clippy::disallowed_methods, reason = "this file is the clock")]
fn instant_now() -> Instant {
    Instant::now()
}

/// Takes this instant as the origin; called as early as the process can.
#[cfg(feature = "exit-hook")]
pub(crate) fn note_process_start() {
    LazyLock::force(&ORIGIN);
}

fn lock(manual: &Mutex<Manual>) -> MutexGuard<'_, Manual> {
    manual.lock().unwrap_or_else(PoisonError::into_inner)
}

fn is_disconnected(stop: &Receiver<Never>) -> bool {
    matches!(stop.try_recv(), Err(crossbeam_channel::TryRecvError::Disconnected))
}

/// Waits for whichever comes first; `false`: stop.
#[cfg(not(shuttle))]
fn wait_for_one(
    stop: &Receiver<Never>,
    moved: &Receiver<Never>,
    timeout: &Receiver<Instant>,
) -> bool {
    crossbeam_channel::select! {
        recv(stop) -> _ => false,
        recv(moved) -> _ => true,
        recv(timeout) -> _ => true,
    }
}

/// The model checker does not know these channels: it lets the others go on, and looks again. A
/// stop that never comes is a schedule without an end, which it reports.
#[cfg(shuttle)]
fn wait_for_one(stop: &Receiver<Never>, _: &Receiver<Never>, _: &Receiver<Instant>) -> bool {
    crate::sys::sync::yield_now();
    !is_disconnected(stop)
}

impl Clock {
    /// The clock of the machine: monotonic for intervals, wall time for dates.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that shows `start` and stands still until it is advanced.
    #[must_use]
    pub fn manual(start: SystemTime) -> Self {
        let manual = Manual {
            now: 0,
            wall: WallMark { at: 0, shows: start },
            moved: crossbeam_channel::bounded(0),
            watchers: Vec::new(),
        };
        Self(Kind::Manual(Arc::new(Mutex::new(manual))))
    }

    /// A clock that goes on when everybody rests.
    #[cfg(feature = "testing")]
    pub(crate) fn with_virtual_time(virtual_time: Arc<VirtualTime>) -> Self {
        Self(Kind::Staged(virtual_time))
    }

    /// Who moves this clock, if it is one that goes on when everybody rests.
    #[cfg(feature = "testing")]
    pub(crate) fn virtual_time(&self) -> Option<&Arc<VirtualTime>> {
        match &self.0 {
            Kind::Staged(virtual_time) => Some(virtual_time),
            Kind::System | Kind::Manual(_) => None,
        }
    }

    /// Whether it goes on when everybody rests.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn is_virtual(&self) -> bool {
        match &self.0 {
            Kind::System | Kind::Manual(_) => false,
            #[cfg(feature = "testing")]
            Kind::Staged(_) => true,
        }
    }

    /// Moves a manual clock forward and wakes what waits for it; the system clock moves by itself,
    /// and ignores this.
    pub fn advance(&self, by: Duration) {
        let Kind::Manual(manual) = &self.0 else {
            return;
        };
        let (watchers, _wakes) = {
            let mut manual = lock(manual);
            manual.now = manual.now.saturating_add(nanos(by));
            manual.watchers.retain(|watcher| watcher.strong_count() > 0);
            let old = std::mem::replace(&mut manual.moved, crossbeam_channel::bounded(0));
            (manual.watchers.clone(), old)
        };
        for watcher in watchers.iter().filter_map(Weak::upgrade) {
            watcher.clock_moved();
        }
    }

    /// Sets the wall time of a manual clock, and nothing else: what happens when the machine's
    /// clock is set, or when the machine was suspended. As there, nothing wakes up for it.
    pub fn set_wall(&self, wall: SystemTime) {
        if let Kind::Manual(manual) = &self.0 {
            let mut manual = lock(manual);
            manual.wall = WallMark { at: manual.now, shows: wall };
        }
    }

    /// Wall time.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this file is the clock")]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Kind::System => SystemTime::now(),
            Kind::Manual(manual) => {
                let manual = lock(manual);
                manual.wall.wall(manual.now)
            }
            #[cfg(feature = "testing")]
            Kind::Staged(virtual_time) => virtual_time.wall(),
        }
    }

    /// Wall time in nanoseconds since 1970, also where `SystemTime` is coarser.
    pub(crate) fn wall_nanos(&self) -> WallNanos {
        match &self.0 {
            Kind::System => wall_nanos(self.wall()),
            Kind::Manual(manual) => {
                let manual = lock(manual);
                manual.wall.wall_nanos(manual.now)
            }
            #[cfg(feature = "testing")]
            Kind::Staged(virtual_time) => virtual_time.wall_mark().wall_nanos(virtual_time.now()),
        }
    }

    pub(crate) fn now(&self) -> Nanos {
        match &self.0 {
            Kind::System => nanos(instant_now().saturating_duration_since(*ORIGIN)),
            Kind::Manual(manual) => lock(manual).now,
            #[cfg(feature = "testing")]
            Kind::Staged(virtual_time) => virtual_time.now(),
        }
    }

    /// The wall time at which this clock shows, or showed, `instant`.
    pub(crate) fn wall_at(&self, instant: Nanos) -> SystemTime {
        let mark = match &self.0 {
            Kind::System => WallMark { at: self.now(), shows: self.wall() },
            Kind::Manual(manual) => lock(manual).wall,
            #[cfg(feature = "testing")]
            Kind::Staged(virtual_time) => virtual_time.wall_mark(),
        };
        mark.wall_at(instant)
    }

    /// Whether it is not real time.
    pub(crate) fn is_manual(&self) -> bool {
        !matches!(self.0, Kind::System)
    }

    /// How long a thread must really wait until this clock may show another time than now;
    /// `None`: until somebody wakes it.
    pub(crate) fn real_wait(&self, now: Nanos, until: Nanos) -> Option<Duration> {
        match &self.0 {
            Kind::System => Some(Duration::from_nanos(until.saturating_sub(now))),
            Kind::Manual(_) => None,
            #[cfg(feature = "testing")]
            Kind::Staged(_) => None,
        }
    }

    /// Waits until this clock shows `until`; `false` if `stop` was disconnected first.
    pub(crate) fn sleep_until(&self, until: Nanos, stop: &Receiver<Never>) -> bool {
        loop {
            // Taken before the time is read: a move in between has already disconnected it.
            let moved = match &self.0 {
                Kind::System => crossbeam_channel::never(),
                Kind::Manual(manual) => lock(manual).moved.1.clone(),
                // Nobody waits here: see `Context::sleep`.
                #[cfg(feature = "testing")]
                Kind::Staged(_) => crossbeam_channel::never(),
            };
            let now = self.now();
            if now >= until {
                return !is_disconnected(stop);
            }
            let timeout = match self.real_wait(now, until) {
                // A timeout beyond the reach of `Instant` is waited for in parts.
                Some(wait) => crossbeam_channel::after(wait.min(Duration::from_secs(86_400))),
                None => crossbeam_channel::never(),
            };
            if !wait_for_one(stop, &moved, &timeout) {
                return false;
            }
        }
    }

    /// Has `watcher` called whenever this clock is moved by hand.
    pub(crate) fn watch(&self, watcher: Weak<dyn Watcher>) {
        if let Kind::Manual(manual) = &self.0 {
            lock(manual).watchers.push(watcher);
        }
    }

    /// A seed for dice: different in every process, the same every time under a manual clock.
    pub(crate) fn seed(&self) -> u64 {
        match &self.0 {
            Kind::System => {
                use std::hash::{BuildHasher, Hasher};
                std::hash::RandomState::new().build_hasher().finish()
            }
            Kind::Manual(_) => 4,
            #[cfg(feature = "testing")]
            Kind::Staged(_) => 4,
        }
    }
}
