//! The global runner, which holds every declared service, and the functions at the crate's root.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::control_error::ControlError;
use crate::observe::event::Event;
use crate::observe::info::ServiceInfo;
#[cfg(feature = "signals")]
use crate::observe::signal::StopCause;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::plan::Plan;
use crate::plan::start_error::StartError;
use crate::runner::runner::Runner;
use crate::service::builder::Service;
use tina4_service_core::lifecycle::State;

static GLOBAL: LazyLock<Runner> = LazyLock::new(|| Runner::builder().build());

/// Checks everything, then starts every declared service with `autostart`. See [`Runner::start_all`].
///
/// # Errors
///
/// The services have faults (all of them are listed, with file and line); no thread could be started;
/// the runner is shutting down; or this process is a forked child. In each case nothing was started.
pub fn start_all() -> Result<Runner, StartError> {
    GLOBAL.start_all()
}

/// Starts all services, waits, stops them in order, and prints the report. See [`Runner::run`].
///
/// It waits for SIGINT (Ctrl-C), SIGTERM or SIGHUP, or until all services have ended.
#[must_use = "the exit code tells the caller whether the services failed"]
pub fn run() -> ExitCode {
    GLOBAL.run()
}

/// Starts one service. See [`Runner::start`].
///
/// # Errors
///
/// There is no such service; a fault prevents its start; no thread could be started; its abandoned run
/// is still alive; the runner is shutting down; or this process is a forked child.
pub fn start(name: &str) -> Result<(), ControlError> {
    GLOBAL.start(name)
}

/// Stops one service, and waits for it. See [`Runner::stop`].
///
/// # Errors
///
/// There is no such service, or this process is a forked child.
pub fn stop(name: &str) -> Result<Stopped, ControlError> {
    GLOBAL.stop(name)
}

/// Stops one service and starts it again. See [`Runner::restart`].
///
/// # Errors
///
/// As for [`start`]; also if the service did not stop in time.
pub fn restart(name: &str) -> Result<(), ControlError> {
    GLOBAL.restart(name)
}

/// Runs a service immediately. See [`Runner::run_now`].
///
/// # Errors
///
/// There is no such service; it is not active, still waits for the services that it depends on, or
/// is stopping; a run is in progress; or this process is a forked child.
pub fn run_now(name: &str) -> Result<(), ControlError> {
    GLOBAL.run_now(name)
}

/// Pauses a service: no new run starts until [`resume`]. See [`Runner::pause`].
///
/// # Errors
///
/// There is no such service; it is not active, still waits for the services that it depends on, or
/// is stopping; or this process is a forked child.
pub fn pause(name: &str) -> Result<(), ControlError> {
    GLOBAL.pause(name)
}

/// Ends a service's pause. See [`Runner::resume`].
///
/// # Errors
///
/// There is no such service; it is not active, or is stopping; or this process is a forked child.
pub fn resume(name: &str) -> Result<(), ControlError> {
    GLOBAL.resume(name)
}

/// Waits until a service is ready. See [`Runner::wait_ready`].
///
/// # Errors
///
/// There is no such service; it is not ready and is not going to be; the call comes from the service
/// itself, or from one that has been asked to stop; or this process is a forked child.
pub fn wait_ready(name: &str) -> Result<(), ControlError> {
    GLOBAL.wait_ready(name)
}

/// Stops everything in order, under one deadline. See [`Runner::stop_all`].
pub fn stop_all() -> StopReport {
    GLOBAL.stop_all()
}

/// Returns whether a service is active; `false` for an unknown name. See [`Runner::is_running`].
#[must_use]
pub fn is_running(name: &str) -> bool {
    GLOBAL.is_running(name)
}

/// The name and state of every service.
#[must_use]
pub fn status() -> BTreeMap<String, State> {
    GLOBAL.status()
}

/// A snapshot of every service. See [`ServiceInfo`].
#[must_use]
pub fn services() -> Vec<ServiceInfo> {
    GLOBAL.services()
}

/// Makes a value available to services as [`Res<T>`](crate::Res); call it before starting.
///
/// A second value of the same type is a fault, which [`check`] reports with both places.
#[track_caller]
pub fn provide<T: Send + Sync + 'static>(value: T) {
    GLOBAL.provide(value);
}

/// Adds a service that is not known at compile time. See [`Runner::register`].
pub fn register(service: Service) {
    GLOBAL.register(service);
}

/// Checks the services and returns the plan of [`start_all`], without starting anything.
///
/// # Errors
///
/// The services have faults (all of them are listed, with file and line), or this process is a forked
/// child.
pub fn check() -> Result<Plan, StartError> {
    GLOBAL.check()
}

/// Returns a receiver of every change from now on, as typed events. See [`Runner::subscribe`].
#[must_use]
pub fn subscribe() -> Receiver<Event> {
    GLOBAL.subscribe()
}

/// Waits until every service has ended. See [`Runner::wait`].
pub fn wait() {
    GLOBAL.wait();
}

/// Waits until every service has ended, for at most `timeout`. See [`Runner::wait_timeout`].
///
/// Returns `true` if nothing is active any more.
#[must_use = "`false` means that something is still active"]
pub fn wait_timeout(timeout: Duration) -> bool {
    GLOBAL.wait_timeout(timeout)
}

/// Waits for a stop signal, or until the runner shuts down. See [`Runner::wait_for_signal`].
///
/// # Errors
///
/// The operating system refused the signal handlers, or this process is a forked child.
#[cfg(feature = "signals")]
pub fn wait_for_signal() -> std::io::Result<StopCause> {
    GLOBAL.wait_for_signal()
}

/// Waits like [`wait_for_signal`], for at most `timeout`; `None` if it timed out.
///
/// See [`Runner::wait_for_signal_timeout`].
///
/// # Errors
///
/// As for [`wait_for_signal`].
#[cfg(feature = "signals")]
pub fn wait_for_signal_timeout(timeout: Duration) -> std::io::Result<Option<StopCause>> {
    GLOBAL.wait_for_signal_timeout(timeout)
}
