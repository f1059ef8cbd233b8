//! The functions at the crate's root, which use the global runner. It holds every declared service.

use std::collections::BTreeMap;
#[cfg(feature = "tokio")]
use std::future::Future;
use std::process::ExitCode;
use std::time::Duration;

use crossbeam_channel::Receiver;

use crate::engine::control_error::ControlError;
use crate::observe::event::Event;
use crate::observe::health::Health;
use crate::observe::history::History;
use crate::observe::info::ServiceInfo;
use crate::observe::metrics::Metrics;
use crate::observe::notice::Notice;
use crate::observe::readiness::Readiness;
use crate::observe::requester::Requester;
#[cfg(feature = "run-log")]
use crate::observe::run_logs::RunLogs;
#[cfg(feature = "signals")]
use crate::observe::signal::StopCause;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::plan::plan::Plan;
use crate::plan::register_error::RegisterError;
use crate::plan::start_error::StartError;
use crate::runner::on_change::ChangeHook;
use crate::runner::runner::Runner;
use crate::service::builder::Service;
use crate::time::schedule::Schedule;
use build_global::global;
use tina4_service_core::lifecycle::State;

pub(crate) mod build_global;

/// Checks everything, then starts every declared service with `autostart`. See [`Runner::start_all`].
///
/// # Errors
///
/// The services have faults (all of them are listed, with file and line); no thread could be started;
/// it would start an async service, and the tokio runtime of the async services has shut down; the runner
/// is shutting down; or this process is a forked child. In each case nothing was started.
#[track_caller]
pub fn start_all() -> Result<Runner, StartError> {
    global().start_all()
}

/// Starts all services, waits, stops them in order, and prints the report. See [`Runner::run`].
///
/// It waits for SIGINT (Ctrl-C), SIGTERM or SIGHUP, or until all services have ended.
#[must_use = "the exit code tells the caller whether the services failed"]
#[track_caller]
pub fn run() -> ExitCode {
    global().run()
}

/// Starts one service. See [`Runner::start`].
///
/// # Errors
///
/// There is no such service; a fault prevents its start; no thread could be started; its abandoned run
/// is still alive; it is async, and the tokio runtime of the async services has shut down; the runner is
/// shutting down; or this process is a forked child.
#[track_caller]
pub fn start(name: &str) -> Result<(), ControlError> {
    global().start(name)
}

/// Stops one service, and waits for it. See [`Runner::stop`].
///
/// # Errors
///
/// There is no such service; it is async, and this thread is the one that executes it (await `stop_async`
/// there); or this process is a forked child.
#[track_caller]
pub fn stop(name: &str) -> Result<Stopped, ControlError> {
    global().stop(name)
}

/// Stops one service and starts it again. See [`Runner::restart`].
///
/// # Errors
///
/// As for [`start`]; also if the service did not stop in time, or is async and this thread is the one that
/// executes it (await `restart_async` there).
#[track_caller]
pub fn restart(name: &str) -> Result<(), ControlError> {
    global().restart(name)
}

/// Runs a service immediately. See [`Runner::run_now`].
///
/// # Errors
///
/// There is no such service; it is not active, still waits for the services that it depends on, or
/// is stopping; a run is in progress; or this process is a forked child.
#[track_caller]
pub fn run_now(name: &str) -> Result<(), ControlError> {
    global().run_now(name)
}

/// Forgets the failures of a service, but not those in its [`history`]. See [`Runner::reset`].
///
/// # Errors
///
/// There is no such service; it was abandoned, and its run or clean-up is still alive; it has just failed, and
/// its clean-up is in progress; or this process is a forked child.
#[track_caller]
pub fn reset(name: &str) -> Result<(), ControlError> {
    global().reset(name)
}

/// Pauses a service: no new run starts until [`resume`]. See [`Runner::pause`].
///
/// # Errors
///
/// There is no such service; it is not active, still waits for the services that it depends on, or
/// is stopping; or this process is a forked child.
#[track_caller]
pub fn pause(name: &str) -> Result<(), ControlError> {
    global().pause(name)
}

/// Ends a service's pause. See [`Runner::resume`].
///
/// # Errors
///
/// There is no such service; it is not active, or is stopping; or this process is a forked child.
#[track_caller]
pub fn resume(name: &str) -> Result<(), ControlError> {
    global().resume(name)
}

/// Calls a function for each change that people want to be told of. See [`Runner::on_change`].
#[track_caller]
pub fn on_change(hook: impl Fn(&Notice) + Send + Sync + 'static) -> ChangeHook {
    global().on_change(hook)
}

/// The global runner, for requests that somebody makes. See [`Runner::on_behalf_of`].
#[track_caller]
#[must_use]
pub fn on_behalf_of(requester: Requester) -> Runner {
    global().on_behalf_of(requester)
}

