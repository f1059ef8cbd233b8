//! What the times of a service depend on besides its schedule: a time zone, a tolerance.

use std::time::Duration;

use crate::service::environment::Environment;
use crate::time::zone::Zone;
use tina4_service_core::{Nanos, Schedule, Spec, nanos};

/// The time zone and the tolerance of a service that has either.
pub(super) struct TimeSettings {
    /// The time zone of `cron` or `anchor`, or the reason why it is unusable on this machine.
    pub(super) zone: Option<Result<Zone, Box<str>>>,
    /// How long after a due time of its schedule a run may begin; 0: none.
    pub(super) tolerance: Nanos,
}

impl TimeSettings {
    /// `None`: the service has neither a time zone nor a tolerance.
    pub(super) fn new(spec: &Spec, env: &Environment) -> Option<Self> {
        let zone = match &spec.schedule {
            Schedule::Calendar(_, timezone) => Some(Zone::find(timezone, env.local_zone.as_ref())),
            Schedule::Continuous | Schedule::Interval(_) | Schedule::Delay(_) => None,
        };
        let tolerance = nanos(tolerance(spec, env));
        (zone.is_some() || tolerance > 0).then_some(Self { zone, tolerance })
    }
}

/// The service's own tolerance, or the runner's if the period of the service is longer. None in virtual
/// time, where every wake-up is free and runs are on time.
pub(crate) fn tolerance(spec: &Spec, env: &Environment) -> Duration {
    // The shortest period is expensive to compute.
    let is_default_shorter =
        || spec.schedule.shortest_period().is_some_and(|period| env.tolerance < period);
    if env.clock.drives_runner() {
        return Duration::ZERO;
    }
    match spec.tolerance {
        Some(tolerance) => tolerance,
        None if !env.tolerance.is_zero() && is_default_shorter() => env.tolerance,
        None => Duration::ZERO,
    }
}
