//! `run` and the waits: wait for the end or for a signal, stop, print the report.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;
#[cfg(feature = "signals")]
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "signals")]
use crate::engine::Engine;
use crate::engine::pool::poll::Poll;
#[cfg(feature = "signals")]
use crate::engine::supervisor::Supervisor;
#[cfg(feature = "signals")]
use crate::observe::signal::StopCause;
use crate::plan::start_error::StartError;
use crate::process::exit_code::{exit_code, start_code};
#[cfg(feature = "signals")]
use crate::process::signals::listener::Listener;
#[cfg(feature = "signals")]
use crate::process::signals::run_watch::RunWatch;
use crate::process::stderr;
use crate::runner::runner::{LOG_LIMIT, Runner};
use tina4_service_core::{Nanos, nanos};

/// How long `run` waits for the last log lines. Shorter than elsewhere, so that its report is not late.
const RUN_LOG_LIMIT: Duration = Duration::from_millis(500);

impl Runner {
    /// Waits until nothing is active: every service has stopped, finished, failed or was abandoned.
    ///
    /// Inside a service of this runner it returns immediately, because that service is active.
    pub fn wait(&self) {
        self.wait_until(None);
    }

    /// Waits like [`Runner::wait`], at most `timeout`; `true` if nothing is active any more.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("clock", |_| {}).interval("1h"));
    /// runner.start_all().unwrap();
    /// assert!(!runner.wait_timeout(Duration::from_millis(1)));
    /// runner.stop_all();
    /// assert!(runner.wait_timeout(Duration::from_millis(1)));
    /// ```
    #[must_use = "`false` means that something is still active"]
    pub fn wait_timeout(&self, timeout: Duration) -> bool {
        self.wait_until(Some(self.instant_after(timeout)))
    }

    fn instant_after(&self, timeout: Duration) -> Nanos {
        self.shared.env.clock.now().saturating_add(nanos(timeout))
    }

    fn wait_until(&self, limit: Option<Nanos>) -> bool {
        let Ok(pool) = self.pool() else {
            // A forked child does not wait for the services of its parent.
            return true;
        };
        if self.calling_service().is_some() {
            return false;
        }
        let quiet = pool.wait_for(|services, now| {
            let shutdown = services.advance_shutdown(now);
            if services.is_idle() {
                Poll::Ready(true)
            } else if limit.is_some_and(|limit| limit <= now) {
                Poll::Ready(false)
            } else {
                Poll::Pending(shutdown.into_iter().chain(limit).min())
            }
        });
        if quiet {
            pool.wait_for_log(LOG_LIMIT);
        }
        quiet
    }

    /// Starts all services, waits, stops in order, and prints the report to standard error.
    ///
    /// It waits for a stop signal, or until all services have ended.
    ///
    /// SIGTERM, SIGINT and SIGHUP (Ctrl-C and Ctrl-Break on Windows) stop in order.
    /// A second signal, 250 ms or more after the first, ends the process immediately, with exit code
    /// 128 + its number. A signal that is ignored when the handlers are installed, as under `nohup`,
    /// stays ignored (on Linux; elsewhere it stops the program like any other).
    ///
    /// The exit code is
    ///
    /// | code | when |
    /// | --- | --- |
    /// | 0 | everything ended well |
    /// | 1 | a critical service failed; or all services ended by themselves, and one had failed |
    /// | 2 | some service did not stop in time, whatever else happened |
    /// | 71 | no thread could be started, or this process is a forked child (`EX_OSERR` of `sysexits.h`) |
    /// | 75 | the runner is shutting down already (`EX_TEMPFAIL`) |
    /// | 78 | the services have faults, which are printed as a list (`EX_CONFIG`) |
    ///
    /// A signal stops the services even if the calling thread is blocked: its log or its report can
    /// block forever if standard output or standard error is a pipe that nobody reads. The process
    /// then ends with this exit code one second after everything has stopped, or one second after the
    /// shutdown timeout, without returning from this function.
    #[must_use = "the exit code says how it went"]
    pub fn run(&self) -> ExitCode {
        ExitCode::from(self.run_to_code())
    }

