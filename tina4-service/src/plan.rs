//! The check before anything starts: every fault at once, or the order in which to start.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap, HashSet};
use std::fmt;
use std::time::SystemTime;

use tina4_service_core::Key;

use crate::service::definition::Definition;
use crate::service::instance::Instance;
use crate::service::params::Need;
use crate::service::registration::After;
use crate::service::resources::Resources;
use crate::sys::place::Place;
use crate::text::nearest::nearest;
use crate::time::schedule::Schedule;

mod fault;
mod names;

pub(crate) use fault::LEAST_STACK;
pub use fault::{Fault, StartError};
pub(crate) use names::Names;

/// How many due times of each service a plan shows.
const SHOWN: usize = 3;

/// How many unknown names in `after` are compared with all known ones: a long list of suggestions
/// helps no one, and each comparison looks at every service.
const COMPARED: usize = 10;

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
        services: impl Iterator<Item = (&'a Instance, Vec<Cow<'static, str>>)>,
        now: SystemTime,
    ) -> Self {
        let planned = |(instance, after): (&Instance, _)| {
            let (definition, schedule) = (&instance.definition, instance.schedule());
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

/// Which services a runner leaves out, and what is wrong with how it was built: found by its builder,
/// reported with all other faults.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    /// Whether declared services were asked for at all.
    pub(crate) wants_declared: bool,
    /// Declared services that this runner does not have; `after` may name them.
    pub(crate) left_out: Vec<Definition>,
    /// Names given to `only` and `except` that exist nowhere.
    pub(crate) unknown: Vec<String>,
    /// A size that was asked for, and that no stack can have.
    pub(crate) stack_size: Option<usize>,
}

impl Selection {
    /// Why a runner has no services, if it has none.
    pub(crate) fn nothing(&self) -> StartError {
        match self.left_out.len() {
            0 if self.wants_declared => StartError::NothingFound,
            0 => StartError::NothingRegistered,
            left_out => StartError::NothingSelected { left_out },
        }
    }
}

/// The services as a graph, by index.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Those that come first, for each that comes after something.
    pub(crate) after: Vec<(u32, Vec<u32>)>,
    /// What comes before what: `after` first, then names.
    pub(crate) order: Vec<u32>,
}

/// The services of a runner, by index.
pub(crate) struct Instances<'a> {
    pub(crate) count: u32,
    pub(crate) get: &'a dyn Fn(u32) -> &'a Instance,
}

impl<'a> Instances<'a> {
    fn indices(&self) -> std::ops::Range<u32> {
        0..self.count
    }

    fn get(&self, index: u32) -> &'a Instance {
        (self.get)(index)
    }

    fn name(&self, index: u32) -> &'a str {
        self.get(index).definition.name_str()
    }

    fn definitions(&self) -> impl Iterator<Item = &'a Definition> {
        self.indices().map(|index| &self.get(index).definition)
    }
}

/// Checks everything and finds the order; services in a cycle are not in it.
pub(crate) fn link(
    instances: &Instances<'_>,
    names: &Names,
    selection: &Selection,
    resources: &Resources,
) -> (Graph, Vec<Fault>) {
    let mut faults = Vec::new();
    let left_out = || selection.left_out.iter().map(Definition::name);
    faults.extend(selection.unknown.iter().map(|name| Fault::UnknownSelection {
        name: name.clone(),
        known: instances.definitions().map(Definition::name).chain(left_out()).collect(),
    }));
    faults.extend(selection.stack_size.map(|bytes| Fault::StackSize { bytes }));
    duplicates(instances, names, &mut faults);
    for index in instances.indices() {
        own_faults(instances.get(index), resources, &mut faults);
    }
    faults.extend(
        resources
            .provided_twice()
            .into_iter()
            .map(|given| Fault::ProvidedTwice { resource: given.name, places: given.places }),
    );
    let after = resolve(instances, names, selection, &mut faults);
    let order = start_order(instances, names.sorted(), &after, &mut faults);
    (Graph { after, order }, faults)
}

fn duplicates(instances: &Instances<'_>, names: &Names, faults: &mut Vec<Fault>) {
    let same = names.sorted().chunk_by(|a, b| instances.name(*a) == instances.name(*b));
    faults.extend(same.filter(|same| same.len() > 1).map(|same| {
        let mut places: Vec<_> =
            same.iter().map(|index| instances.get(*index).definition.place()).collect();
        places.sort_unstable();
        Fault::DuplicateName { name: instances.name(same[0]).to_owned().into(), places }
    }));
}

