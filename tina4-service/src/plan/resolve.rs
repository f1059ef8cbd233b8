//! Checks everything and resolves `after` and `requires`; returns all faults, the dependencies, and the
//! start order.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use tina4_service_core::{Key, Schedule};

use crate::plan::fault::Fault;
use crate::plan::instances::Instances;
use crate::plan::names::Names;
use crate::plan::order::{Link, LinksByService, start_order};
use crate::plan::selection::Selection;
use crate::service::definition::Definition;
use crate::service::instance::Instance;
use crate::service::params::Need;
use crate::service::registration::Dependency;
use crate::service::resources::{Provided, Resources};
use crate::sys::place::Place;
use crate::text::nearest::nearest;
use crate::text::similar_type::similar_type;

/// How many unknown names in `after` and `requires` get a suggestion: a long list of suggestions helps
/// nobody, and each one requires a comparison with every service.
const MAX_SUGGESTIONS: usize = 10;

/// The result of a check of the services. Services are indices.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    pub(crate) dependencies: LinksByService,
    /// The services in `after` that this runner leaves out, for each service that names any.
    pub(crate) left_out: Vec<(u32, Vec<Cow<'static, str>>)>,
    /// The start order: dependencies first, otherwise by name. Omits services that are in a cycle or
    /// depend on one.
    pub(crate) order: Vec<u32>,
    pub(crate) faults: Vec<Fault>,
}

/// Checks every service and the runner's own settings.
pub(crate) fn resolve(
    instances: &Instances<'_>,
    names: &Names,
    selection: &Selection,
    resources: &Resources,
) -> Resolved {
    let mut faults = Vec::new();
    let excluded = || selection.excluded.iter().map(Definition::name);
    faults.extend(selection.unknown.iter().map(|name| Fault::UnknownSelection {
        name: name.clone(),
        known: instances.definitions().map(Definition::name).chain(excluded()).collect(),
    }));
    faults.extend(selection.invalid_stack_size.map(|bytes| Fault::StackSize { bytes }));
    find_duplicate_names(instances, names, &mut faults);
    let mut ambiguous = BTreeMap::new();
    for index in instances.indices() {
        find_own_faults(instances.get(index), resources, &mut ambiguous, &mut faults);
    }
    let ambiguous = ambiguous.into_iter();
    faults.extend(ambiguous.map(|(resource, (value, arc))| Fault::ProvidedInTwoForms {
        resource,
        value,
        arc,
    }));
    faults.extend(
        resources
            .duplicates()
            .into_iter()
            .map(|given| Fault::ProvidedTwice { resource: given.name, places: given.places }),
    );
    let (dependencies, left_out) = dependencies(instances, names, selection, &mut faults);
    find_missing_ready(instances, &dependencies, &mut faults);
    let (order, cycles) = start_order(names.sorted(), &dependencies);
    faults.extend(cycles.into_iter().map(|members| {
        let definition = |index: u32| &instances.get(index).definition;
        let member = |index| (definition(index).name(), definition(index).place());
        let mut services: Vec<_> = members.into_iter().map(member).collect();
        services.sort_unstable();
        Fault::Cycle { services }
    }));
    Resolved { dependencies, left_out, order, faults }
}

fn find_duplicate_names(instances: &Instances<'_>, names: &Names, faults: &mut Vec<Fault>) {
    let same = names.sorted().chunk_by(|a, b| instances.name(*a) == instances.name(*b));
    faults.extend(same.filter(|same| same.len() > 1).map(|same| {
        let mut places: Vec<_> =
            same.iter().map(|index| instances.get(*index).definition.place()).collect();
        places.sort_unstable();
        Fault::DuplicateName { name: instances.name(same[0]).to_owned().into(), places }
    }));
}

/// The types `T` that were provided both as a `T` and as an `Arc<T>`, and where.
type Ambiguous = BTreeMap<&'static str, (Place, Place)>;

