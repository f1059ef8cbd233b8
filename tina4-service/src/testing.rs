//! Engine under test time: a day passes in milliseconds, and always in the same way.
//!
//! A [`TestRunner`] runs services as a [`Runner`] does, with the same rules and the same code, but
//! its clock goes on only when everybody rests, and then at once to the next instant at which
//! something is due. One thing happens at a time, in an order that depends on the test alone.
//!
//! The [`guide`] shows how to test what services do: their hours, their failures, their clean-up.
//!
//! ```
//! use tina4_service::{Service, testing::TestRunner};
//!
//! let report = |_: &tina4_service::Context| println!("the report");
//! let mut t = TestRunner::builder()
//!     .only::<&str>([])
//!     .at("2026-03-28T12:00:00[Europe/Berlin]")
//!     .service(Service::new("daily_report", report).cron("30 2 * * *"))
//!     .build()?;
//! // In this night the clocks go from two to three: half past two does not exist.
//! t.advance("1d");
//! assert_eq!(t.runs("daily_report"), 1);
//! assert_eq!(t.timeline(), "\
//! 2026-03-28 12:00:00 +01:00  daily_report  started
//! 2026-03-29 03:00:00 +02:00  daily_report  run 1
//! ");
//! # Ok::<(), tina4_service::testing::TestError>(())
//! ```
//!
//! # What is test time
//!
//! The schedule of every service, backoffs, timeouts, [`Context::sleep`](crate::Context::sleep),
//! and the waiting of [`Runner::stop`] and its like. A body itself takes no test time, however long
//! it really takes. What a body waits for besides must come by itself in real time: a fake that is
//! given with [`Builder::provide`] answers at once.
//!
//! A body that asks for [`Context::stopping`](crate::Context::stopping), to wait for a channel as
//! well, leaves test time until its run ends: nobody can tell when it has done what it had to.
//! Test such a body by what it does, or call its function with
//! [`Context::standalone`](crate::Context::standalone).

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::control_error::ControlError;
use crate::observe::event::{Change, Event};
use crate::observe::info::ServiceInfo;
use crate::observe::record::Record;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::start_error::StartError;
use crate::runner::runner::Runner;
use crate::service::builder::IntoDuration;
use crate::service::instance::Injected;
use crate::testing::virtual_time::VirtualTime;
use crate::text::nearest::remedy;
use crate::time::zone::Zone;
use tina4_service_core::lifecycle::State;
use tina4_service_core::{Nanos, nanos};

mod builder;
#[doc = include_str!("testing/guide.md")]
pub mod guide {}
mod time;
mod timeline;
pub(crate) mod virtual_time;

pub use builder::{Builder, TestError};
pub use time::TestTime;

/// Where test time begins unless the test says otherwise.
const BEGINNING: &str = "2026-01-01T00:00:00Z";

/// A runner whose time is in the hand of a test.
///
/// Methods that take the name of a service panic if there is none of that name; so do times and
/// durations that cannot be read. Two test runners do not know of each other.
///
/// If a body comes to rest neither at its end nor in a sleep for ten seconds of real time, the test
/// panics and says so.
pub struct TestRunner {
    runner: Runner,
    virtual_time: Arc<VirtualTime>,
    zone: &'static Zone,
    record: Record,
    begun: bool,
}

impl Default for TestRunner {
    fn default() -> Self {
        Self::new()
    }
}

impl TestRunner {
    /// All declared services, at the beginning of 2026 in UTC.
    #[must_use]
    pub fn new() -> Self {
        Self::builder().build().unwrap_or_else(|error| panic!("{error}"))
    }

    /// Some of the services, services made on the spot, another time, fakes.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// The runner itself, to be given to what is tested, and for what this type does not offer.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Starts every service with `autostart`. The first `advance` does so by itself.
    ///
    /// Nothing runs before time is allowed to pass; `advance("0s")` runs what is due at once.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start_all`].
    pub fn start_all(&mut self) -> Result<(), StartError> {
        self.runner.start_all()?;
        self.begun = true;
        Ok(())
    }

    /// Starts one service; the others are then no longer started by themselves.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start`].
    pub fn start(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.start(name)?;
        self.begun = true;
        Ok(())
    }

