//! What a test begins with.

use std::error::Error;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

use super::time::keep;
use super::{BEGINNING, TestRunner};
use crate::observe::event::Record;
use crate::plan::StartError;
use crate::runner::{self, Runner};
use crate::service::builder::Service;
use crate::sys::place::Place;
use crate::testing::virtual_time::VirtualTime;
use crate::time::clock::Clock;
use crate::time::zone::Zone;

/// Gives a value to a runner.
type Provide = Box<dyn FnOnce(&Runner)>;

/// Settings of a [`TestRunner`].
#[must_use = "a builder does nothing until `build`"]
pub struct Builder {
    runner: runner::Builder,
    at: String,
    services: Vec<Service>,
    provide: Vec<Provide>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            runner: Runner::builder(),
            at: BEGINNING.to_owned(),
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

    /// When test time begins, and where: `"2026-03-28T12:00:00[Europe/Berlin]"`. The zone is what
    /// `timezone = "local"` means in the test; a time that ends in `Z` or in an offset names an
    /// instant, and the zone is UTC. Default: `"2026-01-01T00:00:00Z"`.
    pub fn at(mut self, time: impl Into<String>) -> Self {
        self.at = time.into();
        self
    }

    /// Adds a service made on the spot.
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

    /// How long `stop_all` takes at most. Default: 25 s.
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
        let clock = Clock::with_virtual_time(Arc::clone(&virtual_time));
        let runner = runner.clock(clock).local_zone(zone.clone()).build();
        services.into_iter().for_each(|service| runner.register(service));
        provide.into_iter().for_each(|provide| provide(&runner));
        let record = Record::default();
        runner.record_all(record.clone());
        let zone = keep(zone);
        let runner = TestRunner { runner, virtual_time, zone, record, begun: false };
        match runner.runner.check() {
            // A test may register the only service later.
            Ok(_)
            | Err(
                StartError::NothingFound
                | StartError::NothingRegistered
                | StartError::NothingSelected { .. },
            ) => Ok(runner),
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

/// Why there is no [`TestRunner`].
///
/// `Debug` prints the same text as `Display`.
#[non_exhaustive]
pub enum TestError {
    /// The time cannot be read: what is wrong and what to write.
    Time(String),
    /// The services have faults.
    Engine(StartError),
}

impl fmt::Display for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(problem) => f.write_str(problem),
            Self::Engine(error) => error.fmt(f),
        }
    }
}

impl fmt::Debug for TestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for TestError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Time(_) => None,
            Self::Engine(error) => Some(error),
        }
    }
}
