//! The runner of a test.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::engine::control_error::ControlError;
use crate::observe::event::{Change, Event};
use crate::observe::event_log::EventLog;
use crate::observe::history::History;
use crate::observe::info::ServiceInfo;
#[cfg(feature = "run-log")]
use crate::observe::run_logs::RunLogs;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::start_error::StartError;
use crate::runner::runner::Runner;
use crate::service::builder::IntoDuration;
use crate::service::instance::InjectedFault;
use crate::testing::test_time::TestTime;
use crate::testing::timeline;
use crate::testing::virtual_time::VirtualTime;
use crate::text::nearest::remedy;
use crate::time::schedule::Schedule;
use crate::time::virtual_clock::VirtualClock;
use crate::time::zone::Zone;
use tina4_service_core::lifecycle::State;
use tina4_service_core::{Nanos, nanos};

/// How often a test checks whether the service that it waits for is ready. The clock advances at most once
/// between two checks.
const MAX_READY_CHECKS: u32 = 1_000_000;

/// A runner whose clock is controlled by a test.
///
/// Methods that take the name of a service panic if no service has that name; methods that take a
/// time or a duration panic if it cannot be parsed. Test runners are independent of each other.
///
/// # Bodies that block
///
/// A body that neither returns nor sleeps for ten seconds of real time fails the test: the waiting
/// method panics and says so.
///
/// A body that calls [`Context::stopping`](crate::Context::stopping) may block on anything, so the
/// clock advances without it. The clock first waits for it, on a best-effort basis: for 100 ms of real
/// time, for up to 2 s while Linux reports its thread as running (or waiting for a disk), and for up to
/// 10 s once it is asked to stop. A body that needs longer ends later in virtual time, and how much
/// later depends on the machine.
pub struct TestRunner {
    pub(super) runner: Runner,
    pub(super) virtual_time: Arc<VirtualTime>,
    zone: &'static Zone,
    event_log: EventLog,
    /// Whether `advance` must not start the services any more.
    no_auto_start: bool,
}

impl TestRunner {
    pub(super) fn assemble(
        runner: Runner,
        virtual_time: Arc<VirtualTime>,
        zone: &'static Zone,
        event_log: EventLog,
    ) -> Self {
        Self { runner, virtual_time, zone, event_log, no_auto_start: false }
    }

    /// The runner itself, for code under test that needs one and for methods that this type lacks.
    #[must_use]
    pub fn runner(&self) -> &Runner {
        &self.runner
    }

    /// Starts every service with `autostart`. Without this call, the first `advance` does so.
    ///
    /// Nothing runs until the test lets time pass; `advance("0s")` runs what is due immediately.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start_all`].
    pub fn start_all(&mut self) -> Result<(), StartError> {
        self.runner.start_all()?;
        self.no_auto_start = true;
        Ok(())
    }

    /// Starts one service; `advance` then no longer starts the others.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start`].
    pub fn start(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.start(name)?;
        self.no_auto_start = true;
        Ok(())
    }

    /// Lets time pass: everything that falls due runs, in order.
    ///
    /// `by` is a [`Duration`] or a string such as `"1h 30m"`.
    ///
    /// # Panics
    ///
    /// The services have faults, the duration cannot be parsed, or a body blocks.
    #[track_caller]
    pub fn advance(&mut self, by: impl IntoDuration) {
        let by = duration(by);
        self.advance_until(self.virtual_time.now().saturating_add(nanos(by)));
    }

    /// Lets time pass until the wall clock shows this time.
    ///
    /// Write `"2026-03-29T03:30:00[Europe/Berlin]"`, or `"2026-03-29T03:30"` in the zone of the test.
    ///
    /// # Panics
    ///
    /// As for [`TestRunner::advance`]; the time cannot be parsed, or has already passed.
    #[track_caller]
    pub fn advance_to(&mut self, time: &str) {
        let now = self.now();
        match self.time(time).duration_since(now) {
            Ok(distance) => self.advance(distance),
            Err(_) => panic!("`{time}` has passed already: it is {now}"),
        }
    }

