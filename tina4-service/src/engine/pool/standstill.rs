//! For how long checks have found that something stands still.

use tina4_service_core::Nanos;

/// How long something may stand still before the engine counts as stopped.
pub(super) const LIMIT: Nanos = 10_000_000_000;

/// What the time between two checks counts at most. What happened meanwhile is unknown: the process may have been
/// suspended, or have worked.
const MAX_GAP: Nanos = LIMIT / 2;

/// Checks in a row that have found the same thing standing still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standstill {
    /// When the last check was, in real time.
    checked: Nanos,
    /// How long it has lasted, as far as that is known.
    lasted: Nanos,
}

impl Standstill {
    /// The first check finds it `now`.
    pub(super) fn begin(now: Nanos) -> Self {
        Self { checked: now, lasted: 0 }
    }

    /// Another check finds it `now`.
    pub(super) fn go_on(self, now: Nanos) -> Self {
        let gap = now.saturating_sub(self.checked).min(MAX_GAP);
        Self { checked: now, lasted: self.lasted.saturating_add(gap) }
    }

    /// Whether it has lasted too long.
    pub(super) fn is_too_long(self) -> bool {
        self.lasted >= LIMIT
    }
}
