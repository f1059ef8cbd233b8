//! Distinguishes the first stop signal from its duplicates and from a later one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tina4_service_core::{Nanos, nanos};

/// Stop signals that arrive this soon after the first one are the same request.
const DEBOUNCE_WINDOW: Duration = Duration::from_millis(250);

/// When the first stop signal arrived, and whether a later one ends the process.
///
/// It is *armed* while a later signal would end the process. Both are in one atomic, because two
/// handlers may run at the same time: the lowest bit is set while it is armed, and the other bits are
/// the time. 0: no signal yet.
#[derive(Debug, Default)]
pub(super) struct Debounce(AtomicU64);

/// What an arriving signal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// It asks the program to end.
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

    /// Classifies a signal that arrives `now`. Async-signal-safe.
    pub(super) fn classify(&self, now: Nanos) -> Meaning {
        let now = now.max(1);
        let mut known = self.0.load(Ordering::Acquire);
        loop {
            let (at, armed) = (known >> 1, known & 1 == 1);
            if known != 0 && now.saturating_sub(at) < nanos(DEBOUNCE_WINDOW) {
                return Meaning::Repeated;
            }
            if armed {
                return Meaning::EndProcess;
            }
            let new = now << 1 | 1;
            match self.0.compare_exchange(known, new, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return Meaning::Request,
                Err(other) => known = other,
            }
        }
    }

    /// The current state, to be passed to [`Debounce::disarm`].
    pub(super) fn state(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// Makes the next signal end the process, unless it repeats the last one. Does nothing before the first one.
    pub(super) fn arm(&self) {
        let arm = |state| (state != 0).then_some(state | 1);
        let _ = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, arm);
    }

    /// Makes the next signal the first one again, unless it repeats the last one. Does nothing if a
    /// signal has arrived since `state` was read.
    pub(super) fn disarm(&self, state: u64) {
        let _ = self.0.compare_exchange(state, state & !1, Ordering::AcqRel, Ordering::Acquire);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Nanos = 1_000_000;

    #[test]
    fn rule_44_signals_within_250_ms_count_as_the_first() {
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS), Meaning::Request);
        assert_eq!(debounce.classify(8 * MS), Meaning::Repeated);
        assert_eq!(debounce.classify(256 * MS), Meaning::Repeated);
        assert_eq!(debounce.classify(257 * MS), Meaning::EndProcess);
        // A waiter received the signal, and waits again.
        let debounce = Debounce::default();
        assert_eq!(debounce.classify(7 * MS), Meaning::Request);
        debounce.disarm(debounce.state());
        assert_eq!(debounce.classify(256 * MS), Meaning::Repeated);
        assert_eq!(debounce.classify(257 * MS), Meaning::Request);
        assert_eq!(debounce.classify(507 * MS), Meaning::EndProcess);
    }
}
