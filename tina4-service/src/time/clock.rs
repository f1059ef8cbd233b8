//! The only access to the system clock. The scheduling logic takes the time as an argument.
//!
//! Instants are nanoseconds since the clock's origin, as `u64` (584 years): they fit in a heap
//! entry and in an atomic, and saturating arithmetic on them cannot panic.

use std::sync::{Arc, LazyLock, Weak};
use std::time::{Duration, Instant, SystemTime};

use crate::sys::stop_flag::StopReceiver;
#[cfg(feature = "tokio")]
use crate::time::async_sleep::AsyncSleep;
use crate::time::manual_clock::ManualClock;
use crate::time::stop_wait;
use crate::time::virtual_clock::{Driven, IsStopping, VirtualClock};
use crate::time::wall::{WallReading, wall_nanos};
use tina4_service_core::{Nanos, WallNanos, nanos};

/// The source of a runner's time.
///
/// [`Clock::system`] shows real time. [`Clock::manual`] stands still until [`Clock::advance`] is
/// called, so a test controls the time.
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
    Virtual(Arc<dyn VirtualClock>),
}

static ORIGIN: LazyLock<Instant> = LazyLock::new(instant_now);

#[expect(clippy::disallowed_methods, reason = "this file is the clock")]
fn instant_now() -> Instant {
    Instant::now()
}

#[expect(clippy::disallowed_methods, reason = "this file is the clock")]
fn system_wall() -> SystemTime {
    SystemTime::now()
}

/// Sets the origin to this instant; called as early in the process as possible.
#[cfg(feature = "exit-hook")]
pub(crate) fn init_origin() {
    LazyLock::force(&ORIGIN);
}

impl Clock {
    /// The system clock: monotonic for intervals, wall time for dates.
    #[must_use]
    pub fn system() -> Self {
        Self(Kind::System)
    }

    /// A clock that shows `start` and stands still until it is advanced.
    #[must_use]
    pub fn manual(start: SystemTime) -> Self {
        Self::from_virtual(Arc::new(ManualClock::new(start)))
    }

    pub(crate) fn from_virtual(clock: Arc<dyn VirtualClock>) -> Self {
        Self(Kind::Virtual(clock))
    }

    /// The virtual clock; `None`: this is the system clock.
    pub(crate) fn as_virtual(&self) -> Option<&Arc<dyn VirtualClock>> {
        match &self.0 {
            Kind::System => None,
            Kind::Virtual(clock) => Some(clock),
        }
    }

    /// Whether this is a virtual clock.
    pub(crate) fn is_virtual(&self) -> bool {
        self.as_virtual().is_some()
    }

    /// Whether this clock executes due work itself: see [`VirtualClock::drives_runner`]. The system
    /// clock does not.
    pub(crate) fn drives_runner(&self) -> bool {
        self.as_virtual().is_some_and(|clock| clock.drives_runner())
    }

    /// Advances a manual clock, and wakes the threads that wait for it.
    ///
    /// Has no effect on the system clock.
    pub fn advance(&self, by: Duration) {
        if let Kind::Virtual(clock) = &self.0 {
            Arc::clone(clock).advance(by);
        }
    }

    /// Sets the wall time of a manual clock, but not its monotonic time.
    ///
    /// This is as if the system clock had been set, or the machine had been suspended; as in those
    /// cases, no waiting thread wakes up. Has no effect on the system clock.
    pub fn set_wall(&self, wall: SystemTime) {
        if let Kind::Virtual(clock) = &self.0 {
            clock.set_wall(wall);
        }
    }

    /// The current wall time.
    #[must_use]
    pub fn wall(&self) -> SystemTime {
        match &self.0 {
            Kind::System => system_wall(),
            Kind::Virtual(clock) => {
                let (now, reading) = clock.reading();
                reading.wall_rounded_down(now)
            }
        }
    }

    /// The wall time in nanoseconds since 1970, even if `SystemTime` has a coarser resolution.
    pub(crate) fn wall_nanos(&self) -> WallNanos {
        match &self.0 {
            Kind::System => wall_nanos(system_wall()),
            Kind::Virtual(clock) => {
                let (now, reading) = clock.reading();
                reading.wall_nanos(now)
            }
        }
    }

    // perf: inlined into the worker, which calls it several times per run, it costs 12 instructions more.
    #[inline(never)]
    pub(crate) fn now(&self) -> Nanos {
        match &self.0 {
            Kind::System => nanos(instant_now().saturating_duration_since(*ORIGIN)),
            Kind::Virtual(clock) => clock.now(),
        }
    }

    /// The wall time at `instant`, which may be in the past or in the future.
    pub(crate) fn wall_at(&self, instant: Nanos) -> SystemTime {
        self.wall_reading().wall_rounded_up(instant)
    }

    /// The wall time now, to convert several instants as one.
    pub(crate) fn wall_reading(&self) -> WallReading {
        match &self.0 {
            Kind::System => WallReading { instant: self.now(), wall: system_wall() },
            Kind::Virtual(clock) => clock.reading().1,
        }
    }

    /// The real time from `now` until this clock shows `until`, as a timeout; `None`: wait without a
    /// timeout, until woken.
    pub(crate) fn real_wait(&self, now: Nanos, until: Nanos) -> Option<Duration> {
        match &self.0 {
            Kind::System => Some(Duration::from_nanos(until.saturating_sub(now))),
            Kind::Virtual(_) => None,
        }
    }

    /// Blocks the body of a service until this clock shows `until`; `false`: it was asked to stop.
    pub(crate) fn sleep_until(
        &self,
        until: Nanos,
        is_stopping: impl FnOnce() -> IsStopping,
        stop: &StopReceiver,
    ) -> bool {
        if let Kind::Virtual(clock) = &self.0 {
            return Arc::clone(clock).sleep(until, is_stopping(), stop);
        }
        loop {
            let now = self.now();
            if now >= until {
                return !stop_wait::is_disconnected(stop);
            }
            if !stop_wait::wait(stop, Duration::from_nanos(until - now)) {
                return false;
            }
        }
    }

    /// Waits until this clock shows `until`, in an async function. The system clock uses the timer of the
    /// runtime.
    #[cfg(feature = "tokio")]
    pub(crate) async fn sleep_async(&self, until: Nanos) {
        match &self.0 {
            Kind::System => {
                let left = Duration::from_nanos(until.saturating_sub(self.now()));
                if !left.is_zero() {
                    tokio::time::sleep(left).await;
                }
            }
            Kind::Virtual(clock) => AsyncSleep::new(Arc::clone(clock), until).await,
        }
    }

    /// Connects a runner that uses this clock.
    pub(crate) fn attach(&self, runner: Weak<dyn Driven>) {
        if let Kind::Virtual(clock) = &self.0 {
            clock.attach(runner);
        }
    }

    /// A seed for random numbers: different in every call for the system clock, always the same for a
    /// virtual clock.
    pub(crate) fn seed(&self) -> u64 {
        match &self.0 {
            Kind::System => {
                use std::hash::{BuildHasher, Hasher};
                std::hash::RandomState::new().build_hasher().finish()
            }
            // Any constant will do: a test must be repeatable.
            Kind::Virtual(_) => 4,
        }
    }
}
