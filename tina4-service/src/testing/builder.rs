//! The settings of a test.

use std::ffi::OsString;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;
#[cfg(feature = "queue")]
use std::time::UNIX_EPOCH;

#[cfg(feature = "queue")]
use tina4_service_queue::{Engine, Queues, Timestamp};

use super::test_error::TestError;
use super::test_runner::TestRunner;
use super::test_time::intern;
use super::virtual_time::VirtualTime;
use crate::observe::event_log::EventLog;
use crate::plan::start_error::StartError;
use crate::runner::builder;
use crate::runner::runner::Runner;
use crate::service::builder::Service;
use crate::service::deployment::settings::Settings;
use crate::service::history_limits::HistoryLimits;
use crate::sys::place::Place;
use crate::time::clock::Clock;
use crate::time::virtual_clock::VirtualClock;
use crate::time::zone::Zone;

/// The default start of virtual time.
const DEFAULT_START: &str = "2026-01-01T00:00:00Z";

/// Provides one value to a runner.
type Provider = Box<dyn FnOnce(&Runner, &Arc<VirtualTime>)>;

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
            // A test does not depend on the environment of the process.
            runner: Runner::builder().env_vars::<OsString, OsString>([]),
            at: DEFAULT_START.to_owned(),
            services: Vec::new(),
            providers: Vec::new(),
        }
    }
}

impl Builder {
    /// Selects only these declared services; `only::<&str>([])` selects none. See
    /// [`Builder::only`](crate::Builder::only).
    pub fn only<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.only(names);
        self
    }

    /// Excludes these declared services.
    pub fn except<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.except(names);
        self
    }

    /// Sets settings that replace those of the code.
    pub fn settings(mut self, settings: Settings) -> Self {
        self.runner = self.runner.settings(settings);
        self
    }

    /// Sets the environment variables to read. Default: none.
    ///
    /// `std::env::vars_os()` are those of the process. See
    /// [`Builder::env_vars`](crate::Builder::env_vars).
    pub fn env_vars<N: Into<OsString>, V: Into<OsString>>(
        mut self,
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        self.runner = self.runner.env_vars(variables);
        self
    }

    /// Sets what the names of environment variables begin with, before `_SERVICES`. Default: `TINA4`.
    pub fn env_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.runner = self.runner.env_prefix(prefix);
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
        self.providers.push(Box::new(move |runner, _| runner.provide_at(value, place)));
        self
    }

    /// Provides an engine for the queues of the services, which follows the clock of the test.
    ///
    /// [`TestRunner::push`] adds jobs, and [`TestRunner::jobs`] and [`TestRunner::dead`] show what became of
    /// them.
    ///
    /// ```
    /// use tina4_service::testing::TestRunner;
    /// use tina4_service::{Job, MemoryEngine, Queue, Service};
    ///
    /// const NUMBERS: Queue<u32> = Queue::new("numbers");
    ///
    /// fn check(number: Job<u32>) -> Result<(), &'static str> {
    ///     if *number == 13 { Err("unlucky") } else { Ok(()) }
    /// }
    ///
    /// let mut t = TestRunner::builder()
    ///     .only::<&str>([])
    ///     .queues(MemoryEngine::new())
    ///     .service(Service::of("check", check).queue(NUMBERS).attempts(2))
    ///     .build()?;
    /// t.push(NUMBERS, &7);
    /// t.push(NUMBERS, &13);
    /// t.advance("10s");
    /// assert_eq!(t.jobs(NUMBERS).counters.done, 1);
    /// assert_eq!(t.dead(NUMBERS)[0].error, "unlucky");
    /// # Ok::<(), tina4_service::testing::TestError>(())
    /// ```
    #[cfg(feature = "queue")]
    #[track_caller]
    pub fn queues(mut self, engine: impl Engine + 'static) -> Self {
        let place = Place::from(Location::caller());
        self.providers.push(Box::new(move |runner, virtual_time| {
            let virtual_time = Arc::clone(virtual_time);
            let clock = move || {
                let since = virtual_time.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            };
            runner.provide_at(Queues::with_clock(engine, clock), place);
        }));
        self
    }

    /// Sets how long `stop_all` may take, in virtual time. Default: 25 s.
    pub fn shutdown_timeout(mut self, timeout: Duration) -> Self {
        self.runner = self.runner.shutdown_timeout(timeout);
        self
    }

    /// Sets after how many consecutive crashes a service is unhealthy; 0: never. Default: 3.
    pub fn unhealthy_after(mut self, crashes: u32) -> Self {
        self.runner = self.runner.unhealthy_after(crashes);
        self
    }

    /// Adds services without which the program is not ready. See
    /// [`Builder::ready_needs`](crate::Builder::ready_needs).
    pub fn ready_needs<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.runner = self.runner.ready_needs(names);
        self
    }

    /// Sets how many past runs are remembered. See [`Builder::history`](crate::Builder::history).
    pub fn history(mut self, limits: HistoryLimits) -> Self {
        self.runner = self.runner.history(limits);
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
        providers.into_iter().for_each(|provide| provide(&runner, &virtual_time));
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