    /// Lets time pass, a [`Duration`] or a text such as `"1h 30m"`: everything that falls due runs,
    /// in order.
    ///
    /// # Panics
    ///
    /// The services have faults; the duration cannot be read; a body does not come to rest.
    #[track_caller]
    pub fn advance(&mut self, by: impl IntoDuration) {
        let by = duration(by);
        self.advance_until(self.virtual_time.now().saturating_add(nanos(by)));
    }

    /// Lets time pass until the wall clock shows a time such as
    /// `"2026-03-29T03:30:00[Europe/Berlin]"`, or `"2026-03-29T03:30"` in the zone of the test.
    ///
    /// # Panics
    ///
    /// As for [`TestRunner::advance`]; the time has passed already.
    #[track_caller]
    pub fn advance_to(&mut self, time: &str) {
        let now = self.now();
        match self.time(time).duration_since(now) {
            Ok(distance) => self.advance(distance),
            Err(_) => panic!("`{time}` has passed already: it is {now}"),
        }
    }

    /// Goes on to the next run, whichever service's it is; runs that are due at the same instant
    /// run as well. Returns the names of the services in the order of their runs; none, if nothing
    /// is planned. Those who are in a run and sleep may end it and run again, so time passes for them,
    /// up to ten thousand naps.
    ///
    /// # Panics
    ///
    /// As for [`TestRunner::advance`].
    #[track_caller]
    pub fn run_next(&mut self) -> Vec<String> {
        self.begin();
        let before = self.record.read(|recorded| recorded.total());
        self.virtual_time.advance_to_next_run();
        self.record.read(|recorded| {
            let began = |event: &&Event| matches!(event.change, Change::RunBegan { .. });
            recorded.since(before).filter(began).map(|event| event.service.to_string()).collect()
        })
    }

    /// Puts the machine to sleep: the wall clock goes on, and nothing else does. Engine by the
    /// calendar notice within 30 s of [`TestRunner::advance`].
    #[track_caller]
    pub fn suspend(&mut self, length: impl IntoDuration) {
        let now = self.virtual_time.wall();
        self.virtual_time.set_wall(now.checked_add(duration(length)).unwrap_or(now));
    }

    /// Sets the machine's clock, forward or back.
    ///
    /// # Panics
    ///
    /// The time cannot be read.
    #[track_caller]
    pub fn set_clock(&mut self, time: &str) {
        self.virtual_time.set_wall(self.time(time).into());
    }

    /// What the wall clock shows.
    #[must_use]
    pub fn now(&self) -> TestTime {
        self.civil(self.virtual_time.wall())
    }

    /// Reads a time such as `"2026-03-29T03:30:00[Europe/Berlin]"`, or `"2026-03-29T03:30"` in the
    /// zone of the test, to compare others with it. Moves nothing.
    ///
    /// # Panics
    ///
    /// The time cannot be read.
    #[track_caller]
    #[must_use]
    pub fn time(&self, text: &str) -> TestTime {
        match Zone::parse_time(text, Some(self.zone)) {
            Ok((time, _)) => self.civil(time),
            Err(problem) => panic!("{problem}"),
        }
    }

    /// The same instant, as the wall clock of the test shows it: for what a service has noted, such
    /// as [`Tick::due`](crate::Tick::due).
    #[must_use]
    pub fn civil(&self, at: SystemTime) -> TestTime {
        TestTime::new(at, self.zone)
    }

    /// How often a service's function was called.
    #[track_caller]
    #[must_use]
    pub fn runs(&self, name: &str) -> u64 {
        self.info(name).runs
    }

    /// How often it returned an error or panicked.
    #[track_caller]
    #[must_use]
    pub fn crashes(&self, name: &str) -> u64 {
        self.info(name).crashes
    }

    /// What it is doing.
    #[track_caller]
    #[must_use]
    pub fn state(&self, name: &str) -> State {
        self.info(name).state
    }

    /// Everything known about it.
    #[track_caller]
    #[must_use]
    pub fn info(&self, name: &str) -> ServiceInfo<TestTime> {
        let found = self.runner.services().into_iter().find(|info| info.name == name);
        let found = found.unwrap_or_else(|| panic!("{}", self.unknown(name)));
        found.map_times(|at| self.civil(at))
    }

