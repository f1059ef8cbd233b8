//! Finds the faults of the services that the deployment leaves out: they run elsewhere, and the faults would show
//! only there.

use std::collections::{BTreeMap, HashMap};

use super::{Check, settings_faults};
use crate::plan::fault::Fault;
use crate::plan::order::{self, Graph, Link};
use crate::service::definition::Definition;
use tina4_service_core::{Key, Schedule};

/// The services of a runner and those that it leaves out, as if they ran in one process.
struct Together<'a> {
    /// Those that are left out come last.
    all: Vec<&'a Definition>,
    /// The number of those that are not left out.
    registered: usize,
    dependencies: Vec<Vec<Link>>,
    dependents: Vec<Vec<u32>>,
}

impl<'s> Check<'_, 's> {
    /// Finds the faults of each service that is left out, and those between them and the others. The values that
    /// they need may be missing where they do not run. Of those that the code leaves out, only the changes of the
    /// deployment are checked.
    pub(super) fn left_out_services(&mut self) {
        let services = self.services;
        let selection = services.directory.selection();
        let by_deployment = self.is_selected_by_deployment();
        for excluded in selection.left_out() {
            if by_deployment || excluded.definition.deployed().is_some() {
                self.faults.extend(settings_faults(excluded, false));
            }
            if by_deployment {
                self.unknown_dependencies(&excluded.definition);
            }
        }
        if by_deployment && !selection.left_out().is_empty() {
            let together = self.together();
            self.faults.extend(together.duplicate_names());
            self.faults.extend(together.ready_missing());
            self.faults.extend(together.cycles());
        }
    }

    /// Whether the services that are left out are those that the deployment has not selected.
    pub(super) fn is_selected_by_deployment(&self) -> bool {
        let selectors = &self.services.directory.selection().selectors;
        selectors.as_ref().is_some_and(|selectors| selectors.includes_registered)
    }

    fn together(&self) -> Together<'s> {
        let services = self.services;
        let registered = services.indices.iter().map(|index| services.definition(*index));
        let mut all: Vec<_> = registered.collect();
        let registered = all.len();
        let left_out = services.directory.selection().left_out();
        all.extend(left_out.iter().map(|excluded| &excluded.definition));
        let mut by_name = HashMap::new();
        for (position, definition) in (0_u32..).zip(&all) {
            by_name.entry(definition.name_str()).or_insert(position);
        }
        let mut together = Together {
            registered,
            dependencies: vec![Vec::new(); all.len()],
            dependents: vec![Vec::new(); all.len()],
            all,
        };
        for (position, definition) in (0_u32..).zip(&together.all) {
            for (key, dependency) in definition.dependencies() {
                let name = services.directory.name(&dependency);
                let Some(target) = name.and_then(|name| by_name.get(name)) else { continue };
                let is_required = key == Key::Requires;
                let link = Link { index: *target, is_required, position: 0 };
                together.dependencies[position as usize].push(link);
                together.dependents[*target as usize].push(position);
            }
        }
        together
    }
}

impl Together<'_> {
    fn is_left_out(&self, position: u32) -> bool {
        position as usize >= self.registered
    }

    fn get(&self, position: u32) -> &Definition {
        self.all[position as usize]
    }

    /// The names that several declared services have, of which one is left out. A service that is registered
    /// takes the place of one that is left out.
    fn duplicate_names(&self) -> Vec<Fault> {
        let mut by_name: BTreeMap<&str, Vec<u32>> = BTreeMap::new();
        for (position, definition) in (0_u32..).zip(&self.all) {
            if definition.id().is_some() {
                by_name.entry(definition.name_str()).or_default().push(position);
            }
        }
        by_name.retain(|_, same| same.len() > 1 && same.iter().any(|of| self.is_left_out(*of)));
        let fault = |(name, same): (&str, Vec<u32>)| {
            let mut places: Vec<_> = same.iter().map(|of| self.get(*of).place()).collect();
            places.sort_unstable();
            Fault::DuplicateName { name: name.to_owned().into(), places }
        };
        by_name.into_iter().map(fault).collect()
    }

    /// The continuous services that do not say when they are ready, although others depend on them, if one of
    /// these services is left out.
    fn ready_missing(&self) -> Vec<Fault> {
        let fault = |(position, dependents): (u32, &Vec<u32>)| {
            let definition = self.get(position);
            let spec = definition.spec();
            let is_elsewhere = |dependent: &u32| self.is_left_out(*dependent);
            let is_known_without =
                !self.is_left_out(position) && !dependents.iter().all(is_elsewhere);
            let says_nothing = spec.ready.is_none() && spec.schedule == Schedule::Continuous;
            if dependents.is_empty() || is_known_without || !says_nothing {
                return None;
            }
            let mut dependents: Vec<_> = dependents.iter().map(|of| self.get(*of).name()).collect();
            dependents.sort_unstable();
            dependents.dedup();
            let (service, place) = (definition.name(), definition.place());
            Some(Fault::ReadyMissing { service, place, dependents })
        };
        (0_u32..).zip(&self.dependents).filter_map(fault).collect()
    }

    /// The services that wait for each other, if one of them is left out.
    fn cycles(&self) -> Vec<Fault> {
        let graph = Graph {
            limit: self.all.len(),
            dependencies: &|position| &self.dependencies[position as usize],
            dependents: &|position| &self.dependents[position as usize],
        };
        let mut by_name: Vec<u32> = (0_u32..).take(self.all.len()).collect();
        by_name.sort_by_key(|position| self.get(*position).name_str());
        let (_, cycles) = order::start_order(graph, &by_name);
        let fault = |members: Vec<u32>| {
            if !members.iter().any(|member| self.is_left_out(*member)) {
                return None;
            }
            let member = |of: &u32| (self.get(*of).name(), self.get(*of).place());
            let mut services: Vec<_> = members.iter().map(member).collect();
            services.sort_unstable();
            Some(Fault::Cycle { services })
        };
        cycles.into_iter().filter_map(fault).collect()
    }
}
