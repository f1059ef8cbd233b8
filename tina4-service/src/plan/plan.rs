//! What `start_all` would do, as data and as text.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use crate::service::instance::Instance;
use crate::sys::place::Place;
use crate::time::schedule::Schedule;

/// How many due times a plan shows for each service.
const DUE_TIMES_SHOWN: usize = 3;

/// What `start_all` would do: every service in start order.
///
/// `Display` prints one line for each service, with its next due times. Calendar times are shown in
/// their time zone, and marked if a clock change moves or repeats them.
#[derive(Clone, Debug)]
pub struct Plan {
    services: Vec<PlannedService>,
}

/// One service of a [`Plan`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PlannedService {
    /// Its name.
    pub name: Cow<'static, str>,
    /// Where it is declared.
    pub place: Place,
    /// When it runs.
    pub schedule: Schedule,
    /// The services that it comes after, without those that it requires.
    pub after: Vec<Cow<'static, str>>,
    /// The services that it requires.
    pub requires: Vec<Cow<'static, str>>,
    /// Whether `start_all` starts it.
    pub autostart: bool,
    /// Its next due times if it were started now, without jitter.
    ///
    /// For a fixed delay, runs are assumed to take no time. A continuous service has one due time.
    pub next: Vec<SystemTime>,
}

impl Plan {
    /// The services in the order in which they start.
    #[must_use]
    pub fn services(&self) -> &[PlannedService] {
        &self.services
    }

    /// Creates the plan from the services in start order, each with its schedule and its dependencies:
    /// their names, and whether they are required.
    pub(crate) fn new<'a>(
        services: impl Iterator<Item = (&'a Instance, Schedule, Vec<(Cow<'static, str>, bool)>)>,
        now: SystemTime,
    ) -> Self {
        let planned = |(instance, schedule, dependencies): (&Instance, Schedule, Vec<_>)| {
            let (requires, after): (Vec<_>, Vec<_>) =
                dependencies.into_iter().partition(|(_, is_required)| *is_required);
            let names = |dependencies: Vec<(_, bool)>| -> Vec<Cow<'static, str>> {
                dependencies.into_iter().map(|(name, _)| name).collect()
            };
            let definition = &instance.definition;
            let spec = definition.spec();
            let next = now.checked_add(spec.initial_delay).map(|first| {
                if schedule.is_calendar() {
                    return schedule.upcoming(now, DUE_TIMES_SHOWN);
                }
                std::iter::once(first)
                    .chain(schedule.upcoming(first, DUE_TIMES_SHOWN - 1))
                    .collect()
            });
            PlannedService {
                name: definition.name(),
                place: definition.place(),
                schedule,
                after: names(after),
                requires: names(requires),
                autostart: spec.autostart,
                next: next.unwrap_or_default(),
            }
        };
        Self { services: services.map(planned).collect() }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.services.iter().map(|service| service.name.len()).max().unwrap_or(0);
        for (number, service) in self.services.iter().enumerate() {
            let PlannedService { name, place, schedule, after, requires, autostart, next } =
                service;
            write!(f, "{:>3}. {name:width$}  {schedule}", number + 1)?;
            if !after.is_empty() {
                write!(f, ", after {}", after.join(", "))?;
            }
            if !requires.is_empty() {
                write!(f, ", requires {}", requires.join(", "))?;
            }
            if *autostart {
                for (nth, at) in next.iter().enumerate() {
                    f.write_str(if nth == 0 { "; due " } else { ", " })?;
                    schedule.write_time(f, *at)?;
                }
            } else {
                f.write_str("; not started automatically")?;
            }
            writeln!(f, "  ({place})")?;
        }
        Ok(())
    }
}
