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
use crate::engine::supervisor::Supervisor;
use crate::engine::supervisor::control::{PendingStop, StopResponse};
use crate::observe::event::Event;
use crate::observe::info::ServiceInfo;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::plan::Plan;
use crate::plan::start_error::StartError;
use crate::process::stderr;
use crate::runner::shared::Shared;
use crate::service::builder::Service;
use crate::sys::fork::Forked;
use crate::sys::place::Place;
use crate::text::nearest::nearest;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Input, State};

/// How long `stop_all` and `wait` wait for the last log lines to be written.
pub(super) const LOG_LIMIT: Duration = Duration::from_secs(1);

/// Holds services and runs them; cheap to clone.
///
/// The functions at the root of the crate do the same for the global runner, which holds every
/// declared service. Dropping the last clone asks the services to stop, but does not wait for them;
/// call [`Runner::stop_all`] to wait.
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
    pub(super) shared: Arc<Shared>,
}

impl fmt::Debug for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runner").field("status", &self.status()).finish()
    }
}

impl Runner {
    /// Adds a service that is not known at compile time.
    ///
    /// [`Runner::check`], [`Runner::start_all`] and [`Runner::start`] report its faults. Services may
    /// be added at any time; after `start_all`, start them by name, or call `start_all` again.
    pub fn register(&self, service: Service) {
        match self.pool() {
            Ok(pool) => {
                let definition = service.into_definition(&self.shared.settings_cache);
                pool.with(|services, now| services.add(definition, now));
            }
            Err(Forked) => stderr::refuse("register"),
        }
    }