    /// Lets time pass until the next run of any service.
    ///
    /// Runs that are due at the same instant run as well. Returns the names of the services in the
    /// order of their runs. The list is empty if no run is scheduled. A sleeping body may end its run
    /// and thereby schedule the next one, so time also passes while bodies sleep. If no run is
    /// scheduled, this returns after at most about ten thousand wake-ups.
    ///
    /// # Panics
    ///
    /// As for [`TestRunner::advance`].
    #[track_caller]
    pub fn run_next(&mut self) -> Vec<String> {
        self.auto_start();
        let before = self.event_log.read(|log| log.total());
        self.virtual_time.advance_to_next_run();
        self.event_log.read(|log| {
            let began = |event: &&Event| matches!(event.change, Change::RunBegan { .. });
            log.since(before).filter(began).map(|event| event.service.to_string()).collect()
        })
    }

    /// Suspends the machine: the wall clock continues, and monotonic time does not.
    ///
    /// Services with `cron` or `anchor` notice it once [`TestRunner::advance`] has let up to 30 s pass.
    #[track_caller]
    pub fn suspend(&mut self, length: impl IntoDuration) {
        let now = self.virtual_time.wall();
        self.virtual_time.set_wall(now.checked_add(duration(length)).unwrap_or(now));
    }

    /// Sets the machine's wall clock, forward or back.
    ///
    /// # Panics
    ///
    /// The time cannot be parsed.
    #[track_caller]
    pub fn set_clock(&mut self, time: &str) {
        self.virtual_time.set_wall(self.time(time).into());
    }

    /// The time that the wall clock of the test shows.
    #[must_use]
    pub fn now(&self) -> TestTime {
        self.civil(self.virtual_time.wall())
    }

    /// Parses a time, to compare others with it. The clock does not change.
    ///
    /// Write `"2026-03-29T03:30:00[Europe/Berlin]"`, or `"2026-03-29T03:30"` in the zone of the test.
    ///
    /// # Panics
    ///
    /// The time cannot be parsed.
    #[track_caller]
    #[must_use]
    pub fn time(&self, text: &str) -> TestTime {
        match Zone::parse_time(text, Some(self.zone)) {
            Ok((time, _)) => self.civil(time),
            Err(problem) => panic!("{problem}"),
        }
    }

    /// The same instant, as the wall clock of the test shows it.
    ///
    /// For instants that a service has recorded, such as [`Tick::due`](crate::Tick::due).
    #[must_use]
    pub fn civil(&self, at: SystemTime) -> TestTime {
        TestTime::new(at, self.zone)
    }

    /// The number of runs of a service that have begun.
    #[track_caller]
    #[must_use]
    pub fn runs(&self, name: &str) -> u64 {
        self.info(name).runs
    }

    /// The number of runs of a service that returned an error or panicked.
    #[track_caller]
    #[must_use]
    pub fn crashes(&self, name: &str) -> u64 {
        self.info(name).crashes
    }

    /// The state of a service.
    #[track_caller]
    #[must_use]
    pub fn state(&self, name: &str) -> State {
        self.info(name).state
    }

    /// Everything that is known about a service.
    #[track_caller]
    #[must_use]
    pub fn info(&self, name: &str) -> ServiceInfo<TestTime> {
        let found = self.runner.services().into_iter().find(|info| info.name == name);
        let found = found.unwrap_or_else(|| panic!("{}", self.unknown(name)));
        found.map_times(|at| self.civil(at))
    }

    /// The past runs of a service. See [`Runner::history`].
    #[track_caller]
    #[must_use]
    pub fn history(&self, name: &str) -> History<TestTime> {
        match self.runner.history(name) {
            Ok(history) => history.map_times(|at| self.civil(at)),
            Err(_) => panic!("{}", self.unknown(name)),
        }
    }

    /// The log lines of the runs of a service. See [`Runner::run_log`].
    #[cfg(feature = "run-log")]
    #[track_caller]
    #[must_use]
    pub fn run_log(&self, name: &str) -> RunLogs<TestTime> {
        match self.runner.run_log(name) {
            Ok(logs) => logs.map_times(|at| self.civil(at)),
            Err(_) => panic!("{}", self.unknown(name)),
        }
    }

    /// Every change so far, oldest first; at most the last 100,000.
    #[must_use]
    pub fn events(&self) -> Vec<Event<TestTime>> {
        let civil = |event: &Event| event.clone().map_time(|at| self.civil(at));
        self.event_log.read(|log| log.events.iter().map(civil).collect())
    }

    /// Every change so far as text, one line each; at most the last 100,000.
    ///
    /// A line contains the time, in the zone of the test, the service, and the change. The same test
    /// always produces the same text, unless a body waits for something that is not virtual time, such
    /// as [`Context::stopping`](crate::Context::stopping).
    #[must_use]
    pub fn timeline(&self) -> String {
        self.event_log.read(|log| timeline::write(log, self.zone))
    }