/// Changes the schedule of a service, which follows the new one from now on. See
/// [`Runner::reschedule`].
///
/// # Errors
///
/// There is no such service; it is continuous, or the new schedule is; the schedule does not fit its
/// other settings; or this process is a forked child.
#[track_caller]
pub fn reschedule(name: &str, schedule: Schedule) -> Result<(), ControlError> {
    global().reschedule(name, schedule)
}

/// Waits until a service is ready. See [`Runner::wait_ready`].
///
/// # Errors
///
/// There is no such service; it cannot become ready unless it is started; the call comes from the service
/// itself, or from one that has been asked to stop; an async service is active, and this thread is the one
/// that executes it (await `wait_ready_async` there); or this process is a forked child.
pub fn wait_ready(name: &str) -> Result<(), ControlError> {
    global().wait_ready(name)
}

/// Stops everything in order, under one deadline. See [`Runner::stop_all`].
#[track_caller]
pub fn stop_all() -> StopReport {
    global().stop_all()
}

/// Returns whether a service is active; `false` for an unknown name. See [`Runner::is_running`].
#[must_use]
#[track_caller]
pub fn is_running(name: &str) -> bool {
    global().is_running(name)
}

/// The name and state of every service.
#[must_use]
#[track_caller]
pub fn status() -> BTreeMap<String, State> {
    global().status()
}

/// A snapshot of every service. See [`ServiceInfo`].
#[must_use]
#[track_caller]
pub fn services() -> Vec<ServiceInfo> {
    global().services()
}

/// A snapshot of one service. See [`Runner::service_info`].
///
/// # Errors
///
/// There is no such service; or this process is a forked child.
#[track_caller]
pub fn service_info(name: &str) -> Result<ServiceInfo, ControlError> {
    global().service_info(name)
}

/// Whether the engine makes progress: due work is begun. Answer 200 at `/livez` if so, and 503 if not. See
/// [`Runner::is_live`].
#[must_use]
#[track_caller]
pub fn is_live() -> bool {
    global().is_live()
}

/// Whether the program is ready for work from outside. Answer 200 at `/readyz` if so, and 503 if not. See
/// [`Runner::readiness`].
#[must_use]
#[track_caller]
pub fn readiness() -> Readiness {
    global().readiness()
}

/// The health of the program, for people and monitors: one word, and what is wrong. See [`Runner::health`].
#[must_use]
#[track_caller]
pub fn health() -> Health {
    global().health()
}

/// The metrics in the text format of Prometheus (version 0.0.4), for `/metrics`. See [`Runner::prometheus`].
#[must_use]
#[track_caller]
pub fn prometheus() -> String {
    global().prometheus()
}

/// The metrics as values, for exporters of other formats. See [`Runner::metrics`].
#[must_use]
#[track_caller]
pub fn metrics() -> Metrics {
    global().metrics()
}

/// The past runs of a service: the last 20, and the last 5 failures, kept separately. See [`Runner::history`].
///
/// # Errors
///
/// There is no such service; or this process is a forked child.
#[track_caller]
pub fn history(name: &str) -> Result<History, ControlError> {
    global().history(name)
}

/// The log lines of the last run of a service, and of its last failing run. See [`Runner::run_log`].
///
/// # Errors
///
/// There is no such service; or this process is a forked child.
#[cfg(feature = "run-log")]
#[track_caller]
pub fn run_log(name: &str) -> Result<RunLogs, ControlError> {
    global().run_log(name)
}

/// Makes a value available to services as [`Res<T>`](crate::Res); call it before starting.
///
/// An `Arc<T>` serves as `Res<T>`, too. A second value of the same type is a fault, which [`check`]
/// reports with both places.
#[cfg_attr(
    feature = "queue",
    doc = "\nThe first [`Queues`](crate::Queues) also become those of [`Queue::push`](crate::Queue::push)."
)]
#[track_caller]
pub fn provide<T: Send + Sync + 'static>(value: T) {
    #[cfg(feature = "queue")]
    {
        let value: &dyn std::any::Any = &value;
        if let Some(queues) = value.downcast_ref::<tina4_service_queue::Queues>() {
            queues.make_global();
        }
    }
    global().provide(value);
}

/// Adds a service that is not known at compile time. See [`Runner::register`].
///
/// # Errors
///
/// The name is taken; the settings have faults (all of them are listed, with file and line); or this
/// process is a forked child. In each case nothing is kept.
#[track_caller]
pub fn register(service: Service) -> Result<(), RegisterError> {
    global().register(service)
}

/// Removes a service: stops it, waits for its clean-up, and forgets it. See [`Runner::unregister`].
///
/// # Errors
///
/// There is no such service; a service that depends on it is active or blocked; it was abandoned, or it
/// did not stop in time, and its run is still alive; the call comes from the service itself, or from one
/// that has been asked to stop; it is async, and this thread is the one that executes it (await
/// `unregister_async` there); or this process is a forked child. The service is then still registered, but
/// may have been stopped.
#[track_caller]
pub fn unregister(name: &str) -> Result<Stopped, ControlError> {
    global().unregister(name)
}

