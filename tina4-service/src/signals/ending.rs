//! The end of `run` after a signal, even where the thread that called it is blocked.
//!
//! That thread writes log lines and the report, and either may wait for ever: standard output is a
//! pipe that nobody reads, a terminal is stopped. So the thread that tells of signals requests the
//! stop by itself, and ends the process with `run`'s exit code if `run` does not return in time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use super::system;
use crate::clock::{Clock, Nanos, nanos};
use crate::runner::{Services, exit_code};

/// How often the signal thread looks whether it has to end the process.
pub(super) const LOOK: Duration = Duration::from_millis(50);

/// How long `run` may take to return after everything has ended, or should have.
const PATIENCE: Duration = Duration::from_secs(1);

/// A call of `run` in progress, as the signal thread sees it.
#[derive(Debug)]
pub(crate) struct RunWatch {
    shutdown_timeout: Duration,
    returned: AtomicBool,
    /// Its exit code, once that is known.
    code: OnceLock<u8>,
}

impl RunWatch {
    pub(crate) fn new(shutdown_timeout: Duration) -> Arc<Self> {
        Arc::new(Self { shutdown_timeout, returned: AtomicBool::new(false), code: OnceLock::new() })
    }

    /// This will be the exit code; what is left to do is to print.
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
    /// Not kept alive: the last owner drops the user's values, which may take its time.
    pool: Weak<Services>,
    run: Arc<RunWatch>,
    clock: Clock,
    /// When everything must have stopped.
    deadline: Nanos,
    /// When everything was first seen to have stopped.
    quiet_since: Option<Nanos>,
}

impl Ending {
    /// Requests the stop.
    pub(super) fn begin(pool: &Arc<Services>, run: Arc<RunWatch>) -> Self {
        // In real time, whatever the runner's clock: the thread to be waited for is real.
        let clock = Clock::system();
        let deadline = clock.now().saturating_add(nanos(run.shutdown_timeout));
        let pool_later = Arc::downgrade(pool);
        let mut ending = Self { pool: pool_later, run, clock, deadline, quiet_since: None };
        ending.stop(pool);
        ending
    }

    /// Requests the stop where it is missing: the signal may have arrived while `run` was about to
    /// start the services.
    fn stop(&mut self, pool: &Arc<Services>) {
        let timeout = self.run.shutdown_timeout;
        let quiet = pool.act_without_blocking(|services, now| {
            if !services.is_quiet() && !services.is_shutting_down() {
                services.stop_all(timeout, None, now);
            }
            services.is_quiet()
        });
        if quiet {
            self.quiet_since.get_or_insert(self.clock.now());
        }
    }

    /// Whether `run` may still return by itself; ends the process if it had its time.
    pub(super) fn goes_on(&mut self) -> bool {
        if self.run.returned.load(Ordering::Acquire) {
            return false;
        }
        let Some(pool) = self.pool.upgrade() else {
            return false;
        };
        self.stop(&pool);
        let limit = self.quiet_since.unwrap_or(self.deadline).saturating_add(nanos(PATIENCE));
        if self.clock.now() < limit {
            return true;
        }
        let report = pool.act_without_blocking(|services, now| {
            let over = services.shutdown_result(now);
            over.unwrap_or_else(|_| services.interim_report(now))
        });
        let code = self.run.code.get().copied().unwrap_or_else(|| exit_code(&report, true));
        system::end_with(code, &format!("{report}\n"))
    }
}
