//! Finds the faults of all services, or of one, and the start order.

use std::borrow::Cow;
use std::collections::BTreeMap;

use tina4_service_core::{Key, Schedule};

use crate::plan::directory::Target;
use crate::plan::fault::Fault;
use crate::plan::order;
#[cfg(feature = "queue")]
use crate::plan::queue_check;
use crate::plan::services::Services;
use crate::service::definition::Definition;
use crate::service::deployment::setting_source::SettingSource;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use crate::service::params::Need;
use crate::service::registration::Dependency;
use crate::service::resources::Provided;
use crate::sys::place::Place;
use crate::text::nearest::nearest;
use crate::text::similar_type::similar_type;

mod deployment;
mod left_out;

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
pub(crate) fn check_all(services: &Services<'_>, env: &Environment) -> Checked {
    let mut check = Check { services, env, faults: Vec::new(), suggestions: 0 };
    check.selection();
    check.ready_needs();
    check.deployment();
    check.unknown_settings();
    check.left_out_services();
    let by_name = services.by_name();
    if !services.duplicates.is_empty() {
        let same_name = by_name.chunk_by(|a, b| services.name(*a) == services.name(*b));
        same_name.filter(|same| same.len() > 1).for_each(|same| check.duplicate_name(same));
    }
    let is_checked = |index: &u32| !has_nothing_to_check(services.instance(*index));
    let checked: Vec<u32> = services.indices.iter().copied().filter(is_checked).collect();
    let mut ambiguous = Ambiguous::new();
    for index in &checked {
        check.own_settings(*index);
        check.own_needs(services.definition(*index), &mut ambiguous);
    }
    check.provided_in_two_forms(ambiguous);
    #[cfg(feature = "queue")]
    {
        for index in services.queue_services {
            check.refused_options(*index);
        }
        check.taken_queues(None);
    }
    check.provided_twice(|_| true);
    for index in &checked {
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
    env: &Environment,
) -> Vec<Fault> {
    let mut check = Check { services, env, faults: Vec::new(), suggestions: 0 };
    let definition = services.definition(index);
    check.selection();
    check.deployment();
    check.unclear_settings_of(definition);
    check.duplicates_of(definition.name_str());
    check.own_settings(index);
    let mut ambiguous = Ambiguous::new();
    check.own_needs(definition, &mut ambiguous);
    check.provided_in_two_forms(ambiguous);
    #[cfg(feature = "queue")]
    if definition.queue().is_some() {
        check.refused_options(index);
        check.taken_queues(definition.queue().map(|queue| queue.name));
    }
    let is_needed = |resource: &str| {
        definition.needs().any(|need| match need {
            Need::Resource { value, arc, .. } => {
                (value.name)() == resource || (arc.name)() == resource
            }
            Need::Nothing | Need::Local => false,
            #[cfg(feature = "queue")]
            Need::Job { .. } | Need::DeadJob => false,
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

/// Whether a service cannot have faults of its own.
// perf: so it is with most services that are built at run time, of which there may be many.
fn has_nothing_to_check(instance: &Instance) -> bool {
    instance.definition.is_plain() && !instance.has_zone()
}

/// The faults of a service before it is registered: those in its settings, and a dependency on itself.
pub(crate) fn faults_before_registration(instance: &Instance) -> Vec<Fault> {
    let definition = &instance.definition;
    if has_nothing_to_check(instance) {
        return Vec::new();
    }
    let is_deployed = definition.deployed().is_some();
    // Those that the deployment may have caused are not the fault of the code that registers the service.
    // `check` reports them, with all others.
    let mut faults =
        if is_deployed { own_faults(definition) } else { settings_faults(instance, false) };
    if definition.has_dependencies() {
        let own = definition.name_str();
        let mut names = definition.dependencies().into_iter();
        if names.any(|(_, dependency)| dependency == Dependency::Name(own)) {
            faults.push(Fault::Cycle { services: vec![(definition.name(), definition.place())] });
        }
    }
    faults
}

/// The faults in the settings of one service, without those of the deployment.
fn own_faults(definition: &Definition) -> Vec<Fault> {
    // perf: loops, because nearly all services have none, and `collect` costs more than nothing.
    let mut faults = Vec::new();
    for problem in definition.faults() {
        faults.push(setting_fault(definition, problem.clone()));
    }
    #[cfg(feature = "queue")]
    {
        for problem in queue_check::parameter_problems(definition) {
            faults.push(setting_fault(definition, problem));
        }
        if let Some(problem) = queue_check::concurrency_problem(definition)
            && source_of(definition, Key::Concurrency).is_none()
        {
            faults.push(setting_fault(definition, problem));
        }
    }
    faults
}

fn setting_fault(definition: &Definition, problem: String) -> Fault {
    Fault::Setting { service: definition.name(), place: definition.place(), problem }
}

/// What has changed the value of this key, if the deployment has.
fn source_of(definition: &Definition, key: Key) -> Option<&SettingSource> {
    let overridden = &definition.deployed()?.overridden;
    overridden.iter().find(|setting| setting.key == key.as_str()).map(|setting| &setting.source)
}

/// The fault of a value, which names the deployment if that has changed it.
fn value_fault(definition: &Definition, key: Key, problem: String) -> Fault {
    let setting = match source_of(definition, key) {
        Some(SettingSource::Variable(variable)) => variable.to_string(),
        Some(SettingSource::Settings) => format!("services.{}.{key}", definition.name_str()),
        None => return setting_fault(definition, problem),
    };
    let (service, place) = (definition.name(), definition.place());
    Fault::DeployedSetting { service, place, setting, problem }
}

/// The faults in the settings of one service, and in its time zone and its anchor unless it `is_rescheduled`:
/// a new schedule was checked when it was set, and the time zone of the old one does not matter.
fn settings_faults(instance: &Instance, is_rescheduled: bool) -> Vec<Fault> {
    let definition = &instance.definition;
    let deployed = definition.deployed();
    let mut faults = own_faults(definition);
    // perf: nearly all services have none, and no time zone that could cause one.
    if faults.is_empty() && deployed.is_none() && !instance.has_zone() {
        return faults;
    }
    let fault = |setting, problem| {
        let (service, place) = (definition.name(), definition.place());
        Fault::DeployedSetting { service, place, setting, problem }
    };
    let deployed_faults = deployed.into_iter().flat_map(|deployed| &deployed.faults);
    faults.extend(deployed_faults.map(|found| fault(found.setting.clone(), found.problem.clone())));
    #[cfg(feature = "queue")]
    if source_of(definition, Key::Concurrency).is_some()
        && let Some(problem) = queue_check::concurrency_problem(definition)
    {
        faults.push(value_fault(definition, Key::Concurrency, problem));
    }
    if is_rescheduled {
        return faults;
    }
    let zone = instance.zone_fault().map(str::to_owned);
    let anchor = instance.anchor_fault().map(|problem| problem.to_string());
    for (key, problem) in [(Key::Timezone, zone), (Key::Anchor, anchor)] {
        let Some(problem) = problem else { continue };
        faults.push(value_fault(definition, key, format!("`{key}`: {problem}")));
    }
    faults
}

/// The types `T` that were provided both as a `T` and as an `Arc<T>`, and where.
type Ambiguous = BTreeMap<&'static str, (Place, Place)>;

/// A check in progress.
struct Check<'c, 's> {
    services: &'c Services<'s>,
    env: &'c Environment,
    faults: Vec<Fault>,
    /// The number of suggestions in the faults.
    suggestions: usize,
}

impl<'s> Check<'_, 's> {
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
        let instance = self.services.instance(index);
        let mut faults = settings_faults(instance, false);
        if faults.is_empty() {
            return;
        }
        if (self.services.is_rescheduled)(index) {
            faults = settings_faults(instance, true);
        }
        self.faults.extend(faults);
    }

    /// Finds the values that a service needs and that were not provided, and those whose type is
    /// ambiguous.
    fn own_needs(&mut self, definition: &Definition, ambiguous: &mut Ambiguous) {
        let Self { env: Environment { resources, .. }, faults, .. } = self;
        let mut missing = Vec::new();
        for need in definition.needs() {
            match need {
                Need::Nothing | Need::Local => {}
                #[cfg(feature = "queue")]
                Need::Job { .. } | Need::DeadJob => {}
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

    /// Finds the options of a queue service that its engine does not have.
    #[cfg(feature = "queue")]
    fn refused_options(&mut self, index: u32) {
        let definition = self.services.definition(index);
        let problems = queue_check::refused_options(definition, &self.env.resources);
        let faults = problems.into_iter();
        self.faults.extend(faults.map(|(key, problem)| value_fault(definition, key, problem)));
    }

    /// Finds the queues that several services would take from each other. `only`: just this queue.
    #[cfg(feature = "queue")]
    fn taken_queues(&mut self, only: Option<&str>) {
        let services = self.services;
        let own = services.queue_services.iter().map(|index| services.definition(*index));
        let selection = services.directory.selection();
        let elsewhere = self.is_selected_by_deployment().then(|| selection.left_out());
        let elsewhere = elsewhere.unwrap_or_default().iter().map(|excluded| &excluded.definition);
        let users = own.chain(elsewhere);
        self.faults.extend(queue_check::taken_queues(users, only));
    }

    fn provided_in_two_forms(&mut self, ambiguous: Ambiguous) {
        let fault = |(resource, (value, arc))| Fault::ProvidedInTwoForms { resource, value, arc };
        self.faults.extend(ambiguous.into_iter().map(fault));
    }

    fn provided_twice(&mut self, is_relevant: impl Fn(&str) -> bool) {
        let duplicates = self.env.resources.duplicates().into_iter();
        let relevant = duplicates.filter(|given| is_relevant(given.name));
        self.faults.extend(
            relevant
                .map(|given| Fault::ProvidedTwice { resource: given.name, places: given.places }),
        );
    }

    /// Finds the entries in `after` and `requires` of a service that stand for no service, and the
    /// required services that this runner leaves out. A service in `after` that is left out is no fault.
    fn dependencies(&mut self, definition: &'s Definition) {
        if !definition.has_dependencies() {
            return;
        }
        self.unknown_dependencies(definition);
        let Self { services, faults, .. } = self;
        for (key, dependency) in definition.dependencies() {
            let is_required = key == Key::Requires;
            let (service, place) = (definition.name(), definition.place());
            let is_left_out =
                |known: &Definition| known.deployed().is_some_and(|deployed| deployed.is_left_out);
            match services.target(&dependency) {
                // The code has registered both, and the selection has only one of them.
                Target::Service(index)
                    if is_required
                        && is_left_out(services.definition(index))
                        && !is_left_out(definition) =>
                {
                    let required = services.definition(index);
                    faults.push(Fault::RequiredLeftOut {
                        service,
                        place,
                        required: required.name(),
                        required_place: required.place(),
                    });
                }
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
                // Found above.
                Target::Unknown => {}
            }
        }
    }

    /// Finds the entries in `after` and `requires` of a service that stand for no service.
    fn unknown_dependencies(&mut self, definition: &'s Definition) {
        let Self { services, faults, suggestions, .. } = self;
        let selection = services.directory.selection();
        for (key, dependency) in definition.dependencies() {
            let is_required = key == Key::Requires;
            let (service, place) = (definition.name(), definition.place());
            match services.target(&dependency) {
                Target::Service(_) | Target::LeftOut(_) | Target::Unregistered => {}
                Target::Unknown => {
                    // Suggest names only for text: a function exists, or it would not compile.
                    let name = services.directory.name(&dependency);
                    let written = name.filter(|_| *suggestions < MAX_SUGGESTIONS);
                    *suggestions += usize::from(written.is_some());
                    let known = || {
                        let names = services.indices.iter().map(|index| services.name(*index));
                        let excluded = selection.excluded.iter();
                        names.chain(excluded.map(|excluded| excluded.definition.name_str()))
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

/// The declared services in the `after` of a service that are not in this runner.
pub(crate) fn left_out(services: &Services<'_>, index: u32) -> Vec<Cow<'static, str>> {
    let dependencies = services.definition(index).dependencies();
    let excluded = |(_, dependency)| match services.target(&dependency) {
        Target::LeftOut(excluded) => Some(excluded.name()),
        Target::Service(_) | Target::Unregistered | Target::Unknown => None,
    };
    dependencies.into_iter().filter_map(excluded).collect()
}
