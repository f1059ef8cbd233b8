//! [`Draining`]: which queue needs its process for itself.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::timestamp::Timestamp;

/// For how long the other queues claim nothing. After that they do for as long, and so on.
const PERIOD: Duration = Duration::from_secs(5 * 60);

/// A queue whose next job has to run alone, because it may kill its process, and waits until the process holds no
/// other claim. Without this, a process that always holds one of some queue would never claim it.
#[derive(Debug, Default)]
pub(crate) struct Draining(Mutex<Option<(&'static str, Timestamp)>>);

impl Draining {
    /// Whether jobs of this queue may be claimed.
    pub(crate) fn may_claim(&self, queue: &str, now: Timestamp) -> bool {
        let draining = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        draining.is_none_or(|(waiting, since)| {
            let periods = now.since(since).as_millis() / PERIOD.as_millis();
            waiting == queue || !periods.is_multiple_of(2)
        })
    }

    /// Records whether the next job of this queue waits. If several queues have one, they take turns.
    pub(crate) fn record(&self, queue: &'static str, waits: bool, now: Timestamp) {
        let mut draining = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (*draining, waits) {
            (None, true) => *draining = Some((queue, now)),
            (Some((waiting, _)), false) if waiting == queue => *draining = None,
            (None, false) | (Some(_), true | false) => {}
        }
    }
}
