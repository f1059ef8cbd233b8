//! How often the services are looked at.

use std::time::{Duration, Instant};

/// How long at least passes between two looks.
pub(super) const INTERVAL: Duration = Duration::from_millis(250);

/// How long at most passes between the end of a look and the next one, so that no client waits longer for its list.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// A look at very many services takes time, so the pause after it is this many times as long.
const PAUSE_FACTOR: u32 = 20;

/// When the services are looked at.
pub(super) struct Pace {
    next: Instant,
}

impl Pace {
    /// The first look is due at once.
    pub(super) fn new(now: Instant) -> Self {
        Self { next: now }
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        now >= self.next
    }

    /// Plans the next look after one that took this long.
    pub(super) fn looked(&mut self, began: Instant, ended: Instant) {
        let took = ended.saturating_duration_since(began);
        self.next = ended + took.saturating_mul(PAUSE_FACTOR).clamp(INTERVAL, MAX_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn rule_118_slow_looks_are_rare_but_not_too_rare() {
        let start = clock::now();
        for (took, pause) in [(0, 250), (5, 250), (100, 2_000), (250, 5_000), (60_000, 5_000)] {
            let mut pace = Pace::new(start);
            assert!(pace.is_due(start));
            let ended = start + Duration::from_millis(took);
            pace.looked(start, ended);
            let due = ended + Duration::from_millis(pause);
            assert!(!pace.is_due(due - Duration::from_millis(1)), "{took} ms");
            assert!(pace.is_due(due), "{took} ms");
        }
    }
}