    /// Every change so far, oldest first; of more than 100,000 the last ones.
    #[must_use]
    pub fn events(&self) -> Vec<Event<TestTime>> {
        let civil = |event: &Event| event.clone().map_time(|at| self.civil(at));
        self.record.read(|recorded| recorded.events.iter().map(civil).collect())
    }

    /// Every change so far as a text, one line each: when, in the zone of the test; which service;
    /// what. Of more than 100,000 changes the last ones.
    ///
    /// The same test gives the same text, always, unless a body waits for something outside of test
    /// time, such as [`Context::stopping`](crate::Context::stopping).
    #[must_use]
    pub fn timeline(&self) -> String {
        self.record.read(|recorded| timeline::write(recorded, self.zone))
    }

    /// The next run of this service returns an error instead of calling the function. May be
    /// called again, for the run after that.
    #[track_caller]
    pub fn crash_next(&mut self, name: &str) {
        self.inject(name, Injected::Crash);
    }

    /// The next run of this service panics instead of calling the function.
    #[track_caller]
    pub fn panic_next(&mut self, name: &str) {
        self.inject(name, Injected::Panic);
    }

    /// The next run of this service takes so much time before it calls the function, and does not
    /// listen to stop meanwhile.
    #[track_caller]
    pub fn slow_next(&mut self, name: &str, by: impl IntoDuration) {
        self.inject(name, Injected::Slow(duration(by)));
    }

    /// Stops one service; time passes as long as it needs.
    ///
    /// # Errors
    ///
    /// No such service.
    pub fn stop(&mut self, name: &str) -> Result<Stopped, ControlError> {
        self.runner.stop(name)
    }

    /// Stops everything, in order; time passes as long as that needs.
    pub fn stop_all(&mut self) -> StopReport {
        self.begun = true;
        self.runner.stop_all()
    }

    /// Stops one service and starts it again.
    ///
    /// # Errors
    ///
    /// As for [`Runner::restart`].
    pub fn restart(&mut self, name: &str) -> Result<(), ControlError> {
        self.begun = true;
        self.runner.restart(name)
    }

    /// Makes a run due at once; it runs when time passes, be it none.
    ///
    /// # Errors
    ///
    /// As for [`Runner::run_now`].
    pub fn run_now(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.run_now(name)
    }

    /// Begins no new run.
    ///
    /// # Errors
    ///
    /// As for [`Runner::pause`].
    pub fn pause(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.pause(name)
    }

    /// Ends a pause.
    ///
    /// # Errors
    ///
    /// As for [`Runner::resume`].
    pub fn resume(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.resume(name)
    }

    #[track_caller]
    fn begin(&mut self) {
        if !self.begun
            && let Err(error) = self.start_all()
        {
            panic!("{error}");
        }
    }

    #[track_caller]
    fn advance_until(&mut self, until: Nanos) {
        self.begin();
        self.virtual_time.advance_to(until);
    }

    #[track_caller]
    fn inject(&mut self, name: &str, fault: Injected) {
        match self.runner.instance(name) {
            Some(instance) => instance.inject(fault),
            None => panic!("{}", self.unknown(name)),
        }
    }

    fn unknown(&self, name: &str) -> String {
        let known: Vec<_> = self.runner.status().into_keys().collect();
        format!("there is no service `{name}`; {}", remedy(name, &known))
    }
}

#[track_caller]
fn duration(length: impl IntoDuration) -> Duration {
    length.into_duration().unwrap_or_else(|problem| panic!("{problem}"))
}

/// Stops the services, unless the test fails anyway.
impl Drop for TestRunner {
    fn drop(&mut self) {
        self.virtual_time.claim_test_thread();
        if std::thread::panicking() {
            self.runner.request_stop();
        } else {
            self.runner.stop_all();
        }
        self.virtual_time.close();
    }
}

impl fmt::Debug for TestRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestRunner")
            .field("now", &self.now())
            .field("status", &self.runner.status())
            .finish()
    }
}
