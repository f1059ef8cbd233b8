//! The handle of a runner, and its builder.

use std::collections::BTreeMap;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::Engine;
use crate::engine::invoke;
use crate::engine::supervisor::{Asked, Supervisor};
use crate::observe::event::Event;
use crate::observe::info::ServiceInfo;
use crate::observe::stop_report::{ControlError, StopReport, Stopped};
use crate::plan::{Plan, StartError};
use crate::service::builder::Service;
use crate::sys::fork::{self, Forked};
use crate::sys::place::Place;
use crate::text::nearest::nearest;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Input, State};

mod builder;
#[cfg(all(test, shuttle))]
mod model;
mod run;
mod shared;

use self::shared::Shared;
pub use builder::Builder;

/// How long `stop_all` and `wait` wait for the last lines of the log to be written.
const LOG_LIMIT: Duration = Duration::from_secs(1);

/// Holds services and runs them; a cheap clone.
///
/// The functions at the root of the crate do the same for the global runner, which holds every
/// declared service. When the last clone is dropped, the services are told to stop, and are not
/// waited for; call [`Runner::stop_all`] to wait.
///
/// ```
/// use tina4_service::{Runner, Service, Flow};
///
/// let runner = Runner::new();
/// runner.register(Service::new("hello", |_ctx| { println!("hello"); Flow::Done }));
/// runner.start_all().unwrap();
/// runner.wait();
/// assert_eq!(runner.status()["hello"].to_string(), "finished");
/// ```
#[derive(Clone)]
pub struct Runner {
    shared: Arc<Shared>,
}

#[cfg(feature = "testing")]
impl Runner {
    /// Tells everything to stop, and does not wait.
    pub(crate) fn tell_to_stop(&self) {
        self.shared.tell_to_stop();
    }
}

impl Default for Runner {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("status", &self.status()).finish()
    }
}

impl Runner {
    /// A runner without services: [`Runner::register`] adds them.
    #[must_use]
    pub fn new() -> Self {
        Builder::default().without_declared().build()
    }

    /// A runner with every declared service, or some of them, and with settings of its own.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Adds a service that is not known at compile time.
    ///
    /// What is wrong with it is reported by [`Runner::check`], [`Runner::start_all`] and
    /// [`Runner::start`]. It may be added at any time; after `start_all`, start it by name, or call
    /// `start_all` again.
    pub fn register(&self, service: Service) {
        match self.pool() {
            Ok(pool) => {
                let definition = service.into_definition(&self.shared.settings_cache);
                pool.with(|services, now| services.add(definition, now));
            }
            Err(Forked) => fork::refuse("register"),
        }
    }

