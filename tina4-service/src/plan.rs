//! The check before anything starts: every fault at once, or the order in which to start.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tina4_service_schedule::Schedule;

use crate::params::{Need, Resources};
use crate::registration::{After, Definition, Place};
use crate::unit::Unit;

mod fault;

pub use fault::{Fault, StartError};

/// What `start_all` would do: every service in start order.
///
/// `Display` prints one line each, with its next due times.
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
    /// The services that must be up first.
    pub after: Vec<Cow<'static, str>>,
    /// Whether `start_all` starts it.
    pub autostart: bool,
    /// Its next due times if it were started now, jitter aside; for a delay, as if runs took no
    /// time. A continuous service has one.
    pub next: Vec<SystemTime>,
}

impl Plan {
    /// The services in the order in which they start.
    #[must_use]
    pub fn services(&self) -> &[PlannedService] {
        &self.services
    }

    pub(crate) fn new(units: &[Arc<Unit>], links: &Links, now: SystemTime) -> Self {
        let name = |index: &u32| units[*index as usize].definition.name();
        let planned = |index: &u32| {
            let definition = &units[*index as usize].definition;
            let spec = definition.spec();
            let first = now.checked_add(spec.initial_delay);
            let next = first.map(|first| {
                std::iter::once(first).chain(spec.schedule.upcoming(first, 2)).collect()
            });
            PlannedService {
                name: definition.name(),
                place: definition.place(),
                schedule: spec.schedule,
                after: links.after[*index as usize].iter().map(name).collect(),
                autostart: spec.autostart,
                next: next.unwrap_or_default(),
            }
        };
        Self { services: links.order.iter().map(planned).collect() }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.services.iter().map(|service| service.name.len()).max().unwrap_or(0);
        for (number, service) in self.services.iter().enumerate() {
            let PlannedService { name, place, schedule, after, autostart, next } = service;
            write!(f, "{:>3}. {name:width$}  {schedule}", number + 1)?;
            if !after.is_empty() {
                write!(f, ", after {}", after.join(", "))?;
            }
            if *autostart {
                for (nth, at) in next.iter().enumerate() {
                    let at = humantime::format_rfc3339_seconds(*at);
                    write!(f, "{}{at}", if nth == 0 { "; due " } else { ", " })?;
                }
            } else {
                f.write_str("; not started by itself")?;
            }
            writeln!(f, "  ({place})")?;
        }
        Ok(())
    }
}

/// Which services to leave out, and what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Declared services that this runner does not have; `after` may name them.
    pub(crate) left_out: Vec<Definition>,
    /// Names given to `only` and `except` that exist nowhere.
    pub(crate) unknown: Vec<String>,
}

/// The services as a graph, by index.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// Those that come first, for each.
    pub(crate) after: Vec<Vec<u32>>,
    /// What comes before what: `after` first, then names.
    pub(crate) order: Vec<u32>,
}

/// Checks everything and finds the order; services in a cycle are not in it.
pub(crate) fn link(
    units: &[Arc<Unit>],
    selection: &Selection,
    resources: &Resources,
) -> (Links, Vec<Fault>) {
    let mut faults = Vec::new();
    faults.extend(selection.unknown.iter().map(|name| {
        Fault::UnknownSelection {
            name: name.clone(),
            known: units
                .iter()
                .map(|unit| &unit.definition)
                .chain(&selection.left_out)
                .map(Definition::name)
                .collect(),
        }
    }));
    duplicates(units, &mut faults);
    for unit in units {
        own_faults(&unit.definition, resources, &mut faults);
    }
    faults.extend(
        resources
            .given_twice()
            .into_iter()
            .map(|given| Fault::GivenTwice { resource: given.name, places: given.places }),
    );
    let after = resolve(units, selection, &mut faults);
    let order = sort(units, &after, &mut faults);
    (Links { after, order }, faults)
}

fn duplicates(units: &[Arc<Unit>], faults: &mut Vec<Fault>) {
    let mut places: HashMap<&str, Vec<Place>> = HashMap::new();
    for unit in units {
        places.entry(unit.definition.name_str()).or_default().push(unit.definition.place());
    }
    let mut twice: Vec<_> = places.into_iter().filter(|(_, places)| places.len() > 1).collect();
    twice.sort_unstable();
    faults.extend(twice.into_iter().map(|(name, mut places)| {
        places.sort_unstable();
        Fault::DuplicateName { name: name.to_owned().into(), places }
    }));
}

