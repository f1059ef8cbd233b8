//! Every change of a runner, as typed events for subscribers and as lines for the log.
//!
//! Events are bounded and never block a service: who reads too slowly misses some, and is told how
//! many by [`Change::Missed`].

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Receiver, Sender, TrySendError};

use crate::observe::signal::Signal;
use crate::service::instance::Instance;

/// How many events wait for one subscriber before the newest are dropped.
pub(crate) const CAPACITY: usize = 1024;

/// What to do about a service that does not stop in time.
pub(crate) const ADVICE: &str = "check `ctx.is_stopping()` in its loop, sleep with `ctx.sleep(..)`, \
    which stop wakes, or give it a longer `stop_timeout`";

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

/// Those who asked for events.
#[derive(Debug, Default)]
pub(crate) struct Subscribers {
    all: Vec<Subscriber>,
    #[cfg(feature = "testing")]
    record: Option<Record>,
}

/// Every event of a test, up to so many of the last ones.
#[cfg(feature = "testing")]
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<std::sync::Mutex<Recorded>>);

/// What a [`Record`] holds.
#[cfg(feature = "testing")]
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) events: std::collections::VecDeque<Event>,
    /// How many earlier ones are not kept.
    pub(crate) discarded: u64,
}

#[cfg(feature = "testing")]
impl Recorded {
    /// How many events there ever were.
    pub(crate) fn total(&self) -> u64 {
        self.discarded + self.events.len() as u64
    }

    /// Those after so many.
    pub(crate) fn since(&self, total: u64) -> impl Iterator<Item = &Event> {
        let first = total.saturating_sub(self.discarded);
        self.events.iter().skip(usize::try_from(first).unwrap_or(usize::MAX))
    }
}

