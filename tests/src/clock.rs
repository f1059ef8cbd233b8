//! Time in tests: runners under a manual clock or in virtual time, and the one place that reads the
//! real clock.

use std::time::{Duration, Instant, SystemTime};

use tina4_service::testing::{Builder, TestRunner, TestTime};
use tina4_service::{Change, Clock, Runner, Service, State};

use crate::info;

/// An empty runner, and its manual clock, which starts at the Unix epoch.
#[must_use]
pub fn manual_clock() -> (Runner, Clock) {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    // `only` nothing: no declared service.
    let runner = Runner::builder().only::<&str>([]).clock(clock.clone()).build();
    (runner, clock)
}

/// Advances a manual clock to the next due time of `service`.
///
/// # Panics
///
/// If no run is planned.
#[track_caller]
pub fn advance_to_next_run(runner: &Runner, clock: &Clock, service: &str) {
    let due = info(runner, service).next_due.expect("a run is planned");
    clock.advance(due.duration_since(clock.wall()).unwrap_or_default());
}

/// A builder for a runner in virtual time without the declared services.
pub fn virtual_time_builder() -> Builder {
    TestRunner::builder().only::<&str>([])
}

/// A runner in virtual time with these services and none of the declared ones.
///
/// # Panics
///
/// If they have faults.
#[track_caller]
#[must_use]
pub fn in_virtual_time(services: impl IntoIterator<Item = Service>) -> TestRunner {
    let built = services
        .into_iter()
        .fold(virtual_time_builder(), |builder, service| builder.service(service))
        .build();
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// The times at which the runs of `service` began, in seconds since `origin`.
///
/// # Panics
///
/// If a run began before `origin`.
#[track_caller]
#[must_use]
pub fn starts(t: &TestRunner, service: &str, origin: TestTime) -> Vec<f64> {
    let begins = |change: &Change| matches!(change, Change::RunBegan { .. });
    let events = t.events().into_iter();
    let events = events.filter(|event| event.service == service && begins(&event.change));
    events.map(|event| event.at.duration_since(origin).unwrap().as_secs_f64()).collect()
}

/// Begins a run of `service` that takes `length` of virtual time, even if it is asked to stop.
///
/// # Panics
///
/// If it does not begin.
#[track_caller]
pub fn begin_slow_run(t: &mut TestRunner, service: &str, length: &str) {
    t.slow_next(service, length);
    t.run_now(service).unwrap();
    t.advance("0s");
    assert_eq!(t.state(service), State::Running);
}

/// Parses a UTC time such as `2026-03-29 01:00:00`.
///
/// # Panics
///
/// If `text` is not such a time.
#[track_caller]
#[must_use]
pub fn utc(text: &str) -> SystemTime {
    humantime::parse_rfc3339_weak(text).expect("a time in UTC")
}

/// The instant this many seconds after the Unix epoch.
#[must_use]
pub fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + secs(seconds)
}

/// A number of seconds.
#[must_use]
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A number of milliseconds.
#[must_use]
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// The seconds from the Unix epoch, where a manual clock starts, to `at`.
///
/// # Panics
///
/// If `at` is before the Unix epoch.
#[must_use]
pub fn seconds_since_epoch(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).expect("after the Unix epoch").as_secs_f64()
}

/// Measures real time.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "real time is what this measures")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
