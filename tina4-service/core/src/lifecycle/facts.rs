//! What a step needs to know besides its input.

use crate::calendar::Zone;
use crate::nanos::{Nanos, WallNanos, nanos};
use crate::spec::Spec;

/// What a step needs to know besides the event.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// The current time of the monotonic clock.
    pub now: Nanos,
    /// The wall clock, which only calendar time needs.
    pub wall: WallNanos,
    /// The time zone of calendar time.
    pub zone: &'a dyn Zone,
    /// Something must be cleaned up if the activation ends now.
    pub hooks: bool,
    /// When the body last called `heartbeat`; it matters only where there is a `timeout`.
    pub last_heartbeat: Nanos,
    /// A random number, for jitter.
    pub random: u64,
}

/// How late this run starts on purpose: `0..jitter`.
pub(super) fn jitter(spec: &Spec, random: u64) -> Nanos {
    match nanos(spec.jitter) {
        0 => 0,
        jitter => random % jitter,
    }
}