/// Checks the services and returns the plan of [`start_all`], without starting anything. See [`Runner::check`].
///
/// # Errors
///
/// The services have faults (all of them are listed, with file and line), the engine of the queues cannot be used, or this
/// process is a forked child.
#[track_caller]
pub fn check() -> Result<Plan, StartError> {
    global().check()
}

/// Returns a receiver of every change from now on, as typed events. See [`Runner::subscribe`].
#[must_use]
#[track_caller]
pub fn subscribe() -> Receiver<Event> {
    global().subscribe()
}

/// Waits until every service has ended. See [`Runner::wait`].
#[track_caller]
pub fn wait() {
    global().wait();
}

/// Waits until every service has ended, for at most `timeout`. See [`Runner::wait_timeout`].
///
/// Returns `true` if nothing is active any more.
#[must_use = "`false` means that something is still active"]
#[track_caller]
pub fn wait_timeout(timeout: Duration) -> bool {
    global().wait_timeout(timeout)
}

/// Waits for a stop signal, or until the runner shuts down. See [`Runner::wait_for_signal`].
///
/// # Errors
///
/// The operating system refused the signal handlers; an async service is active, and this thread is the one
/// that executes it (await `wait_for_signal_async` there); or this process is a forked child.
#[cfg(feature = "signals")]
#[track_caller]
pub fn wait_for_signal() -> std::io::Result<StopCause> {
    global().wait_for_signal()
}

/// Waits like [`wait_for_signal`], for at most `timeout`; `None` if it timed out.
///
/// See [`Runner::wait_for_signal_timeout`].
///
/// # Errors
///
/// As for [`wait_for_signal`].
#[cfg(feature = "signals")]
#[track_caller]
pub fn wait_for_signal_timeout(timeout: Duration) -> std::io::Result<Option<StopCause>> {
    global().wait_for_signal_timeout(timeout)
}

/// [`run`] for an async `main`: it blocks no thread. See [`Runner::run_async`].
#[cfg(feature = "tokio")]
#[must_use = "the exit code tells the caller whether the services failed"]
#[track_caller]
pub fn run_async() -> impl Future<Output = ExitCode> + Send {
    global().run_async()
}

/// [`stop`] for an async function. See [`Runner::stop_async`].
///
/// # Errors
///
/// As for [`stop`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn stop_async(name: &str) -> impl Future<Output = Result<Stopped, ControlError>> + Send + '_ {
    global().stop_async(name)
}

/// [`restart`] for an async function. See [`Runner::restart_async`].
///
/// # Errors
///
/// As for [`restart`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn restart_async(name: &str) -> impl Future<Output = Result<(), ControlError>> + Send + '_ {
    global().restart_async(name)
}

/// [`unregister`] for an async function. See [`Runner::unregister_async`].
///
/// # Errors
///
/// As for [`unregister`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn unregister_async(
    name: &str,
) -> impl Future<Output = Result<Stopped, ControlError>> + Send + '_ {
    global().unregister_async(name)
}

/// [`stop_all`] for an async function. See [`Runner::stop_all_async`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn stop_all_async() -> impl Future<Output = StopReport> + Send {
    global().stop_all_async()
}

/// [`wait_ready`] for an async function. See [`Runner::wait_ready_async`].
///
/// # Errors
///
/// As for [`wait_ready`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn wait_ready_async(name: &str) -> impl Future<Output = Result<(), ControlError>> + Send + '_ {
    global().wait_ready_async(name)
}

/// [`wait`] for an async function. See [`Runner::wait_async`].
#[cfg(feature = "tokio")]
#[track_caller]
pub fn wait_async() -> impl Future<Output = ()> + Send {
    global().wait_async()
}

/// [`wait_timeout`] for an async function; `true` if nothing is active any more. See
/// [`Runner::wait_timeout_async`].
#[cfg(feature = "tokio")]
#[must_use = "`false` means that something is still active"]
#[track_caller]
pub fn wait_timeout_async(timeout: Duration) -> impl Future<Output = bool> + Send {
    global().wait_timeout_async(timeout)
}

/// [`wait_for_signal`] for an async function. See [`Runner::wait_for_signal_async`].
///
/// # Errors
///
/// As for [`wait_for_signal`].
#[cfg(all(feature = "signals", feature = "tokio"))]
#[track_caller]
pub fn wait_for_signal_async() -> impl Future<Output = std::io::Result<StopCause>> + Send {
    global().wait_for_signal_async()
}

/// [`wait_for_signal_timeout`] for an async function. See [`Runner::wait_for_signal_timeout_async`].
///
/// # Errors
///
/// As for [`wait_for_signal`].
#[cfg(all(feature = "signals", feature = "tokio"))]
#[track_caller]
pub fn wait_for_signal_timeout_async(
    timeout: Duration,
) -> impl Future<Output = std::io::Result<Option<StopCause>>> + Send {
    global().wait_for_signal_timeout_async(timeout)
}
