//! What the steps of few services need: a time zone, a tolerance, or a queue.

use std::time::Duration;

use crate::service::definition::Definition;
use crate::service::environment::Environment;
#[cfg(feature = "queue")]
use crate::service::queue_state::QueueState;
use crate::time::zone::Zone;
use tina4_service_core::{Nanos, Schedule, Spec, nanos};

/// The time zone, the tolerance and the queue of a service that has one of them.
pub(super) struct TimeSettings {
    /// The time zone of `cron` or `anchor`, or the reason why it is unusable on this machine.
    pub(super) zone: Option<Result<Zone, Box<str>>>,
    /// How long after a due time of its schedule a run may begin; 0: none.
    pub(super) tolerance: Nanos,
    /// The queue whose jobs it works on.
    #[cfg(feature = "queue")]
    pub(super) queue: Option<QueueState>,
}

impl TimeSettings {
    /// `None`: the service has none of them.
    pub(super) fn new(definition: &Definition, env: &Environment) -> Option<Self> {
        let spec = definition.spec();
        let tolerance = nanos(tolerance(spec, env));
        let zone = match &spec.schedule {
            Schedule::Calendar(_, timezone) => Some(Zone::find(timezone, env.local_zone.as_ref())),
            Schedule::Continuous | Schedule::Interval(_) | Schedule::Delay(_) => None,
            #[cfg(not(feature = "queue"))]
            Schedule::Queue(_) => None,
            #[cfg(feature = "queue")]
            Schedule::Queue(_) => {
                return Some(Self { zone: None, tolerance, queue: QueueState::new(definition) });
            }
        };
        (zone.is_some() || tolerance > 0).then_some(Self {
            zone,
            tolerance,
            #[cfg(feature = "queue")]
            queue: None,
        })
    }
}

/// The service's own tolerance, or the runner's if the period of the service is longer. None in virtual
/// time, where every wake-up is free and runs are on time.
pub(crate) fn tolerance(spec: &Spec, env: &Environment) -> Duration {
    // perf: nearly always, and `register` comes here.
    if spec.tolerance.is_none() && env.tolerance.is_zero() {
        return Duration::ZERO;
    }
    // The shortest period is expensive to compute.
    let is_default_shorter =
        || spec.schedule.shortest_period().is_some_and(|period| env.tolerance < period);
    if env.clock.drives_runner() {
        return Duration::ZERO;
    }
    match spec.tolerance {
        Some(tolerance) => tolerance,
        None if is_default_shorter() => env.tolerance,
        None => Duration::ZERO,
    }
}
