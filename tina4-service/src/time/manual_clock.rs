//! A clock that stands still until it is advanced manually.

use std::fmt;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::sys::stop_flag::{Never, StopReceiver};
use crate::sys::sync::std_lock;
#[cfg(feature = "tokio")]
use crate::time::async_sleeper::AsyncSleeper;
use crate::time::stop_wait::{is_disconnected, wait_for_either};
use crate::time::virtual_clock::{Driven, IsStopping, VirtualClock};
use crate::time::wall::WallReading;
use tina4_service_core::{Nanos, nanos};

/// The clock behind [`Clock::manual`](crate::Clock::manual).
pub(super) struct ManualClock(Mutex<ClockState>);

struct ClockState {
    now: Nanos,
    wall: WallReading,
    /// Replaced by every `advance`, which disconnects the receiver that sleeping threads wait on.
    advanced: (Sender<Never>, Receiver<Never>),
    runners: Vec<Weak<dyn Driven>>,
    /// The tasks that sleep.
    #[cfg(feature = "tokio")]
    sleepers: Vec<Weak<AsyncSleeper>>,
}

impl ManualClock {
    /// A clock whose wall time is `start`.
    pub(super) fn new(start: SystemTime) -> Self {
        Self(Mutex::new(ClockState {
            now: 0,
            wall: WallReading { instant: 0, wall: start },
            advanced: bounded(0),
            runners: Vec::new(),
            #[cfg(feature = "tokio")]
            sleepers: Vec::new(),
        }))
    }
}

impl VirtualClock for ManualClock {
    fn now(&self) -> Nanos {
        std_lock(&self.0).now
    }

    fn reading(&self) -> (Nanos, WallReading) {
        let state = std_lock(&self.0);
        (state.now, state.wall)
    }

    fn advance(self: Arc<Self>, by: Duration) {
        let (runners, _sleepers) = {
            let mut state = std_lock(&self.0);
            state.now = state.now.saturating_add(nanos(by));
            state.runners.retain(|runner| runner.strong_count() > 0);
            let sleepers = std::mem::replace(&mut state.advanced, bounded(0));
            (state.runners.clone(), sleepers)
        };
        #[cfg(feature = "tokio")]
        {
            let mut state = std_lock(&self.0);
            let now = state.now;
            let live: Vec<_> = state.sleepers.iter().filter_map(Weak::upgrade).collect();
            let (due, waiting): (Vec<_>, Vec<_>) =
                live.into_iter().partition(|sleeper| sleeper.until <= now);
            state.sleepers = waiting.iter().map(Arc::downgrade).collect();
            drop(state);
            due.iter().for_each(|sleeper| sleeper.wake());
        }
        for runner in runners.iter().filter_map(Weak::upgrade) {
            runner.clock_advanced();
        }
    }

    fn set_wall(&self, wall: SystemTime) {
        let mut state = std_lock(&self.0);
        state.wall = WallReading { instant: state.now, wall };
    }

    fn attach(&self, runner: Weak<dyn Driven>) {
        std_lock(&self.0).runners.push(runner);
    }

    #[cfg(feature = "tokio")]
    fn add_sleeper(&self, sleeper: Weak<AsyncSleeper>) {
        let mut state = std_lock(&self.0);
        state.sleepers.retain(|known| known.strong_count() > 0);
        state.sleepers.push(sleeper);
    }

    fn sleep(self: Arc<Self>, until: Nanos, _: IsStopping, stop: &StopReceiver) -> bool {
        loop {
            let (now, advanced) = {
                let state = std_lock(&self.0);
                (state.now, state.advanced.1.clone())
            };
            if now >= until {
                return !is_disconnected(stop);
            }
            if !wait_for_either(stop, &advanced) {
                return false;
            }
        }
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (now, wall) = self.reading();
        f.debug_struct("ManualClock")
            .field("now", &now)
            .field("wall", &wall.wall_rounded_down(now))
            .finish()
    }
}
