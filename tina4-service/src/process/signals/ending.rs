//! The end of `run` after a signal, even if the thread that called it is blocked.
//!
//! That thread writes log lines and the report, and either can block forever, for example if standard
//! output is a pipe that nobody reads or a stopped terminal. So the signal thread requests the stop
//! itself, and ends the process with `run`'s exit code if `run` does not return in time.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tina4_service_core::{Nanos, nanos};

use crate::engine::Engine;
use crate::engine::pool::poll::Poll;
use crate::engine::release::release;
use crate::process::exit_code::exit_code;
use crate::process::signals::end_process::end_process;
use crate::process::signals::handler::Signals;
use crate::process::signals::run_watch::RunWatch;
use crate::time::clock::Clock;

/// How often the signal thread checks whether it has to end the process.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long `run` may take to return after everything has ended or the deadline has passed.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// A `run` that a signal has asked to end.
pub(super) struct Ending {
    /// Weak, because the last owner drops the user's values, which can block.
    engine: Weak<Engine>,
    run: Arc<RunWatch>,
    signals: &'static Signals,
    clock: Clock,
    /// When the services must have been asked to stop, whatever the runner's clock says.
    stop_by: Nanos,
    /// When everything must have stopped.
    deadline: Nanos,
    /// Whether the quiesce time is over.
    must_stop: bool,
    /// Whether a service has been seen active.
    was_active: bool,
    /// When everything was first seen to have stopped.
    quiet_since: Option<Nanos>,
    /// Set once `run` is overdue: its exit code and its report.
    overdue: Option<(u8, String)>,
}

impl Ending {
    /// Requests the stop of a `run`, and begins to watch it.
    pub(super) fn begin(
        engine: &Arc<Engine>,
        run: Arc<RunWatch>,
        signals: &'static Signals,
    ) -> Self {
        // Uses real time even if the runner has another clock, because the blocked thread is real.
        let clock = Clock::system();
        let stop_by = clock.now().saturating_add(nanos(run.quiesce));
        let deadline = stop_by.saturating_add(nanos(run.shutdown_timeout));
        let mut ending = Self {
            engine: Arc::downgrade(engine),
            run,
            signals,
            clock,
            stop_by,
            deadline,
            must_stop: false,
            was_active: false,
            quiet_since: None,
            overdue: None,
        };
        ending.stop(engine);
        ending
    }

    /// Whether this is about the same call of `run`.
    pub(super) fn is_of_same_run(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.run, &other.run)
    }

    /// Requests the stop, once the quiesce time is over, unless it has already been requested: the
    /// signal may have arrived while `run` was about to start the services.
    fn stop(&mut self, engine: &Arc<Engine>) {
        let (timeout, signals) = (self.run.shutdown_timeout, self.signals);
        let real_now = self.clock.now();
        let must_stop = self.must_stop || real_now >= self.stop_by;
        let (is_idle, must_stop) = engine.with_nonblocking(|supervisor, now| {
            let must_stop = must_stop || signals.quiesce(supervisor, now).is_none();
            if must_stop {
                // The runner's clock may say that it lasts, and the blocked thread cannot say that it is over.
                signals.end_quiesce(supervisor);
            }
            if must_stop && !supervisor.is_idle() && !supervisor.is_shutting_down() {
                supervisor.stop_all(timeout, None, now);
            }
            (supervisor.is_idle(), must_stop)
        });
        if must_stop && !self.must_stop {
            self.must_stop = true;
            self.deadline = self.deadline.min(real_now.saturating_add(nanos(timeout)));
        }
        self.was_active |= !is_idle;
        // Before the start no service is active either.
        let has_ended = is_idle && (self.was_active || self.run.is_past_start());
        let now = || self.clock.now();
        self.quiet_since = has_ended.then(|| self.quiet_since.unwrap_or_else(now));
    }

    /// Repeats the stop request if necessary, and notes when `run` is overdue; `false` once it has
    /// returned.
    pub(super) fn poll(&mut self) -> bool {
        if self.run.has_returned() {
            return false;
        }
        let Some(engine) = self.engine.upgrade() else {
            return false;
        };
        if self.overdue.is_none() {
            self.stop(&engine);
            let end = self.quiet_since.unwrap_or(self.deadline);
            if self.clock.now() >= end.saturating_add(nanos(GRACE_PERIOD)) {
                self.overdue = Some(self.outcome(&engine));
            }
        }
        release(engine);
        true
    }

    fn outcome(&self, engine: &Arc<Engine>) -> (u8, String) {
        let report =
            engine.with_nonblocking(|supervisor, now| match supervisor.shutdown_result(now) {
                Poll::Ready(report) => report,
                Poll::Pending(_) => supervisor.interim_report(now),
            });
        let code = self.run.code().unwrap_or_else(|| exit_code(&report, true));
        (code, format!("{report}\n"))
    }
}

/// Ends the process once every `run` that has not returned is overdue, with the highest of their exit
/// codes.
pub(super) fn end_process_if_overdue(endings: &[Ending]) {
    let outcomes: Option<Vec<_>> = endings.iter().map(|ending| ending.overdue.as_ref()).collect();
    let Some(outcomes) = outcomes else { return };
    let Some(code) = outcomes.iter().map(|(code, _)| *code).max() else { return };
    let reports: String = outcomes.iter().map(|(_, report)| &**report).collect();
    // Other runners are stopped as on any process exit; `end_process` itself runs no hooks.
    #[cfg(feature = "exit-hook")]
    crate::process::exit_hook::stop_everything();
    end_process(code, &reports)
}
