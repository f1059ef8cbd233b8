//! The settings of a test.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::test_error::TestError;
use super::test_runner::TestRunner;
use super::test_time::keep;
use super::virtual_time::VirtualTime;
use crate::observe::event_log::Record;
use crate::plan::start_error::StartError;
use crate::runner::builder;
use crate::runner::runner::Runner;
use crate::service::builder::Service;
use crate::sys::place::Place;
use crate::time::clock::Clock;
use crate::time::virtual_clock::VirtualClock;
use crate::time::zone::Zone;

/// When virtual time begins, unless the test says otherwise.
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// Gives a value to a runner.
type Provide = Box<dyn FnOnce(&Runner)>;

/// Settings of a [`TestRunner`].
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    runner: builder::Builder,
    at: String,
    services: Vec<Service>,
    provide: Vec<Provide>,
}

impl TestRunner {
    /// All declared services, at the beginning of 2026 in UTC.
    ///
    /// # Panics
    ///
    /// The services have faults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Settings for a test runner: which services, what time, which fakes.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Default for TestRunner {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            runner: Runner::builder(),
            at: DEFAULT_START.to_owned(),
            services: Vec::new(),
            provide: Vec::new(),
        }
    }
}

impl Builder {
    /// Only these of the declared services; `only::<&str>([])` for none.
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.only(names);
        self
    }

    /// All declared services but these.
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.except(names);
        self
    }

    /// When virtual time begins, and where: `"2026-03-28T12:00:00[Europe/Berlin]"`.
    ///
    /// The zone is what `timezone = "local"` means in the test; a time that ends in `Z` or in an
    /// offset names an instant, and the zone is UTC. Default: `"2026-01-01T00:00:00Z"`.
    pub fn at(mut self, time: impl Into<String>) -> Self {
        self.at = time.into();
        self
    }

    /// Adds a service that only the test has.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Makes a value available as [`Res<T>`](crate::Res): a fake of what the program provides.
    #[track_caller]
    pub fn provide<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let place = Place::from(Location::caller());
        self.provide.push(Box::new(move |runner| runner.provide_at(value, place)));
        self
    }

    /// How long `stop_all` takes at most, in virtual time. Default: 25 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.runner = self.runner.shutdown_timeout(timeout);
        self
    }

    /// Makes the runner, and checks its services; nothing starts yet.
    ///
    /// # Errors
    ///
    /// The time cannot be read; the services have faults.
    pub fn build(self) -> Result<TestRunner, TestError> {
        let Self { runner, at, services, provide } = self;
        let (start, zone) = Zone::parse_time(&at, None).map_err(TestError::Time)?;
        let virtual_time = VirtualTime::new(start);
        let clock: Arc<dyn VirtualClock> = Arc::<VirtualTime>::clone(&virtual_time);
        let runner = runner.clock(Clock::from_virtual(clock)).local_zone(zone.clone()).build();
        services.into_iter().for_each(|service| runner.register(service));
        provide.into_iter().for_each(|provide| provide(&runner));
        let record = Record::default();
        runner.record_all(record.clone());
        let test = TestRunner::assemble(runner, virtual_time, keep(zone), record);
        match test.runner().check() {
            // The test may register its only service later.
            Ok(_)
            | Err(
                StartError::NothingFound
                | StartError::NothingRegistered
                | StartError::NothingSelected { .. },
            ) => Ok(test),
            Err(
                error @ (StartError::Faults(_)
                | StartError::NoThread(_)
                | StartError::ShuttingDown
                | StartError::Forked),
            ) => Err(TestError::Engine(error)),
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("at", &self.at).finish_non_exhaustive()
    }
}
