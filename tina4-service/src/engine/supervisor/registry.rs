//! The services of a runner and their dependencies.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::supervised::{Links, Supervised};
use crate::plan::fault::Fault;
use crate::plan::instances::Instances;
use crate::plan::names::Names;
use crate::plan::order::Link;
use crate::plan::resolve::{self, Resolved};
use crate::plan::selection::Selection;
use crate::plan::start_error::StartError;
use crate::service::definition::Definition;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use tina4_service_core::lifecycle::{Dependencies, State};
use tina4_service_core::{Nanos, Timers};

/// The services of a runner, by index, in the order of their registration.
pub(super) struct Registry {
    services: Vec<Supervised>,
    /// The indices by name; updated at each lookup.
    names: Names,
    selection: Selection,
    checked: Checked,
}

/// The result of the last check, and the numbers of services and provided values that it covered.
#[derive(Default)]
struct Checked {
    services: usize,
    provided: u64,
    order: Vec<u32>,
    faults: Vec<Fault>,
}

impl Registry {
    pub(super) fn new(selection: Selection) -> Self {
        Self {
            services: Vec::new(),
            names: Names::default(),
            selection,
            checked: Checked::default(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.services.len()
    }

    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.services.len()).unwrap_or(u32::MAX)
    }

    #[inline]
    pub(super) fn get(&self, index: u32) -> &Supervised {
        &self.services[index as usize]
    }

