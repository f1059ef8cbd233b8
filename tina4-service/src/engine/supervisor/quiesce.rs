//! The time between a stop signal and the stop of the services, in which the program answers that it is not
//! ready.

use std::sync::atomic::Ordering;

use super::Supervisor;
use super::availability::StopSignal;
use crate::observe::event::Change;
use crate::observe::signal::Signal;
use tina4_service_core::{Nanos, nanos};

/// What a stop signal means for the services at this instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quiesce {
    /// It has just arrived; they keep running until this instant.
    Begins(Nanos),
    /// They keep running until this instant.
    Lasts(Nanos),
    /// The time has just passed, another signal has arrived, or there is no such time.
    Ends,
    /// They are to stop, as before.
    Over,
}

impl Supervisor {
    /// From the stop signal on, the runner is not ready. Tells how long the services keep running. `requests`: the
    /// number of stop requests in the process so far.
    pub(crate) fn quiesce(&mut self, signal: Signal, requests: u32, now: Nanos) -> Quiesce {
        let has_stopped = self.has_shut_down();
        if let Some(known) = &self.availability.stop_signal {
            if known.is_over {
                return Quiesce::Over;
            }
            if known.until > now && known.requests == requests && !has_stopped {
                return Quiesce::Lasts(known.until);
            }
            self.end_quiesce();
            return Quiesce::Ends;
        }
        let received = self.env.received.get();
        // A waiter was faster than whoever asks, and waits again.
        if received.is_some_and(|received| received >= requests) {
            return Quiesce::Over;
        }
        let quiesce = self.env.quiesce;
        // Another signal may have arrived before anybody has handled the first one.
        let has_another = requests.saturating_sub(received.unwrap_or(0)) > 1;
        let until = now.saturating_add(nanos(quiesce));
        self.availability.stop_signal =
            Some(StopSignal { signal, requests, until, is_over: false });
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        self.tell_service_manager_of_stop(now);
        if quiesce.is_zero() || has_stopped || has_another {
            self.end_quiesce();
            return Quiesce::Ends;
        }
        self.journal.record_for_runner(Change::Quiescing { quiesce }, &mut self.deferred);
        Quiesce::Begins(until)
    }

    /// Ends the quiesce time. Returns whether it was not over.
    pub(crate) fn end_quiesce(&mut self) -> bool {
        let known = self.availability.stop_signal.as_mut().filter(|known| !known.is_over);
        let Some(known) = known else { return false };
        known.is_over = true;
        self.env.may_quiesce.store(false, Ordering::Release);
        true
    }

    /// The program waits for a signal again, or was started again, so it goes on.
    pub(crate) fn forget_stop_signal(&mut self) {
        self.availability.stop_signal = None;
        self.env.may_quiesce.store(!self.env.quiesce.is_zero(), Ordering::Release);
    }
}
