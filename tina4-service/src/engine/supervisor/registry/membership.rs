//! Adding and removing services, while the links between them stay complete.
//!
//! A link exists for each entry of `after` and `requires` whose service exists, whichever of the two was
//! added first. The other entries are in the directory's lists of awaited names. Adding a service costs
//! as much as its own links and those that wait for it, however many services there are.

use std::sync::Arc;

use super::{Registry, name_of};
use crate::engine::supervisor::supervised::{Links, Supervised};
use crate::plan::directory::Target;
use crate::plan::order::{self, Link};
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use crate::sys::place::Place;
use tina4_service_core::{Key, Nanos};

impl Registry {
    /// Adds the declared services of the runner. Equal names are kept, for the check to report.
    pub(in super::super) fn add_declared(&mut self, instances: Vec<Arc<Instance>>, now: Nanos) {
        for instance in &instances {
            self.directory.add_function(&instance.definition);
        }
        for instance in instances {
            let index = self.free_index();
            if self.insert_name(&instance, index).is_err() {
                self.duplicates.push(index);
            }
            self.occupy(index, instance, now);
        }
    }

    /// Adds a service, unless the name is taken; then returns the place of the service that has it.
    pub(in super::super) fn add(
        &mut self,
        instance: &Arc<Instance>,
        now: Nanos,
    ) -> Result<u32, Place> {
        let index = self.free_index();
        match self.insert_name(instance, index) {
            Ok(()) => {
                self.occupy(index, Arc::clone(instance), now);
                Ok(index)
            }
            Err(other) => Err(self.get(other).instance.definition.place()),
        }
    }

    /// Removes a service, which must have ended and have no active or blocked dependents.
    pub(in super::super) fn remove(&mut self, index: u32, env: &Arc<Environment>) -> Arc<Instance> {
        let instance = Arc::clone(&self.get(index).instance);
        let name = instance.definition.name_str();
        self.unlink(index);
        let Self { services, directory, .. } = self;
        directory.names_mut().remove(name, |index| name_of(services, index));
        // Of two declared services with one name, the other one now has it.
        let same_name = |other: &u32| name_of(&self.services, *other) == name;
        if let Some(position) = self.duplicates.iter().position(same_name) {
            let heir = self.duplicates.remove(position);
            let inserted = self.insert_name(&Arc::clone(&self.get(heir).instance), heir);
            debug_assert!(inserted.is_ok(), "the name was just removed");
        }
        for dependent in self.get(index).dependents().to_vec() {
            self.unlink(dependent);
            self.link(dependent);
        }
        self.cycle_closers.retain(|closer| *closer != index);
        let vacant = self.vacant.get_or_insert_with(|| Supervised::vacant_instance(env));
        self.services[index as usize] = Supervised::new(Arc::clone(vacant), 0);
        self.free.push(index);
        self.revision += 1;
        instance
    }

    /// The index that the next service gets.
    fn free_index(&self) -> u32 {
        let next = || u32::try_from(self.services.len()).unwrap_or(u32::MAX);
        self.free.last().copied().unwrap_or_else(next)
    }

    /// Enters the name of a service. If another one has it, returns that one.
    fn insert_name(&mut self, instance: &Instance, index: u32) -> Result<(), u32> {
        let Self { services, directory, .. } = self;
        let name = instance.definition.name_str();
        directory.names_mut().insert(name, index, |index| name_of(services, index))
    }

    /// Puts a service in the free place with this index, and links it.
    fn occupy(&mut self, index: u32, instance: Arc<Instance>, now: Nanos) {
        let service = Supervised::new(instance, now);
        self.revision += 1;
        match self.free.pop() {
            Some(_) => *self.get_mut(index) = service,
            None => self.services.push(service),
        }
        self.connect(index);
    }

    /// Links a new service with those that it depends on, and with those that depend on it.
    fn connect(&mut self, index: u32) {
        self.link(index);
        let Self { services, directory, .. } = self;
        let waiting = directory.awaiting(name_of(services, index)).to_owned();
        for dependent in waiting {
            self.unlink(dependent);
            self.link(dependent);
        }
        // A cycle leads back to the service, so only one that others depend on can close one.
        if !self.get(index).dependents().is_empty()
            && self.with_services(&[], |services| order::cycle_of(services.graph, index)).is_some()
        {
            self.cycle_closers.push(index);
        }
    }

    /// Finds the services that a service without links depends on.
    fn link(&mut self, index: u32) {
        if !self.get(index).instance.definition.has_dependencies() {
            return;
        }
        let instance = Arc::clone(&self.get(index).instance);
        let dependencies = instance.definition.dependencies();
        let mut links: Vec<Link> = Vec::new();
        for (key, dependency) in dependencies {
            let is_required = key == Key::Requires;
            let Self { services, directory, .. } = self;
            match directory.target(&dependency, |index| name_of(services, index)) {
                Target::Service(index) => match links.iter_mut().find(|link| link.index == index) {
                    Some(link) => link.is_required |= is_required,
                    None => links.push(Link { index, is_required }),
                },
                Target::LeftOut(_) | Target::Unknown => {
                    if let Some(name) = directory.name(&dependency).map(str::to_owned) {
                        directory.await_name(name, index);
                    }
                }
            }
        }
        let active = u32::from(self.get(index).life.state().is_active());
        for link in &links {
            let Links { dependents, active_dependents, .. } = self.get_mut(link.index).links_mut();
            dependents.push(index);
            *active_dependents += active;
        }
        if !links.is_empty() {
            self.get_mut(index).links_mut().dependencies = links;
        }
    }

    /// Removes the links of a service to those that it depends on.
    fn unlink(&mut self, index: u32) {
        if !self.get(index).instance.definition.has_dependencies() {
            return;
        }
        let active = u32::from(self.get(index).life.state().is_active());
        for link in self.get_mut(index).take_dependencies() {
            let Links { dependents, active_dependents, .. } = self.get_mut(link.index).links_mut();
            if let Some(position) = dependents.iter().position(|dependent| *dependent == index) {
                dependents.remove(position);
                *active_dependents = active_dependents.saturating_sub(active);
            }
        }
        let instance = Arc::clone(&self.get(index).instance);
        for (_, dependency) in instance.definition.dependencies() {
            if let Some(name) = self.directory.name(&dependency).map(str::to_owned) {
                self.directory.forget_wait(&name, index);
            }
        }
    }
}