fn own_faults(definition: &Definition, resources: &Resources, faults: &mut Vec<Fault>) {
    faults.extend(definition.faults().iter().map(|problem| Fault::Setting {
        service: definition.name(),
        place: definition.place(),
        problem: problem.clone(),
    }));
    let mut missing = BTreeSet::new();
    for need in definition.needs() {
        match need {
            Need::Resource { id, name } if !resources.has(*id) => {
                missing.insert(name());
            }
            Need::Resource { .. } | Need::Nothing => {}
        }
    }
    faults.extend(missing.into_iter().map(|resource| Fault::MissingResource {
        service: definition.name(),
        place: definition.place(),
        resource,
    }));
}

/// Finds the services that `after` means. Those that are left out are no fault, and no link.
fn resolve(units: &[Arc<Unit>], selection: &Selection, faults: &mut Vec<Fault>) -> Vec<Vec<u32>> {
    let mut by_id = HashMap::new();
    let mut by_name = HashMap::new();
    for definition in &selection.left_out {
        by_name.insert(definition.name_str(), None);
        by_id.extend(definition.id().map(|id| (id, None)));
    }
    for (unit, index) in units.iter().zip(0_u32..) {
        by_name.insert(unit.definition.name_str(), Some(index));
        by_id.extend(unit.definition.id().map(|id| (id, Some(index))));
    }
    let mut find = |definition: &Definition| {
        let mut links = Vec::new();
        for after in definition.after() {
            let (found, text) = match after {
                After::Function { id, path } => (by_id.get(&id), path),
                After::Name(name) => (by_name.get(name), name),
            };
            match found {
                Some(Some(index)) if !links.contains(index) => links.push(*index),
                Some(_) => {}
                None => faults.push(Fault::UnknownAfter {
                    service: definition.name(),
                    place: definition.place(),
                    after: text.to_owned(),
                }),
            }
        }
        links
    };
    units.iter().map(|unit| find(&unit.definition)).collect()
}

/// Sorts by `after`, then by name (Kahn's algorithm); reports the cycles.
fn sort(units: &[Arc<Unit>], after: &[Vec<u32>], faults: &mut Vec<Fault>) -> Vec<u32> {
    let name = |index: u32| units[index as usize].definition.name_str();
    let mut missing: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut dependents = vec![Vec::new(); units.len()];
    for (links, index) in after.iter().zip(0_u32..) {
        for link in links {
            dependents[*link as usize].push(index);
        }
    }
    let mut ready: BTreeSet<(&str, u32)> = (0_u32..)
        .zip(&missing)
        .filter(|(_, missing)| **missing == 0)
        .map(|(index, _)| (name(index), index))
        .collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some((_, index)) = ready.pop_first() {
        order.push(index);
        for dependent in &dependents[index as usize] {
            missing[*dependent as usize] -= 1;
            if missing[*dependent as usize] == 0 {
                ready.insert((name(*dependent), *dependent));
            }
        }
    }
    let mut reported = BTreeSet::new();
    for start in 0..units.len() {
        if missing[start] > 0 && !reported.contains(&start) {
            let cycle = walk(start, after, &missing);
            if cycle.iter().all(|index| reported.insert(*index)) {
                let definition = |index: &usize| &units[*index].definition;
                let services = cycle
                    .iter()
                    .map(definition)
                    .map(|known| (known.name(), known.place()))
                    .collect();
                faults.push(Fault::Cycle { services });
            }
        }
    }
    order
}

/// Follows unsorted links from `start` until one comes up again; returns the part in between.
fn walk(start: usize, after: &[Vec<u32>], missing: &[usize]) -> Vec<usize> {
    let mut path = vec![start];
    loop {
        let last = path[path.len() - 1];
        let next = after[last].iter().map(|link| *link as usize).find(|link| missing[*link] > 0);
        // A service that could not be sorted waits for one that could not be sorted.
        let Some(next) = next else { return path };
        if let Some(begin) = path.iter().position(|seen| *seen == next) {
            return path.split_off(begin);
        }
        path.push(next);
    }
}