fn own_faults(instance: &Instance, resources: &Resources, faults: &mut Vec<Fault>) {
    let definition = &instance.definition;
    let mut setting = |problem| {
        let (service, place) = (definition.name(), definition.place());
        faults.push(Fault::Setting { service, place, problem });
    };
    for problem in definition.faults() {
        setting(problem.clone());
    }
    if let Some(problem) = instance.zone_fault() {
        setting(format!("`{}`: {problem}", Key::Timezone));
    }
    let mut missing = Vec::new();
    for need in definition.needs() {
        match need {
            Need::Resource { id, name } if !resources.has(*id) => missing.push(name()),
            Need::Resource { .. } | Need::Nothing => {}
        }
    }
    missing.sort_unstable();
    missing.dedup();
    for resource in missing {
        let (service, place) = (definition.name(), definition.place());
        faults.push(Fault::MissingResource { service, place, resource });
    }
}

/// Finds the services that `after` means: those of that name, whether it is written or is that of a
/// function. What is left out, and not replaced by a service of its name, is no fault, and no link.
fn resolve(
    instances: &Instances<'_>,
    names: &Names,
    selection: &Selection,
    faults: &mut Vec<Fault>,
) -> Vec<(u32, Vec<u32>)> {
    let left_out: HashSet<_> = selection.left_out.iter().map(Definition::name_str).collect();
    let known = || {
        let sorted = names.sorted().iter().map(|index| instances.name(*index));
        sorted.chain(selection.left_out.iter().map(Definition::name_str))
    };
    let mut compared = 0;
    let name_of = |definition: &Definition| Some((definition.id()?, definition.name()));
    let mut by_id: HashMap<_, _> = selection.left_out.iter().filter_map(name_of).collect();
    by_id.extend(instances.definitions().filter_map(name_of));
    let mut find = |definition: &Definition| {
        let mut links = Vec::new();
        for after in definition.after() {
            let (name, text) = match after {
                After::Function { id, path } => (by_id.get(&id).map(|name| &**name), path),
                After::Name(name) => (Some(name), name),
            };
            let found = name.and_then(|name| match names.find(name, instances) {
                None if left_out.contains(name) => Some(None),
                None => None,
                Some(index) => Some(Some(index)),
            });
            match found {
                Some(Some(index)) if !links.contains(&index) => links.push(index),
                Some(_) => {}
                None => {
                    // A function that is no service was not misspelt: it compiles.
                    let written = name.filter(|_| compared < COMPARED);
                    compared += usize::from(written.is_some());
                    faults.push(Fault::UnknownAfter {
                        service: definition.name(),
                        place: definition.place(),
                        after: text.to_owned(),
                        nearest: written.and_then(|name| nearest(name, known())).map(str::to_owned),
                    });
                }
            }
        }
        links
    };
    let links = instances
        .indices()
        .zip(instances.definitions())
        .map(|(index, definition)| (index, find(definition)));
    links.filter(|(_, links)| !links.is_empty()).collect()
}

/// Sorts by `after`, then by name (Kahn's algorithm); reports the cycles.
fn start_order(
    instances: &Instances<'_>,
    by_name: &[u32],
    links: &[(u32, Vec<u32>)],
    faults: &mut Vec<Fault>,
) -> Vec<u32> {
    if links.is_empty() {
        return by_name.to_vec();
    }
    let count = by_name.len();
    let mut after = vec![&[][..]; count];
    for (index, links) in links {
        after[*index as usize] = links;
    }
    let mut rank = vec![0_u32; count];
    for (index, place) in by_name.iter().zip(0_u32..) {
        rank[*index as usize] = place;
    }
    let mut missing: Vec<usize> = after.iter().map(|links| links.len()).collect();
    let mut dependents = vec![Vec::new(); count];
    for (index, links) in links {
        for link in links {
            dependents[*link as usize].push(*index);
        }
    }
    // By the place of their names.
    let mut ready: BinaryHeap<Reverse<u32>> =
        (0..count).filter(|index| missing[*index] == 0).map(|index| Reverse(rank[index])).collect();
    let mut order = Vec::with_capacity(count);
    while let Some(Reverse(place)) = ready.pop() {
        let index = by_name[place as usize];
        order.push(index);
        for dependent in &dependents[index as usize] {
            missing[*dependent as usize] -= 1;
            if missing[*dependent as usize] == 0 {
                ready.push(Reverse(rank[*dependent as usize]));
            }
        }
    }
    let unsorted = |index: &u32| missing[*index as usize] > 0;
    faults.extend(cycles(&after, &dependents, unsorted).into_iter().map(|members| {
        let definition = |index: u32| &instances.get(index).definition;
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
    after: &[&[u32]],
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
