//! What checks of whether the engine makes progress remember.

use super::standstill::Standstill;
use crate::sys::sync::std_lock;
use tina4_service_core::Nanos;

/// Since when checks have not got the lock; `None`: the last one has. It has a lock of its own, which is only held
/// for these assignments.
#[derive(Debug, Default)]
pub(super) struct LockWatch(std::sync::Mutex<Option<Standstill>>);

/// What was due at a check and had no worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stall {
    /// Its due time, and the service it belongs to.
    pub(super) first: (Nanos, u32),
    pub(super) standstill: Standstill,
}

impl LockWatch {
    pub(super) fn succeeded(&self) {
        *std_lock(&self.0) = None;
    }

    /// A check that ends `now` has failed.
    pub(super) fn failed(&self, now: Nanos) -> Standstill {
        let mut known = std_lock(&self.0);
        let standstill = known.map_or_else(|| Standstill::begin(now), |before| before.go_on(now));
        *known = Some(standstill);
        standstill
    }
}