#[cfg(feature = "testing")]
impl Record {
    /// How many events are kept.
    const KEPT: usize = 100_000;

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Recorded) -> T) -> T {
        look(&self.lock())
    }

    fn add(&self, event: &Event) {
        let mut recorded = self.lock();
        if recorded.events.len() >= Self::KEPT {
            recorded.events.pop_front();
            recorded.discarded += 1;
        }
        recorded.events.push_back(event.clone());
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Recorded> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[derive(Debug)]
struct Subscriber {
    sender: Sender<Event>,
    missed: u64,
}

impl Subscribers {
    pub(crate) fn add(&mut self) -> Receiver<Event> {
        let (sender, receiver) = crossbeam_channel::bounded(CAPACITY);
        self.all.push(Subscriber { sender, missed: 0 });
        receiver
    }

    #[cfg(feature = "testing")]
    pub(crate) fn record(&mut self, record: Record) {
        self.record = Some(record);
    }

    pub(crate) fn is_empty(&self) -> bool {
        #[cfg(feature = "testing")]
        if self.record.is_some() {
            return false;
        }
        self.all.is_empty()
    }

    /// Gives `event` to each, never waiting; those who are gone are forgotten.
    pub(crate) fn send(&mut self, event: &Event) {
        #[cfg(feature = "testing")]
        if let Some(record) = &self.record {
            record.add(event);
        }
        self.all.retain_mut(|subscriber| subscriber.send(event));
    }
}

impl Subscriber {
    fn send(&mut self, event: &Event) -> bool {
        if self.missed > 0 {
            let missed = Event {
                service: Cow::Borrowed(""),
                at: event.at,
                change: Change::Missed { count: self.missed },
            };
            match self.sender.try_send(missed) {
                Ok(()) => self.missed = 0,
                Err(TrySendError::Full(_)) => {
                    self.missed += 1;
                    return true;
                }
                Err(TrySendError::Disconnected(_)) => return false,
            }
        }
        match self.sender.try_send(event.clone()) {
            Ok(()) => true,
            Err(TrySendError::Full(_)) => {
                self.missed += 1;
                true
            }
            Err(TrySendError::Disconnected(_)) => false,
        }
    }
}

/// A line for the log: written after the runner's lock is released, for a log is user code.
#[derive(Debug)]
pub(crate) struct LogLine {
    /// `None`: it concerns the runner.
    pub(crate) instance: Option<Arc<Instance>>,
    pub(crate) change: Change,
}

impl LogLine {
    /// A line that says that `count` others were lost.
    pub(crate) fn missed(count: u64) -> Self {
        Self { instance: None, change: Change::Missed { count } }
    }

    /// Whether this kind of change is worth a line. Runs have their span instead.
    pub(crate) fn is_for(change: &Change) -> bool {
        !matches!(change, Change::RunBegan { .. } | Change::RunEnded { .. } | Change::Restarted)
    }

    /// It has been written, or never will be: a first run that waits for it may begin.
    pub(crate) fn done(&self) {
        if let (Some(instance), Change::Started) = (&self.instance, &self.change) {
            instance.announce();
        }
    }

    /// Writes the line at its level: info, warn or error. It belongs to no span: the thread that
    /// writes may be in the middle of another service.
    pub(crate) fn write(&self) {
        let service = self.instance.as_ref().map_or("", |instance| instance.definition.name_str());
        match &self.change {
            Change::Started => tracing::info!(parent: None, service, "service started"),
            Change::Stopped => tracing::info!(parent: None, service, "service stopped"),
            Change::Finished => tracing::info!(parent: None, service, "service finished"),
            Change::Paused => tracing::info!(parent: None, service, "service paused"),
            Change::Resumed => tracing::info!(parent: None, service, "service resumed"),
            Change::Stopping => tracing::debug!(parent: None, service, "service stopping"),
            Change::Skipped { count } => {
                tracing::warn!(parent: None, service,
                    count,
                    "runs skipped: they fell due and could not begin in time"
                );
            }
            Change::Crashed { in_a_row, cause, restart_in: Some(delay) } => {
                let delay = tracing::field::debug(delay);
                tracing::warn!(parent: None, service, attempt = in_a_row, error = %cause, delay, "service crashed; it will be restarted");
            }
            Change::Crashed { in_a_row, cause, restart_in: None } => {
                tracing::warn!(parent: None, service, attempt = in_a_row, error = %cause, "service crashed; it will not be restarted");
            }
            Change::Returned { restart_in: Some(delay) } => {
                let delay = tracing::field::debug(delay);
                tracing::warn!(parent: None, service, delay, "service returned; it will be restarted");
            }
            Change::Returned { restart_in: None } => {
                tracing::warn!(parent: None, service, "service returned; it will not be restarted");
            }
            Change::Stuck { running_for } => {
                let running_for = tracing::field::debug(running_for);
                tracing::warn!(parent: None, service,
                    running_for,
                    "service is stuck: its run takes longer than its timeout"
                );
            }
            Change::HookFailed { cause } => {
                tracing::warn!(parent: None, service, error = %cause, "a clean-up hook failed");
            }
            Change::PanickedWhileStopping { cause } => {
                tracing::warn!(parent: None, service, error = %cause, "service panicked after it was asked to stop");
            }
            Change::Failed { cause } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                tracing::error!(parent: None, service, error = %cause, place, "service failed");
            }
            Change::Abandoned { running_for } => {
                let place = self.instance.as_ref().map(|instance| instance.definition.place());
                let place = place.as_ref().map(tracing::field::display);
                let running_for = tracing::field::debug(running_for);
                tracing::error!(parent: None, service,
                    running_for,
                    place,
                    "service abandoned: it did not stop in time; {ADVICE}"
                );
            }
            Change::StillAlive => {
                tracing::warn!(parent: None, service, "service not started: its abandoned run is still alive");
            }
            Change::LateEnd => {
                tracing::info!(parent: None, service, "abandoned service ended after all")
            }
            Change::ThreadFailed { error } => {
                tracing::error!(parent: None, error = %error, "a worker thread could not be started");
            }
            Change::SignalReceived { signal } => {
                tracing::info!(parent: None, %signal, "stop signal received");
            }
            Change::Missed { count } => {
                tracing::warn!(parent: None, count, "log lines are missing: the log was too slow");
            }
            // Never logged: see `is_for`.
            Change::RunBegan { .. } | Change::RunEnded { .. } | Change::Restarted => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(count: u64) -> Event {
        Event { service: "x".into(), at: SystemTime::UNIX_EPOCH, change: Change::Skipped { count } }
    }

    #[test]
    fn a_slow_reader_is_told_what_it_missed_and_never_blocks() {
        let mut subscribers = Subscribers::default();
        let receiver = subscribers.add();
        for count in 0..CAPACITY as u64 + 5 {
            subscribers.send(&event(count));
        }
        assert_eq!(receiver.try_iter().count(), CAPACITY);
        subscribers.send(&event(99));
        let changes: Vec<_> = receiver.try_iter().map(|event| event.change).collect();
        assert_eq!(changes, [Change::Missed { count: 5 }, Change::Skipped { count: 99 }]);
    }

    #[test]
    fn a_reader_that_is_gone_is_forgotten() {
        let mut subscribers = Subscribers::default();
        drop(subscribers.add());
        subscribers.send(&event(1));
        assert!(subscribers.is_empty());
    }
}