    /// Makes the next run of a service return an error, without calling the function.
    ///
    /// A second call affects the run after that.
    #[track_caller]
    pub fn crash_next(&mut self, name: &str) {
        self.inject(name, InjectedFault::Crash);
    }

    /// Makes the next run of a service panic, without calling the function.
    #[track_caller]
    pub fn panic_next(&mut self, name: &str) {
        self.inject(name, InjectedFault::Panic);
    }

    /// Makes the next run of a service take this long before it calls the function.
    ///
    /// The run does not react to a stop request during that time.
    #[track_caller]
    pub fn slow_next(&mut self, name: &str, by: impl IntoDuration) {
        self.inject(name, InjectedFault::Slow(duration(by)));
    }

    /// Waits until a service is ready; time passes until then, and no longer.
    ///
    /// Like `advance`, it starts the services first, unless that was done.
    ///
    /// # Errors
    ///
    /// As for [`Runner::wait_ready`].
    ///
    /// # Panics
    ///
    /// The services have faults; nothing is scheduled that could make the service ready; or it is still
    /// not ready although the clock has advanced very often.
    #[track_caller]
    pub fn wait_ready(&mut self, name: &str) -> Result<(), ControlError> {
        self.auto_start();
        let mut checks = 0;
        let may_wait = || {
            checks += 1;
            checks <= MAX_READY_CHECKS
        };
        match self.runner.wait_ready_while(name, may_wait) {
            Some(result) => result,
            None => panic!(
                "`{name}` is {} and not ready at {}, after a million checks; look for what it waits for, or \
                 use `advance` to let time pass without it",
                self.state(name),
                self.now()
            ),
        }
    }

    /// Stops one service; time passes until it has stopped.
    ///
    /// # Errors
    ///
    /// There is no such service.
    pub fn stop(&mut self, name: &str) -> Result<Stopped, ControlError> {
        self.runner.stop(name)
    }

    /// Stops one service and forgets it; time passes until it has stopped.
    ///
    /// # Errors
    ///
    /// As for [`Runner::unregister`].
    pub fn unregister(&mut self, name: &str) -> Result<Stopped, ControlError> {
        self.runner.unregister(name)
    }

    /// Stops all services, in order; time passes until they have stopped.
    pub fn stop_all(&mut self) -> StopReport {
        self.no_auto_start = true;
        self.runner.stop_all()
    }

    /// Stops one service and starts it again.
    ///
    /// # Errors
    ///
    /// As for [`Runner::restart`].
    pub fn restart(&mut self, name: &str) -> Result<(), ControlError> {
        self.no_auto_start = true;
        self.runner.restart(name)
    }

    /// Makes a run due now. It runs when time passes; `advance("0s")` is enough.
    ///
    /// # Errors
    ///
    /// As for [`Runner::run_now`].
    pub fn run_now(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.run_now(name)
    }

    /// Forgets the failures of a service.
    ///
    /// # Errors
    ///
    /// As for [`Runner::reset`].
    pub fn reset(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.reset(name)
    }

    /// Pauses a service: no new run begins.
    ///
    /// # Errors
    ///
    /// As for [`Runner::pause`].
    pub fn pause(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.pause(name)
    }

    /// Changes the schedule of a service.
    ///
    /// # Errors
    ///
    /// As for [`Runner::reschedule`].
    pub fn reschedule(&mut self, name: &str, schedule: Schedule) -> Result<(), ControlError> {
        self.runner.reschedule(name, schedule)
    }

    /// Resumes a paused service.
    ///
    /// # Errors
    ///
    /// As for [`Runner::resume`].
    pub fn resume(&mut self, name: &str) -> Result<(), ControlError> {
        self.runner.resume(name)
    }

    #[track_caller]
    fn auto_start(&mut self) {
        if !self.no_auto_start
            && let Err(error) = self.start_all()
        {
            panic!("{error}");
        }
    }

    #[track_caller]
    fn advance_until(&mut self, until: Nanos) {
        self.auto_start();
        self.virtual_time.advance_to(until);
    }

    #[track_caller]
    pub(super) fn inject(&mut self, name: &str, injected: InjectedFault) {
        match self.runner.instance(name) {
            Some(instance) => instance.inject(injected),
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

/// Stops the services, and waits for them unless the test panicked.
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