    #[cfg(feature = "signals")]
    fn run_to_code(&self) -> u8 {
        let Ok(pool) = self.pool() else {
            return refused(&StartError::Forked);
        };
        let watch = RunWatch::new(self.shared.env.shutdown_timeout);
        let signals = Listener::new(pool, &self.shared.env, Some(Arc::clone(&watch)));
        let wait = || {
            watch.has_started();
            match &signals {
                Ok(signals) => pool.wait_for(|services, now| {
                    let shutdown = services.advance_shutdown(now);
                    let signalled = signals.signal().is_some();
                    if signalled || services.is_idle() {
                        Poll::Ready(signalled)
                    } else {
                        Poll::Pending(shutdown)
                    }
                }),
                Err(error) => {
                    tracing::error!(%error, "signals cannot be handled; they end the program immediately");
                    self.wait();
                    false
                }
            }
        };
        let code = self.run_with(wait, |code| watch.ends_with(code));
        watch.returns();
        code
    }

    #[cfg(not(feature = "signals"))]
    fn run_to_code(&self) -> u8 {
        if self.pool().is_err() {
            return refused(&StartError::Forked);
        }
        let wait = || {
            self.wait();
            false
        };
        self.run_with(wait, |_| {})
    }

    /// Starts, waits, stops, and prints the report. `wait` returns whether a signal has arrived; `ends_with`
    /// gets the exit code as soon as it is known.
    fn run_with(&self, wait: impl FnOnce() -> bool, ends_with: impl FnOnce(u8)) -> u8 {
        if let Err(error) = self.start_all() {
            ends_with(start_code(&error));
            return refused(&error);
        }
        let signalled = wait();
        let report = self.stop_all_within(RUN_LOG_LIMIT);
        let code = exit_code(&report, signalled);
        ends_with(code);
        say(&report);
        code
    }

    /// Waits for a stop signal, or until the runner shuts down by itself.
    ///
    /// The runner shuts down if a critical service fails or the program calls `stop_all`. The signals, and
    /// the effect of a second one, are those of [`Runner::run`]. The services keep running until
    /// [`Runner::stop_all`]. If a signal arrived before, this returns immediately.
    ///
    /// # Errors
    ///
    /// The operating system refused the signal handlers, or this process is a forked child.
    #[cfg(feature = "signals")]
    pub fn wait_for_signal(&self) -> io::Result<StopCause> {
        let (pool, signals) = self.listen()?;
        Ok(pool.wait_for(|services, _| {
            stop_cause(services, &signals).map_or(Poll::Pending(None), Poll::Ready)
        }))
    }

    /// Waits like [`Runner::wait_for_signal`], at most `timeout`; `None` if it timed out.
    ///
    /// No signal is lost between two calls. So a thread can wait in a loop that ends for another
    /// reason too, for example because it must not outlive an async `main`. After a timeout, the first
    /// signal has no visible effect until the next wait, which returns it immediately.
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
        let limit = self.instant_after(timeout);
        let (pool, signals) = self.listen()?;
        Ok(pool.wait_for(|services, now| match stop_cause(services, &signals) {
            Some(cause) => Poll::Ready(Some(cause)),
            None if limit <= now => Poll::Ready(None),
            None => Poll::Pending(Some(limit)),
        }))
    }

    #[cfg(feature = "signals")]
    fn listen(&self) -> io::Result<(&Arc<Engine>, Listener)> {
        let pool = self.pool().map_err(|error| io::Error::other(StartError::from(error)))?;
        Ok((pool, Listener::new(pool, &self.shared.env, None)?))
    }
}

#[cfg(feature = "signals")]
fn stop_cause(services: &Supervisor, signals: &Listener) -> Option<StopCause> {
    let runner = || services.has_shut_down().then_some(StopCause::Runner);
    signals.signal().map(StopCause::Signal).or_else(runner)
}

/// Reports that nothing was started; returns the exit code.
fn refused(error: &StartError) -> u8 {
    if matches!(error, StartError::Forked) {
        // Another thread may have held the lock of standard error at the time of the fork.
        stderr::write(&format!("{error}\n"));
    } else {
        say(error);
    }
    start_code(error)
}

/// The only output of this crate. If standard error is closed, the text is lost.
fn say(text: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
