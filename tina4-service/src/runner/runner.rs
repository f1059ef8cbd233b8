//! The handle of a runner.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::Engine;
use crate::engine::control_error::ControlError;
use crate::engine::current;
use crate::engine::pool::poll::Poll;
use crate::engine::supervisor::Supervisor;
use crate::engine::supervisor::control::{PendingStop, StopResponse};
use crate::observe::event::Event;
use crate::observe::history::History;
use crate::observe::info::ServiceInfo;
use crate::observe::request::Request;
use crate::observe::requester::Requester;
#[cfg(feature = "run-log")]
use crate::observe::run_logs::RunLogs;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::check;
use crate::plan::plan::Plan;
use crate::plan::register_error::RegisterError;
use crate::plan::start_error::StartError;
use crate::process::stderr;
use crate::runner::blocking::{blocks_runtime, report_refusal, wait_for, wait_for_log};
use crate::runner::hook_wait::{NOTICE_TIMEOUT, wait_for_hooks};
use crate::runner::shared::{KeepRunning, Shared};
use crate::service::builder::Service;
use crate::service::instance::Instance;
use crate::sys::fork::Forked;
use crate::sys::log_target::LOG_TARGET;
use crate::sys::place::Place;
#[cfg(feature = "tokio")]
use crate::sys::runtime::RuntimeError;
use crate::text::nearest::nearest;
use crate::time::schedule::Schedule;
#[cfg(feature = "tokio")]
use crate::time::virtual_clock::VirtualClock;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Input, State};

/// How long `stop_all` and `wait` wait for the last log lines to be written.
pub(super) const LOG_TIMEOUT: Duration = Duration::from_secs(1);

/// Holds services and runs them; cheap to clone.
///
/// The functions at the root of the crate do the same for the global runner, which holds every
/// declared service. Dropping the last clone asks the services to stop, but does not wait for them;
/// call [`Runner::stop_all`] to wait. [`Runner::downgrade`] and
/// [`Context::runner`](crate::Context::runner) give handles that do not keep the services running.
///
/// ```
/// use tina4_service::{Runner, Service, Flow};
///
/// let runner = Runner::new();
/// runner.register(Service::new("hello", |_ctx| { println!("hello"); Flow::Done })).unwrap();
/// runner.start_all().unwrap();
/// runner.wait();
/// assert_eq!(runner.status()["hello"].to_string(), "finished");
/// ```
#[derive(Clone)]
pub struct Runner {
    pub(super) shared: Shared,
    /// `None` in a handle that does not keep the services running.
    pub(super) keep_running: Option<Arc<KeepRunning>>,
    /// On whose behalf this handle makes requests; `None`: the program's own.
    pub(super) requester: Option<Requester>,
    /// Whether snapshots ask the engines of queues for the numbers of jobs.
    #[cfg_attr(not(feature = "queue"), expect(dead_code, reason = "only queues have jobs"))]
    pub(super) counts_jobs: bool,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("status", &self.status()).finish()
    }
}

impl Runner {
    /// Adds a service that is not known at compile time.
    ///
    /// Services may be added at any time; after `start_all`, start them by name, or call `start_all`
    /// again. The services in its `after` and `requires` need not exist yet, and neither do the values
    /// that it asks for: [`Runner::check`], [`Runner::start_all`] and [`Runner::start`] report what is
    /// missing. [`Runner::unregister`] removes it again.
    ///
    /// ```
    /// use tina4_service::{RegisterError, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| {}).interval("1h"))?;
    /// let again = runner.register(Service::new("import", |_| {}).interval("2h"));
    /// assert!(matches!(again, Err(RegisterError::NameTaken { .. })));
    /// # Ok::<(), RegisterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// The name is taken; the settings have faults (all of them are listed, with file and line); or this
    /// process is a forked child. In each case nothing is kept.
    pub fn register(&self, service: Service) -> Result<(), RegisterError> {
        let engine = self.engine()?;
        let env = &self.shared.env;
        let definition = service.into_definition(&env.settings_cache, &env.deployment);
        let instance = Arc::new(Instance::new(definition, Arc::clone(env)));
        let faults = check::faults_before_registration(&instance);
        if !faults.is_empty() {
            return Err(RegisterError::Faults(faults));
        }
        engine.with(|supervisor, now| supervisor.register(&instance, now)).map_err(|taken_by| {
            let (name, place) = (instance.definition.name(), instance.definition.place());
            RegisterError::NameTaken { name, place, taken_by }
        })
    }

