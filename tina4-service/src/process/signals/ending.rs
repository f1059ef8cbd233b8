//! The end of `run` after a signal, even where the thread that called it is blocked.
//!
//! That thread writes log lines and the report, and either may wait for ever: standard output is a
//! pipe that nobody reads, a terminal is stopped. So the signal thread requests the stop by itself,
//! and ends the process with `run`'s exit code if `run` does not return in time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::system;
use crate::engine::Engine;
use crate::engine::pool::wait::Wait;
use crate::process::exit_code::exit_code;
use crate::time::clock::Clock;
use tina4_service_core::{Nanos, nanos};

/// How often the signal thread looks whether it has to end the process.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// How long `run` may take to return after everything has ended, or should have.
const GRACE_PERIOD: Duration = Duration::from_secs(1);

/// A call of `run` in progress, as the signal thread sees it.
#[derive(Debug)]
pub(crate) struct RunWatch {
    shutdown_timeout: Duration,
    /// The services have been started.
    started: AtomicBool,
    returned: AtomicBool,
    /// Its exit code, once that is known.
    code: OnceLock<u8>,
}

impl RunWatch {
    pub(crate) fn new(shutdown_timeout: Duration) -> Arc<Self> {
        Arc::new(Self {
            shutdown_timeout,
            started: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            code: OnceLock::new(),
        })
    }

    /// The services have been started: where nothing runs, everything has ended.
    pub(crate) fn has_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Records the exit code; only printing is left.
    pub(crate) fn ends_with(&self, code: u8) {
        let _ = self.code.set(code);
    }

    /// From now on only the program itself ends the process.
    pub(crate) fn returns(&self) {
        self.returned.store(true, Ordering::Release);
    }
}

/// A `run` that a signal has asked to end.
pub(super) struct Ending {
    /// Not kept alive: the last owner drops the user's values, which can block.
    pool: Weak<Engine>,
    run: Arc<RunWatch>,
    clock: Clock,
    /// When everything must have stopped.
    deadline: Nanos,
    /// Something has been seen to run.
    was_active: bool,
    /// Since when everything has stopped.
    quiet_since: Option<Nanos>,
    /// Its time is over: its exit code and its report.
    over: Option<(u8, String)>,
}

impl Ending {
    /// Requests the stop.
    pub(super) fn begin(pool: &Arc<Engine>, run: Arc<RunWatch>) -> Self {
        // In real time, whatever the runner's clock: the thread to be waited for is real.
        let clock = Clock::system();
        let deadline = clock.now().saturating_add(nanos(run.shutdown_timeout));
        let mut ending = Self {
            pool: Arc::downgrade(pool),
            run,
            clock,
            deadline,
            was_active: false,
            quiet_since: None,
            over: None,
        };
        ending.stop(pool);
        ending
    }

    /// Requests the stop where it is missing: the signal may have arrived while `run` was about to
    /// start the services.
    fn stop(&mut self, pool: &Arc<Engine>) {
        let timeout = self.run.shutdown_timeout;
        let is_quiet = pool.act_without_blocking(|services, now| {
            if !services.is_quiet() && !services.is_shutting_down() {
                services.stop_all(timeout, None, now);
            }
            services.is_quiet()
        });
        self.was_active |= !is_quiet;
        // Before the start nothing runs either.
        let run = &self.run;
        let is_past_start = run.started.load(Ordering::Acquire) || run.code.get().is_some();
        let has_ended = is_quiet && (self.was_active || is_past_start);
        let now = || self.clock.now();
        self.quiet_since = has_ended.then(|| self.quiet_since.unwrap_or_else(now));
    }

    /// Whether `run` has not returned. Notes when its time is over.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.run.returned.load(Ordering::Acquire) {
            return false;
        }
        let Some(pool) = self.pool.upgrade() else {
            return false;
        };
        if self.over.is_none() {
            self.stop(&pool);
            let limit = self.quiet_since.unwrap_or(self.deadline);
            if self.clock.now() >= limit.saturating_add(nanos(GRACE_PERIOD)) {
                self.over = Some(self.outcome(&pool));
            }
        }
        super::release(pool);
        true
    }

    fn outcome(&self, pool: &Arc<Engine>) -> (u8, String) {
        let report =
            pool.act_without_blocking(|services, now| match services.shutdown_result(now) {
                Wait::Ready(report) => report,
                Wait::Until(_) => services.interim_report(now),
            });
        let code = self.run.code.get().copied().unwrap_or_else(|| exit_code(&report, true));
        (code, format!("{report}\n"))
    }
}

/// Ends the process once the time of every `run` that has not returned is over, with the worst of
/// their exit codes.
pub(super) fn end_process_if_over(endings: &[Ending]) {
    let outcomes: Option<Vec<_>> = endings.iter().map(|ending| ending.over.as_ref()).collect();
    let Some(outcomes) = outcomes else { return };
    let Some(code) = outcomes.iter().map(|(code, _)| *code).max() else { return };
    let reports: String = outcomes.iter().map(|(_, report)| &**report).collect();
    // Other runners stop as at every end of the process: what follows ends it without its hooks.
    #[cfg(feature = "exit-hook")]
    crate::process::exit_hook::stop_everything();
    system::end_with(code, &reports)
}
