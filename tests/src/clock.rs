//! Time in tests: a runner whose clock the test moves, and the one place that reads the real clock.

use std::time::{Duration, Instant, SystemTime};

use tina4_service::testing::TestRunner;
use tina4_service::{Clock, Runner, Service};

/// An empty runner, and the clock that it lives by.
#[must_use]
pub fn manual() -> (Runner, Clock) {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    // `only` nothing: no declared service.
    let runner = Runner::builder().only::<&str>([]).clock(clock.clone()).build();
    (runner, clock)
}

/// Services under test time, and none of the declared ones.
///
/// # Panics
///
/// If they have faults.
#[track_caller]
#[must_use]
pub fn staged(services: impl IntoIterator<Item = Service>) -> TestRunner {
    let none = TestRunner::builder().only::<&str>([]);
    let built =
        services.into_iter().fold(none, |builder, service| builder.service(service)).build();
    built.unwrap_or_else(|error| panic!("{error}"))
}

/// So many seconds.
#[must_use]
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// So many milliseconds.
#[must_use]
pub const fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// Seconds since the start of a manual clock.
///
/// # Panics
///
/// If the instant lies before that.
#[must_use]
pub fn offset(at: SystemTime) -> f64 {
    at.duration_since(SystemTime::UNIX_EPOCH).expect("after the start of the clock").as_secs_f64()
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

    /// How long ago that was.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}