    /// Removes a service: stops it, waits for its clean-up, and forgets it.
    ///
    /// Its name is free again, and its values are dropped once its last log line has been written.
    /// Declared services can be removed, too: they stay forgotten. It waits until the service has stopped,
    /// which takes at most its `stop_timeout`, and returns how it stopped.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| {}).interval("1h"))?;
    /// runner.start_all()?;
    /// runner.unregister("import")?;
    /// assert!(runner.status().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; a service that depends on it is active or blocked; it was abandoned, or
    /// it did not stop in time, and its run is still alive; the call comes from the service itself, or
    /// from one that has been asked to stop; it is async, and this thread is the one that executes it (await
    /// `unregister_async` there); or this process is a forked child. The service is then still registered, but
    /// may have been stopped.
    pub fn unregister(&self, name: &str) -> Result<Stopped, ControlError> {
        let request = Request::Unregister;
        self.or_not_made(request, name, self.check_may_block("unregister", name))?;
        let caller = self.calling_service();
        let mut removal = self
            .ask(request, name, |supervisor, now| supervisor.begin_unregister(name, caller, now))?;
        let result = wait_for(&self.shared.engine, |supervisor, now| {
            supervisor.unregister_result(&mut removal, caller, now)
        });
        self.or_failed(request, name, result)
    }

