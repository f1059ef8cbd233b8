//! `run` and the methods that wait: for the end of all services, or for a signal.

use std::fmt;
#[cfg(feature = "tokio")]
use std::future::Future;
use std::io::{self, Write};
use std::process::ExitCode;
#[cfg(feature = "signals")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "signals")]
use crate::engine::Engine;
use crate::engine::pool::poll::Poll;
use crate::engine::supervisor::Supervisor;
#[cfg(feature = "signals")]
use crate::observe::signal::StopCause;
use crate::plan::start_error::StartError;
use crate::process::exit_code::{exit_code, start_error_code};
#[cfg(feature = "signals")]
use crate::process::signals::run_watch::RunWatch;
#[cfg(feature = "signals")]
use crate::process::signals::waiter_guard::WaiterGuard;
use crate::process::stderr;
#[cfg(feature = "signals")]
use crate::runner::blocking::{blocks_runtime, wait_for};
use crate::runner::blocking::{report_refusal as report_refusal_to_block, wait_for_log};
use crate::runner::hook_wait::NOTICE_TIMEOUT;
use crate::runner::runner::{LOG_TIMEOUT, Runner};
#[cfg(feature = "signals")]
use crate::sys::log_target::LOG_TARGET;
use tina4_service_core::{Nanos, nanos};

/// The log line about signals that cannot be handled.
#[cfg(feature = "signals")]
const NO_SIGNALS: &str = "signals cannot be handled and end the program without clean-up; check the limits on threads and file descriptors";

/// How long `run` waits for the last log lines. This is shorter than elsewhere, so that its report is
/// not late.
const RUN_LOG_TIMEOUT: Duration = Duration::from_millis(500);

/// How long `run` waits for hooks. After a signal, the process ends a second after everything has stopped.
fn hook_timeout(signalled: bool) -> Duration {
    if signalled { RUN_LOG_TIMEOUT } else { NOTICE_TIMEOUT }
}

