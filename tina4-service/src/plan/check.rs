//! Finds the faults of all services, or of one, and the start order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tina4_service_core::{Key, Schedule};

use crate::plan::directory::Target;
use crate::plan::fault::Fault;
use crate::plan::order;
use crate::plan::services::Services;
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

/// The result of a check of all services.
#[derive(Debug, Default)]
pub(crate) struct Checked {
    /// The indices in start order: dependencies first, otherwise by name. Omits services that are in a
    /// cycle or depend on one.
    pub(crate) order: Vec<u32>,
    pub(crate) faults: Vec<Fault>,
}

/// Checks every service and the runner's own settings.
pub(crate) fn check_all(services: &Services<'_>, resources: &Resources) -> Checked {
    let mut check = Check { services, resources, faults: Vec::new(), suggestions: 0 };
    check.selection();
    let by_name = services.by_name();
    if !services.duplicates.is_empty() {
        let same_name = by_name.chunk_by(|a, b| services.name(*a) == services.name(*b));
        same_name.filter(|same| same.len() > 1).for_each(|same| check.duplicate_name(same));
    }
    let mut ambiguous = Ambiguous::new();
    for index in services.indices {
        check.own_settings(*index);
        check.own_needs(services.definition(*index), &mut ambiguous);
    }
    check.provided_in_two_forms(ambiguous);
    check.provided_twice(|_| true);
    for index in services.indices {
        check.dependencies(services.definition(*index));
    }
    for index in services.indices {
        check.ready_missing(*index);
    }
    let (order, cycles) = order::start_order(services.graph, &by_name);
    cycles.into_iter().for_each(|members| check.cycle(members));
    Checked { order, faults: check.faults }
}

/// Checks one service, and the runner's own settings: the faults that prevent it from starting. The cost
/// does not depend on the number of other services, unless there is a fault.
///
/// `may_have_cycles`: whether any services may wait for each other.
pub(crate) fn check_one(
    services: &Services<'_>,
    index: u32,
    may_have_cycles: bool,
    resources: &Resources,
) -> Vec<Fault> {
    let mut check = Check { services, resources, faults: Vec::new(), suggestions: 0 };
    let definition = services.definition(index);
    check.selection();
    check.duplicates_of(definition.name_str());
    check.own_settings(index);
    let mut ambiguous = Ambiguous::new();
    check.own_needs(definition, &mut ambiguous);
    check.provided_in_two_forms(ambiguous);
    let is_needed = |resource: &str| {
        definition.needs().any(|need| match need {
            Need::Resource { value, arc, .. } => {
                (value.name)() == resource || (arc.name)() == resource
            }
            Need::Nothing => false,
        })
    };
    check.provided_twice(is_needed);
    check.dependencies(definition);
    services.dependencies(index).iter().for_each(|link| check.ready_missing(link.index));
    if may_have_cycles {
        order::cycle_of(services.graph, index).into_iter().for_each(|members| check.cycle(members));
    }
    check.faults
}

/// The faults of a service before it is registered: those in its settings, and a dependency on itself.
pub(crate) fn faults_before_registration(instance: &Instance) -> Vec<Fault> {
    let definition = &instance.definition;
    let mut faults = settings_faults(instance);
    let own = definition.name_str();
    let mut names = definition.dependencies().into_iter();
    if names.any(|(_, dependency)| dependency == Dependency::Name(own)) {
        faults.push(Fault::Cycle { services: vec![(definition.name(), definition.place())] });
    }
    faults
}

/// The faults in the settings, the time zone and the anchor of one service.
fn settings_faults(instance: &Instance) -> Vec<Fault> {
    let definition = &instance.definition;
    // perf: nearly all services have none, and no time zone that could cause one.
    if definition.faults().is_empty() && !instance.has_zone() {
        return Vec::new();
    }
    let zone = instance.zone_fault().map(|problem| format!("`{}`: {problem}", Key::Timezone));
    let anchor = instance.anchor_fault().map(|problem| format!("`{}`: {problem}", Key::Anchor));
    let problems = definition.faults().iter().cloned().chain(zone).chain(anchor);
    let fault = |problem| {
        let (service, place) = (definition.name(), definition.place());
        Fault::Setting { service, place, problem }
    };
    problems.map(fault).collect()
}

/// The types `T` that were provided both as a `T` and as an `Arc<T>`, and where.
type Ambiguous = BTreeMap<&'static str, (Place, Place)>;

/// A check in progress.
struct Check<'c, 's> {
    services: &'c Services<'s>,
    resources: &'c Resources,
    faults: Vec<Fault>,
    /// The number of suggestions in the faults.
    suggestions: usize,
}

