//! A program's whole life with its services: wait for the end or for a signal, stop, say how it went.

use std::fmt;
use std::io::{self, Write};
use std::process::ExitCode;

use super::{LOG_LIMIT, Runner};
use crate::plan::StartError;

impl Runner {
    /// Waits until nothing is active: every service has stopped, finished, failed or was
    /// abandoned. Inside a service of this runner that never comes, so it returns at once.
    pub fn wait(&self) {
        if self.inside().is_some() {
            return;
        }
        self.shared.pool.wait_for(|services, now| {
            let until = services.shutdown_result(now).err().flatten();
            if services.is_quiet() { Ok(()) } else { Err(until) }
        });
        self.shared.pool.wait_until_settled(LOG_LIMIT);
    }

    /// Starts all, waits for Ctrl-C, SIGTERM or the end of all services, stops in order, and
    /// prints the report to standard error.
    ///
    /// The exit code is 0 if it ended well, 1 if a critical service failed, 2 if something did not
    /// stop in time (whatever else), 78 (`EX_CONFIG` of sysexits.h) if the services have faults,
    /// which are printed as a list; 71 (`EX_OSERR`) if there is no thread to be had, 75
    /// (`EX_TEMPFAIL`) if the runner is being shut down already.
    #[must_use = "the exit code says how it went"]
    pub fn run(&self) -> ExitCode {
        #[cfg(feature = "signals")]
        let signals = crate::signals::listen(&self.shared.pool);
        if let Err(error) = self.start_all() {
            say(&error);
            return ExitCode::from(match error {
                StartError::Faults(_) | StartError::NothingFound => 78,
                StartError::NoThread(_) => 71,
                StartError::ShuttingDown => 75,
            });
        }
        #[cfg(feature = "signals")]
        match signals {
            Ok(signals) => self.shared.pool.wait_for(|services, now| {
                let ended = services.shutdown_result(now).err().flatten();
                if services.is_quiet() || signals.signal().is_some() { Ok(()) } else { Err(ended) }
            }),
            Err(error) => {
                tracing::error!(%error, "signals cannot be handled; they end the program at once");
                self.wait();
            }
        }
        #[cfg(not(feature = "signals"))]
        self.wait();
        let report = self.stop_all();
        say(&report);
        if report.abandoned().next().is_some() {
            ExitCode::from(2)
        } else if report.critical.is_some() {
            ExitCode::from(1)
        } else {
            ExitCode::SUCCESS
        }
    }

    /// Waits until SIGTERM, SIGINT or Ctrl-C comes; from now on the second such signal ends the
    /// process at once, with code 128 + its number.
    ///
    /// # Errors
    ///
    /// The operating system refused the signal handlers.
    #[cfg(feature = "signals")]
    pub fn wait_for_signal(&self) -> io::Result<crate::signals::Signal> {
        let signals = crate::signals::listen(&self.shared.pool)?;
        Ok(self.shared.pool.wait_for(|_, _| signals.signal().ok_or(None)))
    }
}

/// The one thing this crate prints. A closed standard error is no reason to fail.
fn say(text: &dyn fmt::Display) {
    let _ = writeln!(io::stderr(), "{text}");
}