/// Finds the faults of one service that concern no other one, and the values whose type is ambiguous.
fn find_own_faults(
    instance: &Instance,
    resources: &Resources,
    ambiguous: &mut Ambiguous,
    faults: &mut Vec<Fault>,
) {
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
    if let Some(problem) = instance.anchor_fault() {
        setting(format!("`{}`: {problem}", Key::Anchor));
    }
    let mut missing = Vec::new();
    for need in definition.needs() {
        match need {
            Need::Nothing => {}
            Need::Resource { value, arc, is_optional } => match resources.find(value.id, arc.id) {
                Provided::Nothing if *is_optional => {}
                Provided::Nothing => missing.push((value.name)()),
                Provided::One => {}
                Provided::Both { value: first, arc: second } => {
                    ambiguous.insert((value.name)(), (first, second));
                }
            },
        }
    }
    missing.sort_unstable();
    missing.dedup();
    for resource in missing {
        let (service, place) = (definition.name(), definition.place());
        let similar = similar_type(resource, resources.names());
        faults.push(Fault::MissingResource { service, place, resource, similar });
    }
}

/// Finds the continuous services that others depend on and that do not say when they are ready.
fn find_missing_ready(
    instances: &Instances<'_>,
    dependencies: &[(u32, Vec<Link>)],
    faults: &mut Vec<Fault>,
) {
    let is_unclear = |index: u32| {
        let spec = instances.get(index).definition.spec();
        spec.ready.is_none() && spec.schedule == Schedule::Continuous
    };
    let mut unclear: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for (dependent, links) in dependencies {
        for link in links.iter().filter(|link| is_unclear(link.index)) {
            unclear.entry(link.index).or_default().push(*dependent);
        }
    }
    faults.extend(unclear.into_iter().map(|(index, dependents)| {
        let definition = &instances.get(index).definition;
        let name = |index: u32| instances.get(index).definition.name();
        let mut dependents: Vec<_> = dependents.into_iter().map(name).collect();
        dependents.sort_unstable();
        Fault::ReadyMissing { service: definition.name(), place: definition.place(), dependents }
    }));
}

/// The names of excluded services, by the index of the service that names them in `after`.
type LeftOut = Vec<(u32, Vec<Cow<'static, str>>)>;

/// Finds the services that `after` and `requires` name, by text or by function. An excluded service in
/// `after` is neither a fault nor a dependency, unless another service with the same name replaces it.
fn dependencies(
    instances: &Instances<'_>,
    names: &Names,
    selection: &Selection,
    faults: &mut Vec<Fault>,
) -> (LinksByService, LeftOut) {
    let excluded: HashMap<_, _> =
        selection.excluded.iter().map(|excluded| (excluded.name_str(), excluded)).collect();
    let known = || {
        let sorted = names.sorted().iter().map(|index| instances.name(*index));
        sorted.chain(selection.excluded.iter().map(Definition::name_str))
    };
    let mut suggestions = 0;
    let name_of = |definition: &Definition| Some((definition.id()?, definition.name()));
    let mut by_id: HashMap<_, _> = selection.excluded.iter().filter_map(name_of).collect();
    by_id.extend(instances.definitions().filter_map(name_of));
    let (mut all_links, mut all_left_out) = (Vec::new(), Vec::new());
    for (index, definition) in instances.indices().zip(instances.definitions()) {
        let (mut links, mut left_out) = (Vec::<Link>::new(), Vec::new());
        for (key, dependency) in definition.dependencies() {
            let is_required = key == Key::Requires;
            let (name, text) = match dependency {
                Dependency::Function { id, path } => (by_id.get(&id).map(|name| &**name), path),
                Dependency::Name(name) => (Some(name), name),
            };
            if let Some(index) = name.and_then(|name| names.find(name, instances)) {
                match links.iter_mut().find(|link| link.index == index) {
                    Some(link) => link.is_required |= is_required,
                    None => links.push(Link { index, is_required }),
                }
                continue;
            }
            let (service, place) = (definition.name(), definition.place());
            match name.and_then(|name| excluded.get(name)) {
                Some(excluded) if is_required => faults.push(Fault::RequiredLeftOut {
                    service,
                    place,
                    required: excluded.name(),
                    required_place: excluded.place(),
                }),
                Some(excluded) => left_out.push(excluded.name()),
                None => {
                    // Suggest names only for text: a function exists, or it would not compile.
                    let written = name.filter(|_| suggestions < MAX_SUGGESTIONS);
                    suggestions += usize::from(written.is_some());
                    faults.push(Fault::UnknownDependency {
                        service,
                        place,
                        is_required,
                        dependency: text.to_owned(),
                        nearest: written.and_then(|name| nearest(name, known())).map(str::to_owned),
                    });
                }
            }
        }
        if !links.is_empty() {
            all_links.push((index, links));
        }
        if !left_out.is_empty() {
            all_left_out.push((index, left_out));
        }
    }
    (all_links, all_left_out)
}
