//! The facts that a step depends on: time, time zone, hooks, randomness.

use crate::calendar::Zone;
use crate::nanos::{Nanos, WallNanos, nanos};
use crate::spec::Spec;

/// The facts that a step depends on, in addition to its input.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The current time of the monotonic clock.
    pub now: Nanos,
    /// The current time of the wall clock; only calendar schedules need it.
    pub wall: WallNanos,
    /// The time zone of the calendar schedule.
    pub zone: &'a dyn Zone,
    /// Whether there are clean-up hooks to run if the activation ends now.
    pub has_hooks: bool,
    /// When the run last called `heartbeat`; only needed if the service has a `timeout`.
    pub last_heartbeat: Nanos,
    /// Whether jobs of a queue are in progress or are to be settled, which may outlast a run.
    pub has_jobs: bool,
    /// A random number, for jitter.
    pub random: u64,
    /// How long after a due time of its schedule a run of the service may begin.
    pub tolerance: Nanos,
}

impl Facts<'_> {
    /// The earliest instant at which a run may have been due that is not missed yet.
    #[inline]
    pub(super) fn earliest_tolerated(&self) -> Nanos {
        self.now.saturating_sub(self.tolerance)
    }
}

/// The jitter of a run: a random delay below the service's `jitter`.
pub(super) fn jitter(spec: &Spec, random: u64) -> Nanos {
    random.checked_rem(nanos(spec.jitter)).unwrap_or(0)
}