    /// Makes a value available to services as [`Res<T>`](crate::Res); call it before starting.
    ///
    /// An `Arc<T>` serves as `Res<T>`, too. A second value of the same type is a fault, which
    /// [`Runner::check`] reports with both places.
    #[track_caller]
    pub fn provide<T: Send + Sync + 'static>(&self, value: T) {
        match self.engine() {
            Ok(_) => self.shared.env.resources.provide(value, Place::from(Location::caller())),
            Err(Forked) => stderr::report_refusal("provide"),
        }
    }

    /// Checks the services and returns the plan of [`Runner::start_all`], without starting anything.
    ///
    /// With the feature `queue`, it also asks the engine of the queues whether its store can be used, which may take as
    /// long as a call of the engine. A start does not ask: a service whose engine fails then is restarted after its backoff.
    ///
    /// # Errors
    ///
    /// The services have faults (all of them are listed, with file and line), the engine of the queues cannot be used, or
    /// this process is a forked child.
    pub fn check(&self) -> Result<Plan, StartError> {
        let plan = self.engine()?.with(|supervisor, _| supervisor.check());
        #[cfg(feature = "queue")]
        let plan = self.check_engine().add_to(plan);
        plan
    }

    /// Checks everything, then starts every service with `autostart`, without waiting.
    ///
    /// A second call starts services that have been registered, stopped or cancelled since the first one, and
    /// abandoned ones whose run and clean-up have ended. Services that finished or failed start by name
    /// only, or, if they failed, after [`Runner::reset`].
    ///
    /// # Errors
    ///
    /// The services have faults (all of them are listed, with file and line); no thread could be
    /// started; it would start an async service, and the tokio runtime of the async services has shut down;
    /// the runner is shutting down; or this process is a forked child. In each case nothing was started.
    pub fn start_all(&self) -> Result<Self, StartError> {
        let engine = self.prepare_start()?;
        self.or_not_made(Request::StartAll, "", self.prepare_runtime(None))?;
        let started = engine.with(|supervisor, now| {
            self.report_request(supervisor, Request::StartAll, now);
            supervisor.start_all(now)
        });
        self.or_failed(Request::StartAll, "", started.and_then(|()| self.ensure_threads()))?;
        Ok(self.clone())
    }

    /// Starts one service, regardless of its `autostart`; has no effect on an active one.
    ///
    /// A service that is being stopped starts again once it has stopped, unless it is abandoned.
    ///
    /// # Errors
    ///
    /// There is no such service; a fault prevents its start; no thread could be started; its abandoned
    /// run is still alive; it is async, and the tokio runtime of the async services has shut down; the runner
    /// is shutting down; or this process is a forked child.
    pub fn start(&self, name: &str) -> Result<(), ControlError> {
        self.prepare_start()?;
        self.or_not_made(Request::Start, name, self.prepare_runtime(Some(name)))
            .map_err(ControlError::Start)?;
        self.ask(Request::Start, name, |supervisor, now| supervisor.start(name, now))?;
        self.or_failed(Request::Start, name, self.ensure_threads()).map_err(ControlError::Start)
    }

    /// Makes a request to one service. For an unknown name the error suggests a similar one.
    pub(super) fn try_request<T>(
        &self,
        request: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        self.try_request_with(|engine| engine.with(request))
    }

    /// [`Runner::try_request`] on a thread that must not block.
    #[cfg(feature = "tokio")]
    pub(super) fn try_request_async<T>(
        &self,
        request: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        self.try_request_with(|engine| engine.with_nonblocking(request))
    }

    fn try_request_with<T>(
        &self,
        request: impl FnOnce(&Arc<Engine>) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let engine = self.engine()?;
        let mut result = request(engine);
        if let Err(ControlError::Unknown { name, nearest: suggestion }) = &mut result {
            // Comparing thousands of names takes milliseconds, so do it without the lock.
            let names = engine.with(|supervisor, _| supervisor.names());
            *suggestion = nearest(name, names.iter().map(|name| &**name)).map(str::to_owned);
        }
        result
    }

    pub(super) fn engine(&self) -> Result<&Arc<Engine>, Forked> {
        self.shared.engine()
    }

    /// Prepares the process for a start; repeated calls have no further effect.
    fn prepare_start(&self) -> Result<&Arc<Engine>, Forked> {
        let engine = self.engine()?;
        #[cfg(unix)]
        crate::process::ffi::watch_forks();
        self.shared.env.owner.claim();
        self.start_hooks();
        // Nothing drives virtual time at the end of the process, so the exit hook would wait until its
        // limit.
        #[cfg(feature = "exit-hook")]
        if !self.shared.env.clock.drives_runner() {
            crate::process::exit_hook::register(&self.shared.engine, crate::process::stderr::write);
        }
        #[cfg(all(unix, feature = "signals"))]
        if self.shared.env.dump_on_sigusr1
            && let Err(error) = crate::process::signals::dump::listen(engine)
        {
            tracing::error!(target: LOG_TARGET, %error, "SIGUSR1 cannot be handled, and ends the program; check the limits on threads and file descriptors");
        }
        if crate::sys::panics::panics_abort() {
            // Not a `Once`: a log subscriber may start services itself.
            static WARNED: AtomicBool = AtomicBool::new(false);
            if !WARNED.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    target: LOG_TARGET,
                    "this program is built with `panic = \"abort\"`, so a service that panics ends it; \
                     build with `panic = \"unwind\"` to have the service restarted"
                );
            }
        }
        Ok(engine)
    }

    /// Finds the tokio runtime of the async services, if there are any. `name`: the only service that is to
    /// start.
    #[cfg(feature = "tokio")]
    pub(super) fn prepare_runtime(&self, name: Option<&str>) -> Result<(), StartError> {
        let Shared { engine, env } = &self.shared;
        if !env.has_tasks.load(Ordering::Relaxed) {
            return Ok(());
        }
        if let Some(runtime) = env.clock.as_virtual().cloned().and_then(VirtualClock::task_runtime)
        {
            env.runtime.set_virtual(runtime.map_err(StartError::NoThread)?);
            return Ok(());
        }
        let Err(error) = env.runtime.prepare() else { return Ok(()) };
        if !engine.with(|supervisor, _| supervisor.start_needs_runtime(name)) {
            return Ok(());
        }
        Err(match error {
            RuntimeError::Gone => StartError::RuntimeGone,
            RuntimeError::NoThread(error) => StartError::NoThread(error),
        })
    }

    /// Without the feature `tokio`, no service is async.
    #[cfg(not(feature = "tokio"))]
    #[expect(
        clippy::unused_self,
        clippy::unnecessary_wraps,
        reason = "as with the feature `tokio`"
    )]
    pub(super) fn prepare_runtime(&self, _: Option<&str>) -> Result<(), StartError> {
        Ok(())
    }

    /// Fails if there is no thread at all, because nothing would ever run.
    fn ensure_threads(&self) -> Result<(), StartError> {
        let error = self.shared.engine.with(|supervisor, _| supervisor.take_spawn_error());
        match error {
            Some(error) if self.is_without_threads() => {
                self.shared.engine.with(Supervisor::undo_start);
                Err(StartError::NoThread(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether services are active but no thread exists. Without active services, it is normal that all
    /// threads have exited.
    fn is_without_threads(&self) -> bool {
        !self.shared.engine.with(|supervisor, _| supervisor.is_idle())
            && self.shared.engine.thread_count() == 0
    }

    /// Stops one service, and waits for it for at most its `stop_timeout`.
    ///
    /// It waits for the run in progress and the clean-up. Called inside the service itself, it makes the
    /// request and does not wait.
    ///
    /// # Errors
    ///
    /// There is no such service; it is async, and this thread is the one that executes it (await
    /// `stop_async` there); or this process is a forked child.
    pub fn stop(&self, name: &str) -> Result<Stopped, ControlError> {
        self.or_not_made(Request::Stop, name, self.check_may_block("stop", name))?;
        let request = |supervisor: &mut Supervisor, now| supervisor.request_stop(name, now);
        match self.ask(Request::Stop, name, request)? {
            StopResponse::Pending(pending) => Ok(self.wait_for_stop(pending)),
            StopResponse::Answered(stopped) => Ok(stopped),
        }
    }

    fn wait_for_stop(&self, pending: PendingStop) -> Stopped {
        let inside = self.calling_service();
        if inside == Some(pending.index) {
            return Stopped::Requested;
        }
        wait_for(&self.shared.engine, |supervisor, now| {
            supervisor.stop_result(&pending, inside, now)
        })
    }

    /// Refuses a call that would block the only thread that executes the service for which it waits.
    fn check_may_block(&self, call: &'static str, name: &str) -> Result<(), ControlError> {
        // A service does not wait for itself.
        #[cfg(feature = "tokio")]
        if self.shared.would_wait_forever(name) {
            let index = self.shared.engine.with(|supervisor, _| supervisor.index(name));
            if index.is_none() || index != self.calling_service() {
                return Err(blocks_runtime(call));
            }
        }
        let _ = (self, call, name);
        Ok(())
    }

    /// The index of the service of this runner that runs on this thread.
    pub(super) fn calling_service(&self) -> Option<u32> {
        let own_id = current::runner_id(&self.shared.env);
        current::current().filter(|(runner, _)| *runner == own_id).map(|(_, index)| index)
    }

    /// Stops one service and starts it again; two copies never run at the same time.
    ///
    /// A service that is not active is started. Called inside the service itself, it makes the request
    /// and does not wait.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start`]; also if the service did not stop in time, or is async and this thread is the
    /// one that executes it (await `restart_async` there).
    pub fn restart(&self, name: &str) -> Result<(), ControlError> {
        self.prepare_restart(name)?;
        self.or_not_made(Request::Restart, name, self.check_may_block("restart", name))?;
        let request = |supervisor: &mut Supervisor, now| supervisor.request_restart(name, now);
        let pending = self.ask(Request::Restart, name, request)?;
        self.restart_result(name, pending.map(|pending| self.wait_for_stop(pending)))
    }

    pub(super) fn prepare_restart(&self, name: &str) -> Result<(), ControlError> {
        self.prepare_start()?;
        let prepared = self.prepare_runtime(Some(name)).map_err(ControlError::Start);
        self.or_not_made(Request::Restart, name, prepared)
    }

    /// The result of a restart. `stopped`: that of its stop, if there was anything to stop.
    pub(super) fn restart_result(
        &self,
        name: &str,
        stopped: Option<Stopped>,
    ) -> Result<(), ControlError> {
        let result = match stopped {
            Some(Stopped::Abandoned { age, place }) => {
                Err(ControlError::StillAlive { name: name.to_owned(), age, place })
            }
            Some(Stopped::Ended { .. } | Stopped::NotActive { .. } | Stopped::Requested) | None => {
                self.ensure_threads().map_err(ControlError::Start)
            }
        };
        self.or_failed(Request::Restart, name, result)
    }

    /// Runs a waiting, backing off or paused service immediately.
    ///
    /// This does not change the due times of an `interval`.
    ///
    /// # Errors
    ///
    /// There is no such service; it is not active, still waits for the services that it depends on,
    /// or is stopping; a run is in progress; or this process is a forked child.
    pub fn run_now(&self, name: &str) -> Result<(), ControlError> {
        self.request(Request::RunNow, name, Input::RunNow)
    }

    /// Pauses a service: no new run starts until [`Runner::resume`].
    ///
    /// A run in progress continues to its end.
    ///
    /// # Errors
    ///
    /// There is no such service; it is not active, still waits for the services that it depends on,
    /// or is stopping; or this process is a forked child.
    pub fn pause(&self, name: &str) -> Result<(), ControlError> {
        self.request(Request::Pause, name, Input::Pause)
    }

    /// Ends a service's pause.
    ///
    /// Due times of an `interval` or a `cron` that passed during the pause are dropped, and not counted
    /// as skipped. Any other run that fell due, such as a restart or a run after a `delay`, begins
    /// immediately.
    ///
    /// # Errors
    ///
    /// There is no such service; it is not active, or is stopping; or this process is a forked child.
    pub fn resume(&self, name: &str) -> Result<(), ControlError> {
        self.request(Request::Resume, name, Input::Resume)
    }

    /// Forgets the failures of a service, so that it is healthy until the next one.
    ///
    /// A failed service counts as stopped, so that `start_all` starts it again; so does an abandoned one whose
    /// run and clean-up have ended. The next crash counts as the first one, with the shortest backoff and all
    /// restarts left; a restart that is planned already takes place as planned. The last error is
    /// forgotten. The counts of runs and crashes stay, and so does the [history](Runner::history) with its failures.
    ///
    /// ```
    /// use tina4_service::{Runner, Service, State};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| Err::<(), _>("no disk")).max_restarts(0)).unwrap();
    /// runner.start_all().unwrap();
    /// runner.wait();
    /// assert!(!runner.services()[0].is_healthy());
    /// runner.reset("import")?;
    /// assert!(runner.services()[0].is_healthy());
    /// assert_eq!(runner.status()["import"], State::Stopped);
    /// # Ok::<(), tina4_service::ControlError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; it was abandoned, and its run or clean-up is still alive; it has just failed,
    /// and its clean-up is in progress; or this process is a forked child.
    pub fn reset(&self, name: &str) -> Result<(), ControlError> {
        self.ask(Request::Reset, name, |supervisor, now| supervisor.reset(name, now))
    }

    /// The past runs of a service: the last 20, and the last 5 failures, kept separately.
    ///
    /// Successes in quick succession share a record, so that the history of a fast service goes back for minutes,
    /// too: see [`RunRecord`](crate::RunRecord). [`Builder::history`](crate::Builder::history) sets other limits.
    /// All services of a runner together have at most 10,000 records of runs and 2,500 of failures; beyond that, the
    /// oldest ones are forgotten, whichever service they belong to.
    ///
    /// ```
    /// use tina4_service::{Restart, RunOutcome, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("import", |_| Err::<(), _>("no disk")).restart(Restart::Never))?;
    /// runner.start_all()?;
    /// runner.wait();
    /// let history = runner.history("import")?;
    /// assert_eq!(history.runs[0].outcome, RunOutcome::Error);
    /// assert_eq!(history.failures[0].error.as_deref(), Some("no disk"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; or this process is a forked child.
    pub fn history(&self, name: &str) -> Result<History, ControlError> {
        self.try_request(|supervisor, _| supervisor.history(name))
    }

    /// The log lines of the last run of a service, and of its last failing run, as [`RunLog`](crate::RunLog) has kept
    /// them.
    ///
    /// There are none unless the layer of a [`RunLog`](crate::RunLog) is installed, which shows an example.
    ///
    /// # Errors
    ///
    /// There is no such service; or this process is a forked child.
    #[cfg(feature = "run-log")]
    pub fn run_log(&self, name: &str) -> Result<RunLogs, ControlError> {
        let logs = self.try_request(|supervisor, _| supervisor.run_log(name))?;
        Ok(RunLogs::read(&logs))
    }

    fn request(&self, request: Request, name: &str, input: Input<'_>) -> Result<(), ControlError> {
        self.ask(request, name, |supervisor, now| supervisor.request(name, input, now))
    }

    /// Changes the schedule of a service, which follows the new one from now on.
    ///
    /// It is not restarted, and no run is added: the next run is one period from now, or at the next time
    /// of a calendar schedule. A run in progress, one that is due already, and a restart after a crash
    /// are not affected; any other planned run is replaced, also one that jitter or
    /// [`Flow::After`](crate::Flow::After) has put off. The new schedule also applies to later starts. If
    /// it is the schedule that the service has already, nothing changes.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Runner, Schedule, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("poll", |_| {}).interval("1h"))?;
    /// runner.start_all()?;
    /// runner.reschedule("poll", Schedule::interval(Duration::from_secs(60)))?;
    /// assert_eq!(runner.services()[0].schedule.to_string(), "every 1m");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; it is continuous, or the new schedule is; the schedule does not fit its
    /// other settings; or this process is a forked child.
    pub fn reschedule(&self, name: &str, schedule: Schedule) -> Result<(), ControlError> {
        let schedule = schedule.resolve_in(self.shared.env.local_zone.as_ref());
        self.ask(Request::Reschedule, name, |supervisor, now| {
            supervisor.reschedule(name, schedule, now)
        })
    }

    /// Stops everything in the reverse order of `after`, with all clean-up, under one deadline.
    ///
    /// The deadline is 25 s unless the builder sets another one. After that, it waits up to two seconds for
    /// [hooks](Runner::on_change) that have not been told everything. Any thread may call this, any number of times. Inside a service it makes the request and does not wait, and
    /// [`StopReport::in_progress`] is set.
    pub fn stop_all(&self) -> StopReport {
        self.stop_all_within(LOG_TIMEOUT, NOTICE_TIMEOUT)
    }

    /// Does the same as [`Runner::stop_all`], but waits for at most `log_timeout` for the last log
    /// lines, and for at most `hook_timeout` for hooks.
    pub(super) fn stop_all_within(
        &self,
        log_timeout: Duration,
        hook_timeout: Duration,
    ) -> StopReport {
        let Ok(engine) = self.engine() else {
            return StopReport { forked: true, ..StopReport::default() };
        };
        let timeout = self.shared.env.shutdown_timeout;
        engine.with(|supervisor, now| {
            self.report_request(supervisor, Request::StopAll, now);
            supervisor.stop_all(timeout, None, now);
        });
        if self.calling_service().is_some() {
            return engine.with(|supervisor, now| supervisor.interim_report(now));
        }
        let Some(report) = self.shared.wait_for(Supervisor::shutdown_result) else {
            report_refusal("stop_all");
            return engine.with(|supervisor, now| supervisor.interim_report(now));
        };
        wait_for_hooks(engine, hook_timeout);
        wait_for_log(engine, log_timeout);
        report
    }

    /// Waits until a service is ready, as its `ready` key or its schedule says.
    ///
    /// ```
    /// use tina4_service::{Ready, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("migrations", |_| println!("migrating")).ready(Ready::Finished)).unwrap();
    /// runner.start_all().unwrap();
    /// runner.wait_ready("migrations").unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; it cannot become ready, because it is not active or is
    /// blocked; the call comes from the service itself, or from one that has been asked to stop; an async
    /// service is active, and this thread is the one that executes it (await `wait_ready_async` there); or
    /// this process is a forked child.
    pub fn wait_ready(&self, name: &str) -> Result<(), ControlError> {
        self.wait_ready_while(name, || true).unwrap_or(Ok(()))
    }

    /// Does the same as [`Runner::wait_ready`], but gives up and returns `None` once `may_wait`, which is
    /// called before each wait, returns `false`.
    pub(crate) fn wait_ready_while(
        &self,
        name: &str,
        mut may_wait: impl FnMut() -> bool,
    ) -> Option<Result<(), ControlError>> {
        let caller = self.calling_service();
        let begun = self.try_request(|supervisor, _| supervisor.begin_ready_wait(name, caller));
        let wait = match begun {
            Ok(wait) => wait,
            Err(error) => return Some(Err(error)),
        };
        let result =
            self.shared.wait_for(|supervisor, _| match supervisor.ready_result(&wait, caller) {
                Poll::Ready(result) => Poll::Ready(Some(result)),
                Poll::Pending(_) if !may_wait() => Poll::Ready(None),
                Poll::Pending(deadline) => Poll::Pending(deadline),
            });
        self.shared.engine.with(|supervisor, _| supervisor.end_ready_wait());
        result.unwrap_or_else(|| Some(Err(blocks_runtime("wait_ready"))))
    }

    /// Returns whether a service is active: waiting, running, backing off, paused or stopping.
    ///
    /// This is more than the state [`State::Running`], which means that a run is in progress. `false`
    /// for an unknown name.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        let state = self.engine().map(|engine| engine.with(|supervisor, _| supervisor.state(name)));
        state.ok().flatten().is_some_and(State::is_active)
    }

    /// The name and state of every service; empty in a forked child.
    #[must_use]
    pub fn status(&self) -> BTreeMap<String, State> {
        self.engine()
            .map(|engine| engine.with(|supervisor, _| supervisor.status()))
            .unwrap_or_default()
    }

    /// A snapshot of every service, sorted by name; empty in a forked child.
    ///
    /// If there are services with a queue, it asks their engine for the numbers of jobs, which may block; see
    /// [`Runner::without_backlogs`].
    #[must_use]
    pub fn services(&self) -> Vec<ServiceInfo> {
        let services =
            self.engine().map(|engine| engine.with(|supervisor, now| supervisor.services(now)));
        #[cfg(feature = "queue")]
        let services = services.map(|services| self.with_backlogs(services));
        services.unwrap_or_default()
    }

    /// A snapshot of one service.
    ///
    /// With thousands of services, it is much cheaper than [`Runner::services`]. If the service has a queue, it asks
    /// the engine for the numbers of jobs, which may block; see [`Runner::without_backlogs`].
    ///
    /// ```
    /// use tina4_service::{Runner, Service, State};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("mail", |_| {}).interval("1h"))?;
    /// assert_eq!(runner.service_info("mail")?.state, State::Registered);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// There is no such service; or this process is a forked child.
    pub fn service_info(&self, name: &str) -> Result<ServiceInfo, ControlError> {
        let service = self.try_request(|supervisor, now| supervisor.service_info(name, now))?;
        #[cfg(feature = "queue")]
        let service = self.with_backlog(service);
        Ok(service)
    }

    /// A handle of this runner whose snapshots do not ask for the numbers of jobs in queues: `QueueInfo::backlog` is `None`.
    ///
    /// So [`Runner::services`] and [`Runner::service_info`] of that handle never block because the store of a queue is slow or
    /// cannot be reached. Otherwise it is as this one; what [`Runner::downgrade`] makes of it asks again.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("mail", |_| {}).interval("1h"))?;
    /// assert_eq!(runner.without_backlogs().services().len(), 1);
    /// # Ok::<(), tina4_service::RegisterError>(())
    /// ```
    #[must_use]
    pub fn without_backlogs(&self) -> Self {
        Self { counts_jobs: false, ..self.clone() }
    }

    /// Returns a receiver of every change from now on, as typed events.
    ///
    /// It never blocks a service. The receiver holds 1,024 events. If it is full, events are lost, and
    /// [`Change::Missed`](crate::Change::Missed) counts them.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        // A receiver whose sender is gone.
        let disconnected = |_| crossbeam_channel::bounded(0).1;
        self.engine()
            .map_or_else(disconnected, |engine| engine.with(|supervisor, _| supervisor.subscribe()))
    }
}

#[cfg(all(test, not(shuttle), feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn services_registered_in_a_loop_share_their_spec() {
        let runner = Runner::new();
        for shop in ["berlin", "oslo"] {
            runner.register(Service::new(format!("import-{shop}"), |_| {}).interval("1h")).unwrap();
            runner.register(Service::new(format!("export-{shop}"), |_| {}).interval("1h")).unwrap();
        }
        let spec = |name| {
            let instance = runner.instance(name).expect("it was registered");
            std::ptr::from_ref(instance.definition.spec())
        };
        assert_eq!(spec("import-berlin"), spec("import-oslo"));
        assert_eq!(spec("export-berlin"), spec("export-oslo"));
        assert_ne!(spec("import-berlin"), spec("export-berlin"), "they are from two lines");
    }

    /// Another thread of the parent may have held the lock of the runtime at the fork.
    #[cfg(feature = "tokio")]
    #[test]
    fn rule_84_and_92_no_call_in_a_forked_child_needs_the_runtime() {
        async fn waits(ctx: &crate::Context) {
            ctx.stopped().await;
        }
        let runner = Runner::new();
        runner.register(Service::of("waits", waits)).unwrap();
        runner.shared.env.owner.give_to_parent();
        let held = runner.shared.env.runtime.hold();
        let (sender, answered) = std::sync::mpsc::channel();
        let child = runner.clone();
        let calls = move || {
            let refused = [
                child.start("waits"),
                child.restart("waits"),
                child.stop("waits").map(drop),
                child.unregister("waits").map(drop),
                child.wait_ready("waits"),
            ];
            assert!(refused.iter().all(|answer| matches!(answer, Err(ControlError::Forked))));
            assert!(matches!(child.start_all(), Err(StartError::Forked)));
            assert_eq!(child.run(), std::process::ExitCode::from(71));
            assert!(
                !child.is_live() && !child.readiness().is_ready && !child.health().status.is_up()
            );
            assert!(child.wait_timeout(Duration::from_secs(9)) && child.stop_all().forked);
            child.wait();
            #[cfg(feature = "signals")]
            assert!(child.wait_for_signal().is_err());
            sender.send(()).expect("the test waits");
        };
        crate::sys::threads::start_thread("child".to_owned(), Box::new(calls)).expect("a thread");
        answered.recv_timeout(Duration::from_secs(30)).expect("no call panics or waits");
        drop(held);
    }
}
