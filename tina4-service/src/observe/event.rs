//! Every change of a runner, as typed events.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::observe::signal::Signal;

/// One change of one service.
///
/// `T` is the type of its instant: [`SystemTime`], and `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<T = SystemTime> {
    /// The service's name; empty if the change concerns the runner.
    pub service: Cow<'static, str>,
    /// When it happened, by the runner's clock.
    pub at: T,
    /// What happened.
    pub change: Change,
}

#[cfg(feature = "testing")]
impl Event {
    /// The same, with its instant in another form.
    pub(crate) fn map_time<T>(self, map: impl FnOnce(SystemTime) -> T) -> Event<T> {
        let Self { service, at, change } = self;
        Event { service, at: map(at), change }
    }
}

/// What happened to a service.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// An activation began.
    Started,
    /// Its function is called.
    RunBegan {
        /// The number of the run.
        run: u64,
        /// How much later than due.
        lateness: Duration,
    },
    /// Its function returned, well or not.
    RunEnded {
        /// The number of the run.
        run: u64,
        /// How long it took.
        took: Duration,
    },
    /// Runs fell due while one was in progress, or while the machine slept, and were left out.
    Skipped {
        /// How many.
        count: u64,
    },
    /// A run returned an error or panicked.
    Crashed {
        /// Crashes in a row, this one included.
        in_a_row: u32,
        /// The error with its sources, or `panicked: ` and the panic with its place. Of a
        /// [`Permanent`](crate::Permanent) error it begins with `permanent error: `.
        ///
        /// It is at most 16 KiB long, with 32 sources, and says so where something is missing; a
        /// backtrace of at most 32 KiB may follow.
        cause: Arc<str>,
        /// The delay before the restart; `None`: it has failed.
        restart_in: Option<Duration>,
    },
    /// A continuous service with `restart = "always"` returned.
    Returned {
        /// The delay before the restart; `None`: it has failed.
        restart_in: Option<Duration>,
    },
    /// It runs again after a crash.
    Restarted,
    /// A run takes longer than its `timeout`.
    Stuck {
        /// For how long it has been running.
        running_for: Duration,
    },
    /// It was paused.
    Paused,
    /// It was resumed.
    Resumed,
    /// Its activation is ending.
    Stopping,
    /// A clean-up hook returned an error or panicked.
    HookFailed {
        /// The error or panic, as long as that of [`Change::Crashed`].
        cause: Arc<str>,
    },
    /// A run panicked after it was asked to stop.
    PanickedWhileStopping {
        /// The panic with its place, as long as that of [`Change::Crashed`].
        cause: Arc<str>,
    },
    /// It ended because it was told to.
    Stopped,
    /// It ended because its work was done.
    Finished,
    /// It ended because it crashed too often, or with a permanent error.
    Failed {
        /// The last crash: the cause of its [`Change::Crashed`].
        cause: Arc<str>,
    },
    /// It did not end within its `stop_timeout`.
    Abandoned {
        /// For how long it has been running.
        running_for: Duration,
    },
    /// What was left of an abandoned service has ended after all.
    LateEnd,
    /// It was not started again: its abandoned run is still alive.
    StillAlive,
    /// A thread could not be started; it is tried again later.
    ThreadFailed {
        /// The system's error.
        error: Arc<str>,
    },
    /// A signal asked the program to end; it concerns the runner.
    SignalReceived {
        /// Which one.
        signal: Signal,
    },
    /// This subscriber read too slowly; in the log: the log was written too slowly.
    Missed {
        /// How many events it did not get.
        count: u64,
    },
}