impl<'s> Check<'_, 's> {
    /// Finds the faults in the runner's own settings.
    fn selection(&mut self) {
        let Self { services, faults, .. } = self;
        let selection = services.directory.selection();
        let known = || services.indices.iter().map(|index| services.definition(*index).name());
        let excluded = || selection.excluded.iter().map(Definition::name);
        faults.extend(selection.unknown.iter().map(|name| Fault::UnknownSelection {
            name: name.clone(),
            known: known().chain(excluded()).collect(),
        }));
        faults.extend(selection.invalid_stack_size.map(|bytes| Fault::StackSize { bytes }));
    }

    fn duplicates_of(&mut self, name: &str) {
        let services = self.services;
        let duplicates = services.duplicates.iter().copied();
        let mut same: Vec<_> = duplicates.filter(|index| services.name(*index) == name).collect();
        if !same.is_empty() {
            let names = services.directory.names();
            same.extend(names.find(name, |index| services.name(index)));
            self.duplicate_name(&same);
        }
    }

    fn duplicate_name(&mut self, same: &[u32]) {
        let definitions = || same.iter().map(|index| self.services.definition(*index));
        let mut places: Vec<_> = definitions().map(Definition::place).collect();
        places.sort_unstable();
        let name = definitions().next().map(Definition::name);
        self.faults.extend(name.map(|name| Fault::DuplicateName { name, places }));
    }

    fn own_settings(&mut self, index: u32) {
        let faults = settings_faults(self.services.instance(index));
        // A new schedule was checked when it was set; the time zone of the old one does not matter.
        if !faults.is_empty() && !(self.services.is_rescheduled)(index) {
            self.faults.extend(faults);
        }
    }

    /// Finds the values that a service needs and that were not provided, and those whose type is
    /// ambiguous.
    fn own_needs(&mut self, definition: &Definition, ambiguous: &mut Ambiguous) {
        let Self { resources, faults, .. } = self;
        let mut missing = Vec::new();
        for need in definition.needs() {
            match need {
                Need::Nothing => {}
                Need::Resource { value, arc, is_optional } => {
                    match resources.find(value.id, arc.id) {
                        Provided::Nothing if *is_optional => {}
                        Provided::Nothing => missing.push((value.name)()),
                        Provided::One => {}
                        Provided::Both { value: first, arc: second } => {
                            ambiguous.insert((value.name)(), (first, second));
                        }
                    }
                }
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

    fn provided_in_two_forms(&mut self, ambiguous: Ambiguous) {
        let fault = |(resource, (value, arc))| Fault::ProvidedInTwoForms { resource, value, arc };
        self.faults.extend(ambiguous.into_iter().map(fault));
    }

    fn provided_twice(&mut self, is_relevant: impl Fn(&str) -> bool) {
        let duplicates = self.resources.duplicates().into_iter();
        let relevant = duplicates.filter(|given| is_relevant(given.name));
        self.faults.extend(
            relevant
                .map(|given| Fault::ProvidedTwice { resource: given.name, places: given.places }),
        );
    }

    /// Finds the entries in `after` and `requires` of a service that stand for no service, and the
    /// required services that this runner leaves out. A service in `after` that is left out is no fault.
    fn dependencies(&mut self, definition: &'s Definition) {
        let Self { services, faults, suggestions, .. } = self;
        let selection = services.directory.selection();
        for (key, dependency) in definition.dependencies() {
            let is_required = key == Key::Requires;
            let (service, place) = (definition.name(), definition.place());
            match services.target(&dependency) {
                Target::Service(_) => {}
                Target::LeftOut(excluded) if is_required => faults.push(Fault::RequiredLeftOut {
                    service,
                    place,
                    required: excluded.name(),
                    required_place: excluded.place(),
                }),
                Target::LeftOut(_) => {}
                Target::Unregistered => faults.push(Fault::UnregisteredDependency {
                    service,
                    place,
                    is_required,
                    dependency: services.directory.name(&dependency).unwrap_or_default().to_owned(),
                }),
                Target::Unknown => {
                    // Suggest names only for text: a function exists, or it would not compile.
                    let name = services.directory.name(&dependency);
                    let written = name.filter(|_| *suggestions < MAX_SUGGESTIONS);
                    *suggestions += usize::from(written.is_some());
                    let known = || {
                        let names = services.indices.iter().map(|index| services.name(*index));
                        names.chain(selection.excluded.iter().map(Definition::name_str))
                    };
                    let nearest = written.and_then(|name| nearest(name, known()));
                    faults.push(Fault::UnknownDependency {
                        service,
                        place,
                        is_required,
                        dependency: dependency.text().to_owned(),
                        nearest: nearest.map(str::to_owned),
                    });
                }
            }
        }
    }

    /// Finds out whether this is a continuous service that others depend on and that does not say when
    /// it is ready.
    fn ready_missing(&mut self, index: u32) {
        let services = self.services;
        let dependents = services.dependents(index);
        if dependents.is_empty() {
            return;
        }
        let definition = services.definition(index);
        let spec = definition.spec();
        if spec.ready.is_some() || spec.schedule != Schedule::Continuous {
            return;
        }
        let name = |index: &u32| services.definition(*index).name();
        let mut dependents: Vec<Cow<'static, str>> = dependents.iter().map(name).collect();
        dependents.sort_unstable();
        let (service, place) = (definition.name(), definition.place());
        self.faults.push(Fault::ReadyMissing { service, place, dependents });
    }

    fn cycle(&mut self, members: Vec<u32>) {
        let member = |index| {
            let definition = self.services.definition(index);
            (definition.name(), definition.place())
        };
        let mut services: Vec<_> = members.into_iter().map(member).collect();
        services.sort_unstable();
        self.faults.push(Fault::Cycle { services });
    }
}

/// The services in the `after` of a service that this runner leaves out.
pub(crate) fn left_out(services: &Services<'_>, index: u32) -> Vec<Cow<'static, str>> {
    let dependencies = services.definition(index).dependencies();
    let excluded = |(_, dependency)| match services.target(&dependency) {
        Target::LeftOut(excluded) => Some(excluded.name()),
        Target::Service(_) | Target::Unregistered | Target::Unknown => None,
    };
    dependencies.into_iter().filter_map(excluded).collect()
}