    #[inline]
    pub(super) fn get_mut(&mut self, index: u32) -> &mut Supervised {
        &mut self.services[index as usize]
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = &Supervised> {
        self.services.iter()
    }

    pub(super) fn add(&mut self, definition: Definition, env: &Arc<Environment>, now: Nanos) {
        let instance = Arc::new(Instance::new(definition, Arc::clone(env)));
        self.services.push(Supervised::new(instance, now));
    }

    /// The service with this name. If there are several, which is a fault: the first.
    pub(super) fn find(&mut self, name: &str) -> Option<u32> {
        let count = self.indices().end;
        let Self { services, names, .. } = self;
        let instances = Instances { count, get: &|index| &services[index as usize].instance };
        names.update(&instances);
        names.find(name, &instances)
    }

    /// Checks all services and resolves their dependencies, unless nothing has been added since the last
    /// check.
    ///
    /// The links of active services come out the same as before, because their dependencies were
    /// already known when they started.
    pub(super) fn resolve(&mut self, env: &Environment) {
        let (known, provided) = (self.services.len(), env.resources.count());
        // With no services the counts are equal from the start, although nothing has been checked:
        // there may be faults even so.
        if known > 0 && (self.checked.services, self.checked.provided) == (known, provided) {
            return;
        }
        let count = self.indices().end;
        let Self { services, names, selection, .. } = self;
        let instances = Instances { count, get: &|index| &services[index as usize].instance };
        names.update(&instances);
        let resolved = resolve::resolve(&instances, names, selection, &env.resources);
        for service in &mut self.services {
            service.clear_links();
        }
        let Resolved { dependencies, left_out, order, faults } = resolved;
        for (index, dependencies) in dependencies {
            let active = u32::from(self.get(index).life.state().is_active());
            for link in &dependencies {
                let Links { dependents, active_dependents, .. } =
                    self.get_mut(link.index).links_mut();
                dependents.push(index);
                *active_dependents += active;
            }
            self.get_mut(index).links_mut().dependencies = dependencies;
        }
        for (index, left_out) in left_out {
            self.get_mut(index).links_mut().left_out = left_out;
        }
        self.checked = Checked { services: known, provided, order, faults };
    }

    /// Checks all services, unless nothing has been added since the last check.
    ///
    /// # Errors
    ///
    /// There is at least one fault, or there are no services.
    pub(super) fn check(&mut self, env: &Environment) -> Result<(), StartError> {
        if self.services.is_empty() && self.selection.unknown.is_empty() {
            return Err(self.selection.why_empty());
        }
        self.resolve(env);
        if self.checked.faults.is_empty() {
            Ok(())
        } else {
            Err(StartError::Faults(self.checked.faults.clone()))
        }
    }

    /// The start order that the last check found.
    pub(super) fn order(&self) -> &[u32] {
        &self.checked.order
    }

    /// The faults of the last check that concern one service.
    pub(super) fn faults_of(&self, index: u32) -> Vec<Fault> {
        let definition = &self.get(index).instance.definition;
        self.checked
            .faults
            .iter()
            .filter(|fault| fault.prevents_start_of(definition))
            .cloned()
            .collect()
    }

    /// Whether a service may start, judging by its dependencies.
    pub(super) fn dependencies(&self, index: u32) -> Dependencies {
        let mut result = Dependencies::Met;
        for link in self.get(index).dependencies() {
            match self.dependency(*link) {
                Dependencies::Met => {}
                Dependencies::Pending => result = Dependencies::Pending,
                Dependencies::Unmet => return Dependencies::Unmet,
            }
        }
        result
    }

    /// Whether one dependency allows its dependent to start.
    fn dependency(&self, link: Link) -> Dependencies {
        let readiness = self.get(link.index).life.readiness();
        if readiness.is_ready() {
            Dependencies::Met
        } else if link.is_required && !readiness.may_become_ready() {
            Dependencies::Unmet
        } else if link.is_required || readiness.is_starting() {
            Dependencies::Pending
        } else {
            Dependencies::Met
        }
    }

    /// The dependencies that keep a started service from running: those that block it, or else those
    /// that it waits for.
    pub(super) fn unready_dependencies(&self, index: u32) -> Vec<u32> {
        let service = self.get(index);
        if !service.life.is_waiting_for_dependencies() {
            return Vec::new();
        }
        let is_blocked = service.life.state() == State::Blocked;
        let wanted = if is_blocked { Dependencies::Unmet } else { Dependencies::Pending };
        let is_wanted = |link: &&Link| self.dependency(**link) == wanted;
        service.dependencies().iter().filter(is_wanted).map(|link| link.index).collect()
    }

    /// Whether a blocked service is blocked because another one has failed, directly or through other
    /// blocked services.
    pub(super) fn is_blocked_by_failure(&self, index: u32) -> bool {
        // Without recursion, because a chain can be long. There are no cycles: check refuses them.
        let (mut open, mut seen) = (vec![index], BTreeSet::new());
        while let Some(index) = open.pop() {
            if self.get(index).has_failed() {
                return true;
            }
            if seen.insert(index) {
                open.extend(self.unready_dependencies(index));
            }
        }
        false
    }

    /// Whether a dependent of this service is blocked, and so stops before it.
    pub(super) fn blocks_any(&self, index: u32) -> bool {
        let is_blocked = |index: &u32| self.get(*index).life.state() == State::Blocked;
        self.get(index).dependents().iter().any(is_blocked)
    }

    /// The critical services that are blocked, directly or through other blocked services, because this
    /// one has failed.
    pub(super) fn critical_services_blocked_by(&self, failed: u32) -> Vec<u32> {
        let (mut open, mut seen, mut critical) = (vec![failed], BTreeSet::new(), Vec::new());
        while let Some(index) = open.pop() {
            for dependent in self.get(index).dependents() {
                let service = self.get(*dependent);
                if service.life.state() == State::Blocked && seen.insert(*dependent) {
                    open.push(*dependent);
                    if service.instance.definition.spec().critical {
                        critical.push(*dependent);
                    }
                }
            }
        }
        critical
    }

    /// Changes the number of active dependents of each dependency of this service by `delta`.
    pub(super) fn adjust_active_dependents(&mut self, index: u32, delta: i32) {
        for position in 0..self.get(index).dependencies().len() {
            let Link { index: dependency, is_required: _ } =
                self.get(index).dependencies()[position];
            let count = &mut self.get_mut(dependency).links_mut().active_dependents;
            *count = count.saturating_add_signed(delta);
        }
    }

    /// Removes outdated entries from the timer queue. The cost is amortized over the pushes before it.
    pub(super) fn rebuild_timers(&mut self, timers: &mut Timers) {
        timers.clear();
        for (service, index) in self.services.iter_mut().zip(0_u32..) {
            service.queued = service.wake_up_by().unwrap_or(Nanos::MAX);
            if service.queued < Nanos::MAX {
                timers.push(service.queued, index);
            }
        }
    }
}