    /// Makes a value available to services as [`Res<T>`](crate::Res); call it before starting.
    ///
    /// A second value of one type is a fault that [`Runner::check`] reports with both places.
    #[track_caller]
    pub fn provide<T: Send + Sync + 'static>(&self, value: T) {
        match self.pool() {
            Ok(_) => self.shared.env.resources.provide(value, Place::from(Location::caller())),
            Err(Forked) => fork::refuse("provide"),
        }
    }

    #[cfg(feature = "testing")]
    pub(crate) fn provide_at<T: Send + Sync + 'static>(&self, value: T, place: Place) {
        self.shared.env.resources.provide(value, place);
    }

    #[cfg(feature = "testing")]
    pub(crate) fn record_all(&self, record: crate::observe::event::Record) {
        self.shared.pool.with(|services, _| services.record_all(record));
    }

    #[cfg(feature = "testing")]
    pub(crate) fn instance(&self, name: &str) -> Option<Arc<crate::service::instance::Instance>> {
        self.shared.pool.with(|services, _| services.instance(name))
    }

    /// What [`Runner::start_all`] would do; nothing is started.
    ///
    /// # Errors
    ///
    /// Every fault in the services, with file and line; or this process is a forked child.
    pub fn check(&self) -> Result<Plan, StartError> {
        self.pool()?.with(|services, _| services.check())
    }

    /// Checks everything, then starts every service with `autostart`; returns at once.
    ///
    /// A second call starts what is registered or stopped by now. What has finished or failed is
    /// started by name only.
    ///
    /// # Errors
    ///
    /// Every fault in the services, with file and line; then nothing was started. Also if no thread
    /// can be had, if the runner is shutting down, or if this process is a forked child.
    pub fn start_all(&self) -> Result<Self, StartError> {
        self.begin()?.with(|services, now| services.start_all(now))?;
        self.has_threads()?;
        Ok(self.clone())
    }

    /// Starts one service, whatever its `autostart`; if it is active already, nothing happens.
    /// One that is being stopped starts again once it has stopped, unless it is abandoned.
    ///
    /// # Errors
    ///
    /// No such service; a fault that concerns it; its abandoned run is still alive; the runner is
    /// shutting down; this process is a forked child.
    pub fn start(&self, name: &str) -> Result<(), ControlError> {
        self.begin()?;
        self.ask(|services, now| services.start(name, now))?;
        self.has_threads().map_err(ControlError::Start)
    }

    /// Makes a request to one service. If there is none of that name, the error says which one was
    /// probably meant.
    fn ask<T>(
        &self,
        request: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let pool = self.pool()?;
        let mut answer = pool.with(request);
        if let Err(ControlError::Unknown { name, nearest: meant }) = &mut answer {
            // To compare thousands of names takes milliseconds: not under the lock.
            let instances = pool.with(|services, _| services.instances());
            let known = instances.iter().map(|instance| instance.definition.name_str());
            *meant = nearest(name, known).map(str::to_owned);
        }
        answer
    }

    fn pool(&self) -> Result<&Arc<Engine>, Forked> {
        self.shared.pool()
    }

    /// What must be known before the first service starts.
    fn begin(&self) -> Result<&Arc<Engine>, Forked> {
        let pool = self.pool()?;
        self.shared.env.owner.claim();
        // The end of the process does not wait for test time.
        #[cfg(feature = "exit-hook")]
        if !self.shared.env.clock.is_virtual() {
            crate::process::exit_hook::register(&self.shared.pool);
        }
        if crate::sys::panics::panics_abort() {
            // Not a `Once`: a log subscriber may start services itself.
            static SAID: AtomicBool = AtomicBool::new(false);
            if !SAID.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "this program is built with panic = \"abort\": a service that panics ends it"
                );
            }
        }
        Ok(pool)
    }

    /// With no thread at all nothing would ever run: better to say so at once.
    fn has_threads(&self) -> Result<(), StartError> {
        let error = self.shared.pool.with(|services, _| services.take_thread_error());
        match error {
            Some(error) if self.is_without_threads() => {
                self.shared.pool.with(Supervisor::undo_start);
                Err(StartError::NoThread(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether there is something to do and nobody to do it. Where all is done, all threads have left.
    fn is_without_threads(&self) -> bool {
        !self.shared.pool.with(|services, _| services.is_quiet()) && self.shared.pool.threads() == 0
    }

    /// Stops one service: waits for its current run and its clean-up, at most its `stop_timeout`.
    ///
    /// Called inside the service itself it makes the request and returns at once.
    ///
    /// # Errors
    ///
    /// No such service, or this process is a forked child.
    pub fn stop(&self, name: &str) -> Result<Stopped, ControlError> {
        match self.ask(|services, now| services.ask_to_stop(name, now))? {
            Ok(asked) => Ok(self.wait_for_stop(asked)),
            Err(answer) => Ok(answer),
        }
    }

    fn wait_for_stop(&self, asked: Asked) -> Stopped {
        let inside = self.inside();
        if inside == Some(asked.index) {
            return Stopped::Requested;
        }
        self.shared.pool.wait_for(|services, now| services.stop_result(asked, inside, now))
    }

    /// The service of this runner that runs on this thread.
    fn inside(&self) -> Option<u32> {
        let here = invoke::runner_id(&self.shared.env);
        invoke::current().filter(|(runner, _)| *runner == here).map(|(_, index)| index)
    }

    /// Stops one service and starts it again; exactly one copy runs. A service that is not active
    /// is started. Called inside the service itself it makes the request and returns at once.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start`]; also if it did not stop in time.
    pub fn restart(&self, name: &str) -> Result<(), ControlError> {
        self.begin()?;
        let asked = self.ask(|services, now| services.ask_to_restart(name, now))?;
        match asked.map(|asked| self.wait_for_stop(asked)) {
            Some(Stopped::Abandoned { age, place }) => {
                Err(ControlError::StillAlive { name: name.to_owned(), age, place })
            }
            Some(Stopped::Ended { .. } | Stopped::NotActive { .. } | Stopped::Requested) | None => {
                self.has_threads().map_err(ControlError::Start)
            }
        }
    }

    /// Runs a waiting, backing off or paused service at once; the grid of its interval stays.
    ///
    /// # Errors
    ///
    /// No such service; it is not active; a run is in progress; this process is a forked child.
    pub fn run_now(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::RunNow)
    }

    /// Begins no new run until [`Runner::resume`]; a run in progress goes on to its end.
    ///
    /// # Errors
    ///
    /// No such service; it is not active, or waits for others to be up; this process is a forked child.
    pub fn pause(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::Pause)
    }

    /// Ends a pause. Runs that fell due meanwhile are not made up for.
    ///
    /// # Errors
    ///
    /// No such service; it is not active; this process is a forked child.
    pub fn resume(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::Resume)
    }

    fn request(&self, name: &str, event: Input) -> Result<(), ControlError> {
        self.ask(|services, now| services.request(name, event, now))
    }

    /// Stops everything: in reverse of `after`, each with its clean-up, under one deadline (25 s
    /// unless the builder says otherwise).
    ///
    /// May be called from any thread and any number of times. Inside a service it makes the
    /// request and returns at once, with [`StopReport::in_progress`] set.
    pub fn stop_all(&self) -> StopReport {
        self.stop_all_within(LOG_LIMIT)
    }

    /// [`Runner::stop_all`], which waits at most `log_limit` for the last lines of the log.
    fn stop_all_within(&self, log_limit: Duration) -> StopReport {
        let Ok(pool) = self.pool() else {
            return StopReport { forked: true, ..StopReport::default() };
        };
        self.shared.tell_to_stop();
        if self.inside().is_some() {
            return pool.with(|services, now| services.interim_report(now));
        }
        let report = pool.wait_for(Supervisor::shutdown_result);
        pool.wait_until_flushed(log_limit);
        report
    }

    /// Whether a service is active: waiting, running, backing off, paused, stopping. An unknown
    /// name is `false`.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        let state = self.pool().map(|pool| pool.with(|services, _| services.state(name)));
        state.ok().flatten().is_some_and(State::is_active)
    }

    /// Name and state of every service; nothing in a forked child.
    #[must_use]
    pub fn status(&self) -> BTreeMap<String, State> {
        self.pool().map(|pool| pool.with(|services, _| services.status())).unwrap_or_default()
    }

    /// Everything known about every service, by name; nothing in a forked child.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceInfo> {
        self.pool()
            .map(|pool| pool.with(|services, now| services.services(now)))
            .unwrap_or_default()
    }

    /// Every change from now on. The receiver holds 1,024 events; who reads too slowly misses
    /// some and is told how many. It never blocks a service.
    #[must_use]
    pub fn subscribe(&self) -> Receiver<Event> {
        // A receiver whose sender is gone.
        let nothing = |_| crossbeam_channel::bounded(0).1;
        self.pool().map_or_else(nothing, |pool| pool.with(|services, _| services.subscribe()))
    }
}

#[cfg(all(test, not(shuttle), feature = "testing"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_registered_in_a_loop_is_checked_once() {
        let runner = Runner::new();
        for shop in ["berlin", "oslo"] {
            runner.register(Service::new(format!("import-{shop}"), |_| {}).interval("1h"));
            runner.register(Service::new(format!("export-{shop}"), |_| {}).interval("1h"));
        }
        let spec = |name| {
            let instance = runner.instance(name).expect("it was registered");
            std::ptr::from_ref(instance.definition.spec())
        };
        assert_eq!(spec("import-berlin"), spec("import-oslo"));
        assert_eq!(spec("export-berlin"), spec("export-oslo"));
        assert_ne!(spec("import-berlin"), spec("export-berlin"), "they are from two lines");
    }
}
