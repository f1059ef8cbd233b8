//! The check before anything starts: every fault at once, or the order in which to start.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use tina4_service_schedule::Key;

use crate::params::{Need, Resources};
use crate::registration::{After, Definition, Place};
use crate::schedule::Schedule;
use crate::unit::Unit;

mod fault;

pub use fault::{Fault, StartError};

/// How many due times of each service a plan shows.
const SHOWN: usize = 3;

/// What `start_all` would do: every service in start order.
///
/// `Display` prints one line each, with its next due times: calendar times in their time zone, with
/// a word where a change of the clocks moves or repeats them.
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

    /// From each service in start order, with the names of those it comes after.
    pub(crate) fn new<'a>(
        services: impl Iterator<Item = (&'a Unit, Vec<Cow<'static, str>>)>,
        now: SystemTime,
    ) -> Self {
        let planned = |(unit, after): (&Unit, _)| {
            let (definition, schedule) = (&unit.definition, unit.schedule());
            let spec = definition.spec();
            let next = now.checked_add(spec.initial_delay).map(|first| {
                if schedule.is_calendar() {
                    return schedule.upcoming(now, SHOWN);
                }
                std::iter::once(first).chain(schedule.upcoming(first, SHOWN - 1)).collect()
            });
            PlannedService {
                name: definition.name(),
                place: definition.place(),
                schedule,
                after,
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
            let PlannedService { name, place, schedule, after, autostart, next } = service;
            write!(f, "{:>3}. {name:width$}  {schedule}", number + 1)?;
            if !after.is_empty() {
                write!(f, ", after {}", after.join(", "))?;
            }
            if *autostart {
                for (nth, at) in next.iter().enumerate() {
                    f.write_str(if nth == 0 { "; due " } else { ", " })?;
                    schedule.write_time(f, *at)?;
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
    let names = Names::new(units);
    duplicates(units, &names, &mut faults);
    for unit in units {
        own_faults(unit, resources, &mut faults);
    }
    faults.extend(
        resources
            .given_twice()
            .into_iter()
            .map(|given| Fault::GivenTwice { resource: given.name, places: given.places }),
    );
    let after = resolve(units, &names, selection, &mut faults);
    let order = sort(units, &names, &after, &mut faults);
    (Links { after, order }, faults)
}

/// All names in order, each with the index of its service; of equal names the first service first.
struct Names<'a>(Vec<(&'a str, u32)>);

impl<'a> Names<'a> {
    fn new(units: &'a [Arc<Unit>]) -> Self {
        let mut names: Vec<_> =
            units.iter().map(|unit| unit.definition.name_str()).zip(0_u32..).collect();
        names.sort_unstable();
        Self(names)
    }

    fn find(&self, name: &str) -> Option<u32> {
        let place = self.0.partition_point(|(other, _)| *other < name);
        self.0.get(place).filter(|(other, _)| *other == name).map(|(_, index)| *index)
    }
}

fn duplicates(units: &[Arc<Unit>], names: &Names<'_>, faults: &mut Vec<Fault>) {
    let same = names.0.chunk_by(|(a, _), (b, _)| a == b).filter(|same| same.len() > 1);
    faults.extend(same.map(|same| {
        let place = |(_, index): &(&str, u32)| units[*index as usize].definition.place();
        let mut places: Vec<_> = same.iter().map(place).collect();
        places.sort_unstable();
        Fault::DuplicateName { name: same[0].0.to_owned().into(), places }
    }));
}

fn own_faults(unit: &Unit, resources: &Resources, faults: &mut Vec<Fault>) {
    let definition = &unit.definition;
    let zone = unit.zone_fault().map(|problem| format!("`{}`: {problem}", Key::Timezone));
    faults.extend(definition.faults().iter().cloned().chain(zone).map(|problem| Fault::Setting {
        service: definition.name(),
        place: definition.place(),
        problem,
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
fn resolve(
    units: &[Arc<Unit>],
    names: &Names<'_>,
    selection: &Selection,
    faults: &mut Vec<Fault>,
) -> Vec<Vec<u32>> {
    let left_out: HashSet<_> = selection.left_out.iter().map(Definition::name_str).collect();
    let mut by_id: HashMap<_, _> =
        selection.left_out.iter().filter_map(|definition| Some((definition.id()?, None))).collect();
    let ids = units.iter().map(|unit| unit.definition.id()).zip(0_u32..);
    by_id.extend(ids.filter_map(|(id, index)| Some((id?, Some(index)))));
    let mut find = |definition: &Definition| {
        let mut links = Vec::new();
        for after in definition.after() {
            let (found, text) = match after {
                After::Function { id, path } => (by_id.get(&id).copied(), path),
                After::Name(name) => {
                    let found = names.find(name).map(Some);
                    (found.or_else(|| left_out.contains(name).then_some(None)), name)
                }
            };
            match found {
                Some(Some(index)) if !links.contains(&index) => links.push(index),
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
fn sort(
    units: &[Arc<Unit>],
    names: &Names<'_>,
    after: &[Vec<u32>],
    faults: &mut Vec<Fault>,
) -> Vec<u32> {
    if after.iter().all(Vec::is_empty) {
        return names.0.iter().map(|(_, index)| *index).collect();
    }
    let mut rank = vec![0_u32; units.len()];
    for ((_, index), place) in names.0.iter().zip(0_u32..) {
        rank[*index as usize] = place;
    }
    let mut missing: Vec<usize> = after.iter().map(Vec::len).collect();
    let mut dependents = vec![Vec::new(); units.len()];
    for (links, index) in after.iter().zip(0_u32..) {
        for link in links {
            dependents[*link as usize].push(index);
        }
    }
    // By the place of their names.
    let mut ready: BinaryHeap<Reverse<u32>> = (0..units.len())
        .filter(|index| missing[*index] == 0)
        .map(|index| Reverse(rank[index]))
        .collect();
    let mut order = Vec::with_capacity(units.len());
    while let Some(Reverse(place)) = ready.pop() {
        let (_, index) = names.0[place as usize];
        order.push(index);
        for dependent in &dependents[index as usize] {
            missing[*dependent as usize] -= 1;
            if missing[*dependent as usize] == 0 {
                ready.push(Reverse(rank[*dependent as usize]));
            }
        }
    }
    let unsorted = |index: &u32| missing[*index as usize] > 0;
    faults.extend(cycles(after, &dependents, unsorted).into_iter().map(|members| {
        let definition = |index: u32| &units[index as usize].definition;
        let member = |index| (definition(index).name(), definition(index).place());
        let mut services: Vec<_> = members.into_iter().map(member).collect();
        services.sort_unstable();
        Fault::Cycle { services }
    }));
    order
}

/// Groups of services that wait for each other: strongly connected components of what could not be
/// sorted (Kosaraju's algorithm, without recursion: a chain may be long).
fn cycles(
    after: &[Vec<u32>],
    dependents: &[Vec<u32>],
    unsorted: impl Fn(&u32) -> bool,
) -> Vec<Vec<u32>> {
    let mut finished = Vec::new();
    let mut seen = vec![false; after.len()];
    for start in (0_u32..).take(after.len()).filter(|index| unsorted(index)) {
        // Each with the position of its next link to follow.
        let mut path = vec![(start, 0)];
        while let Some((index, position)) = path.pop() {
            if position == 0 && std::mem::replace(&mut seen[index as usize], true) {
                continue;
            }
            match after[index as usize].get(position) {
                Some(next) => {
                    path.push((index, position + 1));
                    if unsorted(next) && !seen[*next as usize] {
                        path.push((*next, 0));
                    }
                }
                None => finished.push(index),
            }
        }
    }
    let mut groups = Vec::new();
    while let Some(root) = finished.pop() {
        let (mut group, mut open) = (Vec::new(), vec![root]);
        while let Some(index) = open.pop() {
            if std::mem::replace(&mut seen[index as usize], false) {
                group.push(index);
                open.extend(dependents[index as usize].iter().filter(|next| unsorted(next)));
            }
        }
        let waits_for_itself = after[root as usize].contains(&root);
        if group.len() > 1 || (group.len() == 1 && waits_for_itself) {
            groups.push(group);
        }
    }
    groups
}
