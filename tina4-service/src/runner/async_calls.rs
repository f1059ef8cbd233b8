//! The async twins of the calls that block.
//!
//! They block no thread, so they work in every runtime, and inside async services. A future that is
//! dropped no longer waits; the request that it made stands. What was to follow its wait does not happen: see
//! [`Runner::unregister_async`] and [`Runner::run_async`].

use std::process::ExitCode;
use std::time::Duration;

#[cfg(feature = "signals")]
use std::io;

use crate::engine::control_error::ControlError;
use crate::engine::supervisor::Supervisor;
use crate::engine::supervisor::control::{PendingStop, StopResponse};
use crate::observe::request::Request;
#[cfg(feature = "signals")]
use crate::observe::signal::StopCause;
use crate::observe::stop_report::{StopReport, Stopped};
use crate::runner::hook_wait::{NOTICE_TIMEOUT, wait_for_hooks_async};
use crate::runner::runner::{LOG_TIMEOUT, Runner};
use tina4_service_core::Nanos;

impl Runner {
    /// [`Runner::run`] for an async `main`: it blocks no thread.
    ///
    /// If its future is dropped before its end, as by `tokio::select!`, the services run on, and nothing
    /// handles signals any more; call [`Runner::stop_all_async`] then.
    ///
    /// ```no_run
    /// use std::process::ExitCode;
    ///
    /// #[tokio::main(flavor = "current_thread")]
    /// async fn main() -> ExitCode {
    ///     tina4_service::run_async().await
    /// }
    /// ```
    #[must_use = "the exit code tells the caller whether the services failed"]
    pub async fn run_async(&self) -> ExitCode {
        ExitCode::from(self.run_to_code_async().await)
    }

    /// [`Runner::stop`] for an async function.
    ///
    /// # Errors
    ///
    /// As for [`Runner::stop`].
    pub async fn stop_async(&self, name: &str) -> Result<Stopped, ControlError> {
        let request = |supervisor: &mut Supervisor, now| supervisor.request_stop(name, now);
        match self.ask_async(Request::Stop, name, request)? {
            StopResponse::Pending(pending) => Ok(self.wait_for_stop_async(pending).await),
            StopResponse::Answered(stopped) => Ok(stopped),
        }
    }

    async fn wait_for_stop_async(&self, pending: PendingStop) -> Stopped {
        let inside = self.calling_service();
        if inside == Some(pending.index) {
            return Stopped::Requested;
        }
        let condition =
            |supervisor: &mut Supervisor, now: Nanos| supervisor.stop_result(&pending, inside, now);
        self.shared.engine.wait_for_async(condition).await
    }

    /// [`Runner::restart`] for an async function.
    ///
    /// If its future is dropped before its end, the service restarts even so.
    ///
    /// # Errors
    ///
    /// As for [`Runner::restart`].
    pub async fn restart_async(&self, name: &str) -> Result<(), ControlError> {
        self.prepare_restart(name)?;
        let request = |supervisor: &mut Supervisor, now| supervisor.request_restart(name, now);
        let stopped = match self.ask_async(Request::Restart, name, request)? {
            Some(pending) => Some(self.wait_for_stop_async(pending).await),
            None => None,
        };
        self.restart_result(name, stopped)
    }

    /// [`Runner::unregister`] for an async function.
    ///
    /// If its future is dropped before its end, the service stops, but stays registered.
    ///
    /// # Errors
    ///
    /// As for [`Runner::unregister`].
    pub async fn unregister_async(&self, name: &str) -> Result<Stopped, ControlError> {
        let caller = self.calling_service();
        let begin =
            |supervisor: &mut Supervisor, now| supervisor.begin_unregister(name, caller, now);
        let mut removal = self.ask_async(Request::Unregister, name, begin)?;
        let condition = |supervisor: &mut Supervisor, now: Nanos| {
            supervisor.unregister_result(&mut removal, caller, now)
        };
        let result = self.shared.engine.wait_for_async(condition).await;
        self.or_failed(Request::Unregister, name, result)
    }

    /// [`Runner::stop_all`] for an async function.
    ///
    /// If its future is dropped before its end, the services are stopped even so; a second call waits for the
    /// same shutdown, and returns its report.
    pub async fn stop_all_async(&self) -> StopReport {
        self.stop_all_within_async(LOG_TIMEOUT, NOTICE_TIMEOUT).await
    }

    /// [`Runner::stop_all_within`] for an async function.
    pub(super) async fn stop_all_within_async(
        &self,
        log_timeout: Duration,
        hook_timeout: Duration,
    ) -> StopReport {
        let Ok(engine) = self.engine() else {
            return StopReport { forked: true, ..StopReport::default() };
        };
        let timeout = self.shared.env.shutdown_timeout;
        engine.with_nonblocking(|supervisor, now| {
            self.report_request(supervisor, Request::StopAll, now);
            supervisor.stop_all(timeout, None, now);
        });
        if self.calling_service().is_some() {
            return engine.with_nonblocking(|supervisor, now| supervisor.interim_report(now));
        }
        let report = engine.wait_for_async(Supervisor::shutdown_result).await;
        wait_for_hooks_async(engine, hook_timeout, &self.shared.env.clock).await;
        engine.wait_for_log_async(log_timeout).await;
        report
    }

    /// [`Runner::wait_ready`] for an async function.
    ///
    /// Its future may be dropped at any time: it asks for nothing.
    ///
    /// # Errors
    ///
    /// As for [`Runner::wait_ready`].
    pub async fn wait_ready_async(&self, name: &str) -> Result<(), ControlError> {
        let caller = self.calling_service();
        let begin =
            |supervisor: &mut Supervisor, _: Nanos| supervisor.begin_ready_wait(name, caller);
        let wait = self.try_request_async(begin)?;
        let _counted = CountedWait(self);
        let condition =
            |supervisor: &mut Supervisor, _: Nanos| supervisor.ready_result(&wait, caller);
        self.shared.engine.wait_for_async(condition).await
    }

    /// [`Runner::wait`] for an async function.
    pub async fn wait_async(&self) {
        self.wait_until_async(None).await;
    }

    /// [`Runner::wait_timeout`] for an async function; `true` if nothing is active any more.
    #[must_use = "`false` means that something is still active"]
    pub async fn wait_timeout_async(&self, timeout: Duration) -> bool {
        self.wait_until_async(Some(self.instant_after(timeout))).await
    }

    /// [`Runner::wait_for_signal`] for an async function.
    ///
    /// # Errors
    ///
    /// As for [`Runner::wait_for_signal`].
    #[cfg(feature = "signals")]
    pub async fn wait_for_signal_async(&self) -> io::Result<StopCause> {
        let (engine, signals) = self.listen()?;
        Ok(engine.wait_for_async(super::run::signal_condition(&signals)).await)
    }

    /// [`Runner::wait_for_signal_timeout`] for an async function.
    ///
    /// # Errors
    ///
    /// As for [`Runner::wait_for_signal`].
    #[cfg(feature = "signals")]
    pub async fn wait_for_signal_timeout_async(
        &self,
        timeout: Duration,
    ) -> io::Result<Option<StopCause>> {
        let deadline = self.instant_after(timeout);
        let (engine, signals) = self.listen()?;
        let condition = super::run::signal_timeout_condition(&signals, deadline);
        Ok(engine.wait_for_async(condition).await)
    }
}

/// A wait for a service to become ready, which may be dropped before its end.
struct CountedWait<'a>(&'a Runner);

impl Drop for CountedWait<'_> {
    fn drop(&mut self) {
        self.0.shared.engine.with_nonblocking(|supervisor, _| supervisor.end_ready_wait());
    }
}