impl Runner {
    /// Waits until nothing is active: every service has stopped, finished, failed or been abandoned, or
    /// is blocked.
    ///
    /// Inside a service of this runner it returns immediately, because that service is active.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits like [`Runner::wait`], for at most `timeout`; `true` if nothing is active any more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("clock", |_| {}).interval("1h")).unwrap();
    /// runner.start_all().unwrap();
    /// assert!(!runner.wait_timeout(Duration::from_millis(1)));
    /// runner.stop_all();
    /// assert!(runner.wait_timeout(Duration::from_millis(1)));
    /// ```
    #[must_use = "`false` means that something is still active"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Some(self.instant_after(timeout)))
    }

    pub(super) fn instant_after(&self, timeout: Duration) -> Nanos {
        self.shared.env.clock.now().saturating_add(nanos(timeout))
    }

    fn wait_until(&self, deadline: Option<Nanos>) -> bool {
        let Ok(engine) = self.engine() else {
            // A forked child does not wait for the services of its parent.
            return true;
        };
        if self.calling_service().is_some() {
            return false;
        }
        let Some(quiet) = self.shared.wait_for(idle_condition(deadline)) else {
            report_refusal_to_block(if deadline.is_some() { "wait_timeout" } else { "wait" });
            return false;
        };
        if quiet {
            wait_for_log(engine, LOG_TIMEOUT);
        }
        quiet
    }

    /// [`Runner::wait_until`] for an async function.
    #[cfg(feature = "tokio")]
    pub(super) async fn wait_until_async(&self, deadline: Option<Nanos>) -> bool {
        let Ok(engine) = self.engine() else { return true };
        if self.calling_service().is_some() {
            return false;
        }
        let quiet = engine.wait_for_async(idle_condition(deadline)).await;
        if quiet {
            engine.wait_for_log_async(LOG_TIMEOUT).await;
        }
        quiet
    }

    /// Starts all services, waits, stops them in order, and prints the report.
    ///
    /// It waits for a stop signal, or until all services have ended. The report goes to standard error.
    ///
    /// SIGTERM, SIGINT and SIGHUP (Ctrl-C and Ctrl-Break on Windows) stop the services in order.
    /// A second signal, 250 ms or more after the first, ends the process immediately, with exit code
    /// 128 + its number. A signal that is ignored when the handlers are installed, as under `nohup`,
    /// stays ignored (on Linux; elsewhere it stops the program like any other). With a
    /// [quiesce time](crate::Builder::quiesce), the services go on for that time after the first signal; the second one ends it,
    /// and the third one the process.
    ///
    /// The exit code is:
    ///
    /// | code | when |
    /// | --- | --- |
    /// | 0 | everything stopped in time, and no other code applies |
    /// | 1 | a critical service failed or could not start; or a service failed or was blocked, and no signal asked the program to end |
    /// | 2 | a service did not stop in time, regardless of other failures |
    /// | 71 | no thread could be started, or this process is a forked child (`EX_OSERR` of `sysexits.h`) |
    /// | 75 | the runner is shutting down already (`EX_TEMPFAIL`) |
    /// | 78 | there are no services, or they have faults, which are printed as a list; or the tokio runtime of the async services has shut down, or this thread is the only one that executes it (`EX_CONFIG`) |
    ///
    /// A signal stops the services even if the calling thread is blocked: writing a log line or the
    /// report can block it forever if standard output or standard error is a pipe that nobody reads. The
    /// process then ends with this exit code one second after everything has stopped, or one second
    /// after the shutdown timeout, without returning from this function.
    #[must_use = "the exit code tells the caller whether the services failed"]
    pub fn run(&self) -> ExitCode {
        ExitCode::from(self.run_to_code())
    }

    #[cfg(feature = "signals")]
    fn run_to_code(&self) -> u8 {
        let Ok(engine) = self.engine() else {
            return report_refusal(&StartError::Forked);
        };
        if let Some(code) = self.refuse_to_run() {
            return code;
        }
        self.print_crashes();
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        let _told = self.tell_systemd();
        let watch = RunWatch::new(self.shared.env.shutdown_timeout, self.shared.env.quiesce);
        let signals = WaiterGuard::new(engine, &self.shared.env, Some(Arc::clone(&watch)));
        let wait = || {
            watch.set_started();
            match &signals {
                Ok(signals) => wait_for(engine, run_condition(signals)),
                Err(error) => {
                    tracing::error!(target: LOG_TARGET, %error, "{NO_SIGNALS}");
                    self.wait();
                    false
                }
            }
        };
        let code = self.run_with(wait, |code| watch.set_exit_code(code));
        watch.set_returned();
        code
    }

    #[cfg(not(feature = "signals"))]
    fn run_to_code(&self) -> u8 {
        if self.engine().is_err() {
            return report_refusal(&StartError::Forked);
        }
        if let Some(code) = self.refuse_to_run() {
            return code;
        }
        self.print_crashes();
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        let _told = self.tell_systemd();
        let wait = || {
            self.wait();
            false
        };
        self.run_with(wait, |_| {})
    }

    /// From now on, the first crash of each service is printed, unless the program has a log.
    fn print_crashes(&self) {
        // A second call of `run` changes nothing.
        let _ = self.shared.env.crash_printer.set(stderr::write);
    }

    /// Refuses to run if this thread is the only one that executes the async services; returns the exit code.
    #[cfg(feature = "tokio")]
    fn refuse_to_run(&self) -> Option<u8> {
        if let Err(error) = self.prepare_runtime(None) {
            return Some(report_refusal(&error));
        }
        self.shared.drives_async_services().then(|| report_refusal(&StartError::BlocksRuntime))
    }

    /// Without the feature `tokio`, no service is async.
    #[cfg(not(feature = "tokio"))]
    #[expect(clippy::unused_self, reason = "as with the feature `tokio`")]
    fn refuse_to_run(&self) -> Option<u8> {
        None
    }

    /// [`Runner::run_to_code`] for an async function.
    #[cfg(all(feature = "tokio", feature = "signals"))]
    pub(super) async fn run_to_code_async(&self) -> u8 {
        let Ok(engine) = self.engine() else {
            return report_refusal(&StartError::Forked);
        };
        self.print_crashes();
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        let _told = self.tell_systemd();
        let watch = RunWatch::new(self.shared.env.shutdown_timeout, self.shared.env.quiesce);
        let signals = WaiterGuard::new(engine, &self.shared.env, Some(Arc::clone(&watch)));
        let wait = async {
            watch.set_started();
            match &signals {
                Ok(signals) => engine.wait_for_async(run_condition(signals)).await,
                Err(error) => {
                    tracing::error!(target: LOG_TARGET, %error, "{NO_SIGNALS}");
                    self.wait_async().await;
                    false
                }
            }
        };
        let code = self.run_with_async(wait, |code| watch.set_exit_code(code)).await;
        watch.set_returned();
        code
    }

    #[cfg(all(feature = "tokio", not(feature = "signals")))]
    pub(super) async fn run_to_code_async(&self) -> u8 {
        if self.engine().is_err() {
            return report_refusal(&StartError::Forked);
        }
        self.print_crashes();
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        let _told = self.tell_systemd();
        let wait = async {
            self.wait_async().await;
            false
        };
        self.run_with_async(wait, |_| {}).await
    }

    /// [`Runner::run_with`] for an async function.
    #[cfg(feature = "tokio")]
    async fn run_with_async(
        &self,
        wait: impl Future<Output = bool>,
        report_code: impl FnOnce(u8),
    ) -> u8 {
        if let Err(error) = self.start_all() {
            report_code(start_error_code(&error));
            return report_refusal(&error);
        }
        let signalled = wait.await;
        let hooks = hook_timeout(signalled);
        let report = self.stop_all_within_async(RUN_LOG_TIMEOUT, hooks).await;
        let code = exit_code(&report, signalled);
        report_code(code);
        print(&report);
        code
    }

    /// Starts, waits, stops, and prints the report. `wait` returns whether a signal has arrived;
    /// `report_code` gets the exit code as soon as it is known.
    fn run_with(&self, wait: impl FnOnce() -> bool, report_code: impl FnOnce(u8)) -> u8 {
        if let Err(error) = self.start_all() {
            report_code(start_error_code(&error));
            return report_refusal(&error);
        }
        let signalled = wait();
        let report = self.stop_all_within(RUN_LOG_TIMEOUT, hook_timeout(signalled));
        let code = exit_code(&report, signalled);
        report_code(code);
        print(&report);
        code
    }

    /// Waits for a stop signal, or until the runner shuts down.
    ///
    /// The runner shuts down if a critical service fails or the program calls `stop_all`. The same
    /// signals are handled as in [`Runner::run`], and a second one has the same effect. The services
    /// keep running until [`Runner::stop_all`]. If a signal has already arrived, this returns
    /// immediately. With a [quiesce time](crate::Builder::quiesce), it returns once that time has passed since the
    /// signal. From the signal on, the program is not [ready](Runner::readiness), until it waits again.
    ///
    /// # Errors
    ///
    /// The operating system refused the signal handlers; an async service is active, and this thread is the one
    /// that executes it (await `wait_for_signal_async` there); or this process is a forked child.
    #[cfg(feature = "signals")]
    pub fn wait_for_signal(&self) -> io::Result<StopCause> {
        let (_, signals) = self.listen()?;
        let waited = self.shared.wait_for(signal_condition(&signals));
        waited.ok_or_else(|| refusal_to_wait("wait_for_signal"))
    }

    /// Waits like [`Runner::wait_for_signal`], for at most `timeout`; `None` if it timed out.
    ///
    /// No signal is lost between two calls. A thread can therefore wait in a loop that also checks
    /// another condition, for example that an async `main` has ended. A signal that arrives between two
    /// calls has no effect until the next one, which returns it immediately.
    ///
    /// ```no_run
    /// use std::sync::atomic::{AtomicBool, Ordering};
    /// use std::time::Duration;
    ///
    /// static DONE: AtomicBool = AtomicBool::new(false);
    ///
    /// fn wait(runner: &tina4_service::Runner) -> std::io::Result<()> {
    ///     while !DONE.load(Ordering::Relaxed) {
    ///         if let Some(cause) = runner.wait_for_signal_timeout(Duration::from_secs(1))? {
    ///             println!("stopping: {cause}");
    ///             break;
    ///         }
    ///     }
    ///     runner.stop_all();
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Runner::wait_for_signal`].
    #[cfg(feature = "signals")]
    pub fn wait_for_signal_timeout(&self, timeout: Duration) -> io::Result<Option<StopCause>> {
        let deadline = self.instant_after(timeout);
        let (_, signals) = self.listen()?;
        let waited = self.shared.wait_for(signal_timeout_condition(&signals, deadline));
        waited.ok_or_else(|| refusal_to_wait("wait_for_signal_timeout"))
    }

    #[cfg(feature = "signals")]
    pub(super) fn listen(&self) -> io::Result<(&Arc<Engine>, WaiterGuard)> {
        let engine = self.engine().map_err(|error| io::Error::other(StartError::from(error)))?;
        Ok((engine, WaiterGuard::new(engine, &self.shared.env, None)?))
    }
}

/// Ready with `true` once nothing is active, and with `false` at the deadline.
fn idle_condition(
    deadline: Option<Nanos>,
) -> impl FnMut(&mut Supervisor, Nanos) -> Poll<bool> + Send {
    move |supervisor, now| {
        let shutdown = supervisor.advance_shutdown(now);
        if supervisor.is_idle() {
            Poll::Ready(true)
        } else if deadline.is_some_and(|deadline| deadline <= now) {
            Poll::Ready(false)
        } else {
            Poll::Pending(shutdown.into_iter().chain(deadline).min())
        }
    }
}

/// Ready once a signal has arrived and the quiesce time is over (with `true`), or nothing is active.
#[cfg(feature = "signals")]
fn run_condition(signals: &WaiterGuard) -> impl FnMut(&mut Supervisor, Nanos) -> Poll<bool> + Send {
    |supervisor, now| {
        let shutdown = supervisor.advance_shutdown(now);
        match signals.poll_signal(supervisor, now) {
            Poll::Ready(_) => Poll::Ready(true),
            Poll::Pending(Some(_)) if supervisor.is_idle() => {
                signals.end_quiesce(supervisor);
                Poll::Ready(true)
            }
            Poll::Pending(None) if supervisor.is_idle() => Poll::Ready(false),
            Poll::Pending(quiesce) => Poll::Pending(shutdown.into_iter().chain(quiesce).min()),
        }
    }
}

/// Ready once there is a cause to stop.
#[cfg(feature = "signals")]
pub(super) fn signal_condition(
    signals: &WaiterGuard,
) -> impl FnMut(&mut Supervisor, Nanos) -> Poll<StopCause> + Send {
    |supervisor, now| stop_cause(supervisor, signals, now)
}

/// [`signal_condition`], with a deadline.
#[cfg(feature = "signals")]
pub(super) fn signal_timeout_condition(
    signals: &WaiterGuard,
    deadline: Nanos,
) -> impl FnMut(&mut Supervisor, Nanos) -> Poll<Option<StopCause>> + Send {
    move |supervisor, now| match stop_cause(supervisor, signals, now) {
        Poll::Ready(cause) => Poll::Ready(Some(cause)),
        Poll::Pending(_) if deadline <= now => Poll::Ready(None),
        Poll::Pending(until) => Poll::Pending(until.into_iter().chain([deadline]).min()),
    }
}

#[cfg(feature = "signals")]
fn stop_cause(supervisor: &mut Supervisor, signals: &WaiterGuard, now: Nanos) -> Poll<StopCause> {
    match signals.poll_signal(supervisor, now) {
        Poll::Ready(signal) => Poll::Ready(StopCause::Signal(signal)),
        Poll::Pending(_) if supervisor.has_shut_down() => Poll::Ready(StopCause::Runner),
        Poll::Pending(until) => Poll::Pending(until),
    }
}

/// The error of a wait for a signal that would block the only thread which executes async services.
#[cfg(feature = "signals")]
fn refusal_to_wait(call: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::Deadlock, blocks_runtime(call))
}

/// Reports that nothing was started; returns the exit code.
fn report_refusal(error: &StartError) -> u8 {
    if matches!(error, StartError::Forked) {
        // Another thread may have held the lock of standard error at the time of the fork.
        stderr::write(&format!("{error}\n"));
    } else {
        print(error);
    }
    start_error_code(error)
}

/// Prints to standard error. If it is closed, the text is lost.
fn print(text: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
