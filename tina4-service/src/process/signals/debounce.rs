//! Distinguishes the first stop signal from its duplicates and from a later one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tina4_service_core::{Nanos, nanos};

/// Stop signals that arrive this soon after the first one are the same request.
const DEBOUNCE_WINDOW: Duration = Duration::from_millis(250);

/// When the last stop request arrived, and what the next one means.
///
/// Both are in one atomic, because two handlers may run at the same time: the two lowest bits are one of the constants
/// below, and the other bits are the time. 0: no signal yet.
#[derive(Debug, Default)]
pub(super) struct Debounce(AtomicU64);

/// The next signal is a first one.
const BEGINS: u64 = 0;

/// The next signal ends the quiesce time.
const ENDS_QUIESCE: u64 = 1;

/// The next signal ends the process.
const ENDS_PROCESS: u64 = 2;

const MEANING: u64 = 3;

/// What an arriving signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It asks the program to end, or to go on with that.
    Request,
    /// It repeats the first one.
    Repeated,
    /// It ends the process.
    EndProcess,
}

impl Debounce {
    pub(super) const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    /// Classifies a signal that arrives `now`. `may_quiesce`: after a first signal there may be a quiesce time, which
    /// the second one ends. That is decided here, because on a busy machine the second one may arrive before any
    /// thread has handled the first. Async-signal-safe.
    pub(super) fn classify(&self, now: Nanos, may_quiesce: bool) -> Meaning {
        let now = now.max(1);
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            let (at, meaning) = (known >> 2, known & MEANING);
            if known != 0 && now.saturating_sub(at) < nanos(DEBOUNCE_WINDOW) {
                return Meaning::Repeated;
            }
            if meaning == ENDS_PROCESS {
                return Meaning::EndProcess;
            }
            let next = if meaning == BEGINS && may_quiesce { ENDS_QUIESCE } else { ENDS_PROCESS };
            let new = now << 2 | next;
            match self.0.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Meaning::Request,
                Err(other) => known = other,
            }
        }
    }

    /// The current state, to be passed to [`Debounce::disarm`] or [`Debounce::await_end_of_quiesce`].
    pub(super) fn state(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Makes the next signal end the process, unless it repeats the last one. Does nothing before the first one.
    pub(super) fn arm(&self) {
        let arm = |state| (state != 0).then_some(state & !MEANING | ENDS_PROCESS);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, arm);
    }

    /// Makes the next signal the first one again, unless it repeats the last one. Does nothing if a
    /// signal has arrived since `state` was read.
    pub(super) fn disarm(&self, state: u64) {
        self.change(state, BEGINS);
    }

    /// Makes the next signal end the quiesce time, unless it repeats the last one. Does nothing if a signal has
    /// arrived since `state` was read.
    pub(super) fn await_end_of_quiesce(&self, state: u64) {
        self.change(state, ENDS_QUIESCE);
    }

    fn change(&self, state: u64, meaning: u64) {
        let new = state & !MEANING | meaning;
        let _ = self.0.compare_exchange(state, new, Ordering::AcqRel, Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn rule_44_signals_within_250_ms_count_as_the_first() {
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS, false), Meaning::Request);
        assert_eq!(debounce.classify(8 * MS, false), Meaning::Repeated);
        assert_eq!(debounce.classify(256 * MS, false), Meaning::Repeated);
        assert_eq!(debounce.classify(257 * MS, false), Meaning::EndProcess);
        // A waiter received the signal, and waits again.
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS, false), Meaning::Request);
        debounce.disarm(debounce.state());
        assert_eq!(debounce.classify(256 * MS, false), Meaning::Repeated);
        assert_eq!(debounce.classify(257 * MS, false), Meaning::Request);
        assert_eq!(debounce.classify(507 * MS, false), Meaning::EndProcess);
    }

    #[test]
    fn rule_44_and_112_with_a_quiesce_time_the_third_signal_ends_the_process() {
        // Nobody has handled the first one when the second one arrives.
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS, true), Meaning::Request);
        assert_eq!(debounce.classify(256 * MS, true), Meaning::Repeated);
        assert_eq!(debounce.classify(257 * MS, true), Meaning::Request);
        assert_eq!(debounce.classify(258 * MS, true), Meaning::Repeated);
        assert_eq!(debounce.classify(507 * MS, true), Meaning::EndProcess);
        // The time is over.
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS, true), Meaning::Request);
        debounce.arm();
        assert_eq!(debounce.classify(257 * MS, true), Meaning::EndProcess);
        // A runner begins it that did not exist before.
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS, false), Meaning::Request);
        debounce.await_end_of_quiesce(debounce.state());
        assert_eq!(debounce.classify(257 * MS, true), Meaning::Request);
        assert_eq!(debounce.classify(507 * MS, true), Meaning::EndProcess);
    }
}
