//! The settings of a test.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::test_error::TestError;
use super::test_runner::TestRunner;
use super::test_time::intern;
use super::virtual_time::VirtualTime;
use crate::observe::event_log::EventLog;
use crate::plan::start_error::StartError;
use crate::runner::builder;
use crate::runner::runner::Runner;
use crate::service::builder::Service;
use crate::sys::place::Place;
use crate::time::clock::Clock;
use crate::time::virtual_clock::VirtualClock;
use crate::time::zone::Zone;

/// The default start of virtual time.
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// Provides one value to a runner.
type Provider = Box<dyn FnOnce(&Runner)>;

/// Settings of a [`TestRunner`].
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    runner: builder::Builder,
    at: String,
    services: Vec<Service>,
    providers: Vec<Provider>,
}

impl TestRunner {
    /// Creates a test runner with all declared services.
    ///
    /// Its clock starts at 2026-01-01 00:00 UTC.
    ///
    /// # Panics
    ///
    /// The services have faults.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Creates settings for a test runner: which services, what time, which fakes.
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
            providers: Vec::new(),
        }
    }
}

impl Builder {
    /// Selects only these declared services; `only::<&str>([])` selects none.
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.only(names);
        self
    }

    /// Excludes these declared services.
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.except(names);
        self
    }

    /// Sets the start of virtual time, and the time zone of the test.
    ///
    /// Write `"2026-03-28T12:00:00[Europe/Berlin]"`, for example. In the test, `timezone = "local"` means
    /// this zone; for a time that ends in `Z` or in an offset, it is UTC. Default:
    /// `"2026-01-01T00:00:00Z"`.
    pub fn at(mut self, time: impl Into<String>) -> Self {
        self.at = time.into();
        self
    }

    /// Adds a service that exists only in the test.
    pub fn service(mut self, service: Service) -> Self {
        self.services.push(service);
        self
    }

    /// Makes a value available as [`Res<T>`](crate::Res), usually a fake.
    #[track_caller]
    pub fn provide<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        let place = Place::from(Location::caller());
        self.providers.push(Box::new(move |runner| runner.provide_at(value, place)));
        self
    }

    /// Sets how long `stop_all` may take, in virtual time. Default: 25 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.runner = self.runner.shutdown_timeout(timeout);
        self
    }

    /// Creates the runner and checks its services; nothing starts yet.
    ///
    /// # Errors
    ///
    /// The time cannot be parsed, or the services have faults.
    pub fn build(self) -> Result<TestRunner, TestError> {
        let Self { runner, at, services, providers } = self;
        let (start, zone) = Zone::parse_time(&at, None).map_err(TestError::Time)?;
        let virtual_time = VirtualTime::new(start);
        let clock: Arc<dyn VirtualClock> = Arc::<VirtualTime>::clone(&virtual_time);
        let runner = runner.clock(Clock::from_virtual(clock)).local_zone(zone.clone()).build();
        for service in services {
            runner.register(service).map_err(TestError::Register)?;
        }
        providers.into_iter().for_each(|provide| provide(&runner));
        let event_log = EventLog::default();
        runner.record_all(event_log.clone());
        let test = TestRunner::assemble(runner, virtual_time, intern(zone), event_log);
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
            #[cfg(feature = "tokio")]
            Err(error @ (StartError::RuntimeGone | StartError::BlocksRuntime)) => {
                Err(TestError::Engine(error))
            }
        }
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("at", &self.at).finish_non_exhaustive()
    }
}