    /// Makes a value available to services as [`Res<T>`](crate::Res); call it before starting.
    ///
    /// A second value of one type is a fault that [`Runner::check`] reports with both places.
    #[track_caller]
    pub fn provide<T: Send + Sync + 'static>(&self, value: T) {
        match self.pool() {
            Ok(_) => self.shared.env.resources.provide(value, Place::from(Location::caller())),
            Err(Forked) => stderr::refuse("provide"),
        }
    }

    /// What [`Runner::start_all`] would do; nothing is started.
    ///
    /// # Errors
    ///
    /// Every fault in the services, with file and line; this process is a forked child.
    pub fn check(&self) -> Result<Plan, StartError> {
        self.pool()?.with(|services, _| services.check())
    }

    /// Checks everything, then starts every service with `autostart`, without waiting.
    ///
    /// A second call starts services that were registered or stopped since. Services that finished or
    /// failed start by name only.
    ///
    /// # Errors
    ///
    /// Every fault in the services, with file and line; no thread could be started; the runner is
    /// shutting down; this process is a forked child. Then nothing was started.
    pub fn start_all(&self) -> Result<Self, StartError> {
        self.begin()?.with(|services, now| services.start_all(now))?;
        self.ensure_threads()?;
        Ok(self.clone())
    }

    /// Starts one service, whatever its `autostart`; an active one is left alone.
    ///
    /// A service that is being stopped starts again once it has stopped, unless it is abandoned.
    ///
    /// # Errors
    ///
    /// No such service; a fault that concerns it; its abandoned run is still alive; the runner is
    /// shutting down; this process is a forked child.
    pub fn start(&self, name: &str) -> Result<(), ControlError> {
        self.begin()?;
        self.ask(|services, now| services.start(name, now))?;
        self.ensure_threads().map_err(ControlError::Start)
    }

    /// Makes a request to one service. For an unknown name the error suggests a similar one.
    fn ask<T>(
        &self,
        request: impl FnOnce(&mut Supervisor, Nanos) -> Result<T, ControlError>,
    ) -> Result<T, ControlError> {
        let pool = self.pool()?;
        let mut answer = pool.with(request);
        if let Err(ControlError::Unknown { name, nearest: meant }) = &mut answer {
            // Comparing thousands of names takes milliseconds, so do it without the lock.
            let instances = pool.with(|services, _| services.instances());
            let known = instances.iter().map(|instance| instance.definition.name_str());
            *meant = nearest(name, known).map(str::to_owned);
        }
        answer
    }

    pub(super) fn pool(&self) -> Result<&Arc<Engine>, Forked> {
        self.shared.pool()
    }

    /// Prepares the process for the first start.
    fn begin(&self) -> Result<&Arc<Engine>, Forked> {
        let pool = self.pool()?;
        #[cfg(unix)]
        crate::process::ffi::watch_forks();
        self.shared.env.owner.claim();
        // Nothing drives virtual time at the end of the process, so the exit hook would wait in vain.
        #[cfg(feature = "exit-hook")]
        if !self.shared.env.clock.drives_runner() {
            crate::process::exit_hook::register(&self.shared.pool);
        }
        if crate::sys::panics::panics_abort() {
            // Not a `Once`: a log subscriber may start services itself.
            static WARNED: AtomicBool = AtomicBool::new(false);
            if !WARNED.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    "this program is built with panic = \"abort\": a service that panics ends it"
                );
            }
        }
        Ok(pool)
    }

    /// Fails if there is no thread at all, because nothing would ever run.
    fn ensure_threads(&self) -> Result<(), StartError> {
        let error = self.shared.pool.with(|services, _| services.take_spawn_error());
        match error {
            Some(error) if self.is_without_threads() => {
                self.shared.pool.with(Supervisor::undo_start);
                Err(StartError::NoThread(error))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Whether services are active without any thread. If none is active, all threads may have exited.
    fn is_without_threads(&self) -> bool {
        !self.shared.pool.with(|services, _| services.is_idle())
            && self.shared.pool.thread_count() == 0
    }

    /// Stops one service: waits for its current run and its clean-up, at most its `stop_timeout`.
    ///
    /// Called inside the service itself, it makes the request and does not wait.
    ///
    /// # Errors
    ///
    /// No such service, or this process is a forked child.
    pub fn stop(&self, name: &str) -> Result<Stopped, ControlError> {
        match self.ask(|services, now| services.request_stop(name, now))? {
            StopResponse::Pending(pending) => Ok(self.wait_for_stop(pending)),
            StopResponse::Answered(answer) => Ok(answer),
        }
    }

    fn wait_for_stop(&self, pending: PendingStop) -> Stopped {
        let inside = self.calling_service();
        if inside == Some(pending.index) {
            return Stopped::Requested;
        }
        self.shared.pool.wait_for(|services, now| services.stop_result(pending, inside, now))
    }

    /// The service of this runner that runs on this thread.
    pub(super) fn calling_service(&self) -> Option<u32> {
        let here = current::runner_id(&self.shared.env);
        current::current().filter(|(runner, _)| *runner == here).map(|(_, index)| index)
    }

    /// Stops one service and starts it again; never runs two copies.
    ///
    /// A service that is not active is started. Called inside the service itself, it makes the request
    /// and does not wait.
    ///
    /// # Errors
    ///
    /// As for [`Runner::start`]; also if it did not stop in time.
    pub fn restart(&self, name: &str) -> Result<(), ControlError> {
        self.begin()?;
        let pending = self.ask(|services, now| services.request_restart(name, now))?;
        match pending.map(|pending| self.wait_for_stop(pending)) {
            Some(Stopped::Abandoned { age, place }) => {
                Err(ControlError::StillAlive { name: name.to_owned(), age, place })
            }
            Some(Stopped::Ended { .. } | Stopped::NotActive { .. } | Stopped::Requested) | None => {
                self.ensure_threads().map_err(ControlError::Start)
            }
        }
    }

    /// Runs a waiting, backing off or paused service immediately.
    ///
    /// The due times of its interval do not move.
    ///
    /// # Errors
    ///
    /// No such service; it is not active; a run is in progress; this process is a forked child.
    pub fn run_now(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::RunNow)
    }

    /// Starts no new run until [`Runner::resume`]; a run in progress continues to its end.
    ///
    /// # Errors
    ///
    /// No such service; it is not active, or still waits for the services that it comes `after`; this
    /// process is a forked child.
    pub fn pause(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::Pause)
    }

    /// Ends a pause. Runs that fell due during the pause are not caught up.
    ///
    /// # Errors
    ///
    /// No such service; it is not active; this process is a forked child.
    pub fn resume(&self, name: &str) -> Result<(), ControlError> {
        self.request(name, Input::Resume)
    }

    fn request(&self, name: &str, event: Input<'_>) -> Result<(), ControlError> {
        self.ask(|services, now| services.request(name, event, now))
    }

    /// Stops everything: in reverse of `after`, each with its clean-up, under one deadline.
    ///
    /// The deadline is 25 s unless the builder sets another one. Any thread may call this, any number
    /// of times. Inside a service it makes the request and does not wait;
    /// [`StopReport::in_progress`] is set then.
    pub fn stop_all(&self) -> StopReport {
        self.stop_all_within(LOG_LIMIT)
    }

    /// [`Runner::stop_all`], which waits at most `log_limit` for the last log lines.
    pub(super) fn stop_all_within(&self, log_limit: Duration) -> StopReport {
        let Ok(pool) = self.pool() else {
            return StopReport { forked: true, ..StopReport::default() };
        };
        self.shared.request_stop();
        if self.calling_service().is_some() {
            return pool.with(|services, now| services.interim_report(now));
        }
        let report = pool.wait_for(Supervisor::shutdown_result);
        pool.wait_for_log(log_limit);
        report
    }

    /// Whether a service is active: waiting, running, backing off, paused, stopping.
    ///
    /// `false` for an unknown name.
    #[must_use]
    pub fn is_running(&self, name: &str) -> bool {
        let state = self.pool().map(|pool| pool.with(|services, _| services.state(name)));
        state.ok().flatten().is_some_and(State::is_active)
    }

    /// Name and state of every service; empty in a forked child.
    #[must_use]
    pub fn status(&self) -> BTreeMap<String, State> {
        self.pool().map(|pool| pool.with(|services, _| services.status())).unwrap_or_default()
    }

    /// A snapshot of every service, sorted by name; empty in a forked child.
    #[must_use]
    pub fn services(&self) -> Vec<ServiceInfo> {
        self.pool()
            .map(|pool| pool.with(|services, now| services.services(now)))
            .unwrap_or_default()
    }

    /// Every change from now on, as typed events; never blocks a service.
    ///
    /// The receiver holds 1,024 events. If it is full, events are lost, and
    /// [`Change::Missed`](crate::Change::Missed) counts them.
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
    fn services_registered_in_a_loop_are_checked_once() {
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
