//! The time between a stop signal and the stop of the services, in which the program answers that it is not
//! ready.

use super::Supervisor;
use super::availability::StopSignal;
use crate::observe::event::Change;
use crate::observe::signal::Signal;
use tina4_service_core::{Nanos, nanos};

/// What a stop signal means for the services at this instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quiesce {
    /// It has just arrived; they go on until this instant.
    Begins(Nanos),
    /// They go on until this instant.
    Lasts(Nanos),
    /// The time has just passed, or another signal has arrived.
    Ends,
    /// They are to stop.
    Over,
}

impl Supervisor {
    /// From the stop signal on, the runner is not ready. Tells how long the services go on. `requests`: the number
    /// of stop requests in the process so far.
    pub(crate) fn quiesce(&mut self, signal: Signal, requests: u32, now: Nanos) -> Quiesce {
        let has_stopped = self.has_shut_down();
        if let Some(known) = &mut self.availability.stop_signal {
            if known.is_over {
                return Quiesce::Over;
            }
            if known.until > now && known.requests == requests && !has_stopped {
                return Quiesce::Lasts(known.until);
            }
            known.is_over = true;
            return Quiesce::Ends;
        }
        let quiesce = self.env.quiesce;
        let is_over = quiesce.is_zero() || has_stopped;
        let until = now.saturating_add(nanos(quiesce));
        self.availability.stop_signal = Some(StopSignal { signal, requests, until, is_over });
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        self.tell_service_manager_of_stop(now);
        if is_over {
            return Quiesce::Over;
        }
        self.journal.record_for_runner(Change::Quiescing { quiesce }, &mut self.deferred);
        Quiesce::Begins(until)
    }

    /// The program waits for a signal again, so it goes on.
    pub(crate) fn forget_stop_signal(&mut self) {
        self.availability.stop_signal = None;
    }
}
