//! What `start_all` would do, as data and as text.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::instance::Instance;
use crate::sys::place::Place;
use crate::text::one_line::OneLine;
use crate::time::schedule::Schedule;

/// How many due times a plan shows for each service.
const DUE_TIMES_SHOWN: usize = 3;

/// What `start_all` would do: every service in start order.
///
/// `Display` prints one line for each service, with its next due times and with what the deployment has
/// changed. Calendar times are shown in
/// their time zone, and marked if a clock change moves or repeats them.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(crate) services: Vec<PlannedService>,
    /// What the deployment has changed in the runner itself.
    pub(crate) runner: Vec<OverriddenSetting>,
    /// How many services run here, and why, if anything selects them.
    pub(crate) selection: Option<String>,
    /// What the engine of the queues says of its store.
    pub(crate) remarks: Vec<String>,
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
    /// Whether `start_all` starts it, if it is not disabled.
    pub autostart: bool,
    /// The setting of the deployment that turns it off; `None`: it is not disabled.
    pub disabled: Option<Arc<str>>,
    /// The groups that it belongs to.
    pub tags: Vec<Cow<'static, str>>,
    /// The settings that the deployment has changed.
    pub overridden: Vec<OverriddenSetting>,
    /// Its next due times if it were started now, without jitter.
    ///
    /// For a fixed delay, runs are assumed to take no time. A continuous service has one due time.
    pub next: Vec<SystemTime>,
}

/// What a plan is made from: one service.
pub(crate) struct Planned<'a> {
    pub(crate) instance: &'a Instance,
    pub(crate) schedule: Schedule,
    pub(crate) overridden: Vec<OverriddenSetting>,
    /// The names of its dependencies, and whether they are required.
    pub(crate) dependencies: Vec<(Cow<'static, str>, bool)>,
}

impl Plan {
    /// The services in the order in which they start.
    #[must_use]
    pub fn services(&self) -> &[PlannedService] {
        &self.services
    }

    /// The settings of the runner itself that the deployment has changed.
    #[must_use]
    pub fn overridden(&self) -> &[OverriddenSetting] {
        &self.runner
    }

    /// What the engine of the queues says of its store, such as settings of a server under which a power cut
    /// loses jobs: each is a sentence with a remedy.
    #[must_use]
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    #[cfg(feature = "queue")]
    pub(crate) fn with_remarks(self, remarks: Vec<String>) -> Self {
        Self { remarks, ..self }
    }

    /// Creates the plan from the services in start order.
    pub(crate) fn new<'a>(
        services: impl Iterator<Item = Planned<'a>>,
        now: SystemTime,
        runner: Vec<OverriddenSetting>,
        selection: Option<String>,
    ) -> Self {
        let planned = |Planned { instance, schedule, overridden, dependencies }: Planned<'_>| {
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
                disabled: definition.disabled().cloned(),
                tags: definition.tags(),
                overridden,
                next: next.unwrap_or_default(),
            }
        };
        Self { services: services.map(planned).collect(), runner, selection, remarks: Vec::new() }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(selection) = &self.selection {
            writeln!(f, "{selection}")?;
        }
        for overridden in &self.runner {
            writeln!(f, "{overridden}")?;
        }
        let width = self.services.iter().map(|service| service.name.len()).max().unwrap_or(0);
        for (number, service) in self.services.iter().enumerate() {
            let PlannedService {
                name,
                place,
                schedule,
                after,
                requires,
                autostart,
                disabled,
                tags: _,
                overridden,
                next,
            } = service;
            write!(f, "{:>3}. {name:width$}  {schedule}", number + 1)?;
            if !after.is_empty() {
                write!(f, ", after {}", after.join(", "))?;
            }
            if !requires.is_empty() {
                write!(f, ", requires {}", requires.join(", "))?;
            }
            if let Some(reason) = disabled {
                write!(f, "; disabled by `{}`", OneLine(reason))?;
            } else if *autostart {
                for (nth, at) in next.iter().enumerate() {
                    f.write_str(if nth == 0 { "; due " } else { ", " })?;
                    schedule.write_time(f, *at)?;
                }
            } else {
                f.write_str("; not started automatically")?;
            }
            for setting in overridden {
                write!(f, "; {setting}")?;
            }
            writeln!(f, "  ({place})")?;
        }
        for remark in &self.remarks {
            writeln!(f, "note: {}", OneLine(remark))?;
        }
        Ok(())
    }
}
