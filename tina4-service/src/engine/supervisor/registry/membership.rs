//! Adding and removing services, while the links between them stay complete.
//!
//! A link exists for each entry of `after` and `requires` whose service exists, whichever of the two was
//! added first. The names in the other entries are awaited: see the directory. Adding a service costs as
//! much as its own links and those of the services that wait for it, however many others there are. Only if
//! some wait for it, all services that it depends on are also visited, to find a cycle.

use std::collections::BTreeSet;
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
        self.cycle_closers.retain(|closer| *closer != index);
        #[cfg(feature = "queue")]
        if let Some(jobs) = self.get(index).jobs() {
            self.job_slots = self.job_slots.saturating_sub(jobs.threads());
            self.queue_services.retain(|other| *other != index);
        }
        let dependents = self.take_dependents(index);
        // Of two declared services with one name, the other one now has it.
        let same_name = |other: &u32| name_of(&self.services, *other) == name;
        match self.duplicates.iter().position(same_name) {
            Some(position) => {
                let namesake = self.duplicates.remove(position);
                let inserted = self.insert_name(&instance, namesake);
                debug_assert!(inserted.is_ok(), "the name was just removed");
                self.add_dependents(namesake, dependents);
            }
            None => self.directory.await_again(name, dependents),
        }
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
        instance.announce_tasks();
        let service = Supervised::new(instance, now);
        #[cfg(feature = "queue")]
        if let Some(jobs) = service.jobs() {
            self.queue_services.push(index);
            self.job_slots = self.job_slots.saturating_add(jobs.threads());
        }
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
        let dependents = directory.take_awaiting(name_of(services, index));
        // Nearly always nobody waits for it. It may depend on itself, if it is declared.
        if dependents.is_some() || !self.get(index).dependents().is_empty() {
            self.add_dependents(index, dependents.unwrap_or_default());
        }
    }

    /// Links services with one that they have been waiting for.
    fn add_dependents(&mut self, index: u32, dependents: BTreeSet<u32>) {
        let instance = Arc::clone(&self.get(index).instance);
        let name = instance.definition.name_str();
        for dependent in dependents {
            let definition = &Arc::clone(&self.get(dependent).instance).definition;
            let entries = definition.dependencies().into_iter();
            let names_it = |(_, entry): &(_, _)| self.directory.name(entry) == Some(name);
            let keys: Vec<Key> = entries.filter(names_it).map(|(key, _)| key).collect();
            self.add_link(dependent, index, keys.contains(&Key::Requires));
            self.sort_links(dependent);
        }
        // A cycle leads back to the service, so only one that others depend on can close one.
        if !self.get(index).dependents().is_empty()
            && self.with_services(&[], |services| order::cycle_of(services.graph, index)).is_some()
        {
            self.cycle_closers.push(index);
        }
    }

    /// Links a service with those that it depends on. The names of those that do not exist are awaited.
    fn link(&mut self, index: u32) {
        if !self.get(index).instance.definition.has_dependencies() {
            return;
        }
        let instance = Arc::clone(&self.get(index).instance);
        for (key, dependency) in instance.definition.dependencies() {
            let Self { services, directory, .. } = self;
            match directory.target(&dependency, |index| name_of(services, index)) {
                Target::Service(target) => self.add_link(index, target, key == Key::Requires),
                Target::LeftOut(_) | Target::Unregistered | Target::Unknown => {
                    if let Some(name) = directory.name(&dependency).map(str::to_owned) {
                        directory.await_name(&name, index);
                    }
                }
            }
        }
    }

    /// Links a service with one that it depends on, unless it is linked already.
    fn add_link(&mut self, index: u32, target: u32, is_required: bool) {
        let links = &mut self.get_mut(index).links_mut().dependencies;
        if let Some(link) = links.iter_mut().find(|link| link.index == target) {
            link.is_required |= is_required;
            return;
        }
        let active = u32::from(self.get(index).life.state().is_active());
        let Links { dependents, active_dependents, .. } = self.get_mut(target).links_mut();
        let position = u32::try_from(dependents.len()).unwrap_or(u32::MAX);
        dependents.push(index);
        *active_dependents += active;
        let link = Link { index: target, is_required, position };
        self.get_mut(index).links_mut().dependencies.push(link);
    }

    /// Sorts the links of a service as its definition lists them, for messages and for the plan.
    fn sort_links(&mut self, index: u32) {
        let mut links = self.get_mut(index).take_dependencies();
        let definition = &self.get(index).instance.definition;
        let entries = definition.dependencies();
        links.sort_by_cached_key(|link| {
            let name = name_of(&self.services, link.index);
            entries.iter().position(|(_, entry)| self.directory.name(entry) == Some(name))
        });
        self.get_mut(index).links_mut().dependencies = links;
    }

    /// Removes the links of a service to those that it depends on, and its waits.
    fn unlink(&mut self, index: u32) {
        if !self.get(index).instance.definition.has_dependencies() {
            return;
        }
        let active = u32::from(self.get(index).life.state().is_active());
        for Link { index: target, position, .. } in self.get_mut(index).take_dependencies() {
            let Links { dependents, active_dependents, .. } = self.get_mut(target).links_mut();
            dependents.swap_remove(position as usize);
            *active_dependents = active_dependents.saturating_sub(active);
            // The last dependent is now in this position.
            if let Some(moved) = dependents.get(position as usize).copied() {
                let links = &mut self.get_mut(moved).links_mut().dependencies;
                if let Some(link) = links.iter_mut().find(|link| link.index == target) {
                    link.position = position;
                }
            }
        }
        let instance = Arc::clone(&self.get(index).instance);
        for (_, dependency) in instance.definition.dependencies() {
            if let Some(name) = self.directory.name(&dependency).map(str::to_owned) {
                self.directory.forget_wait(&name, index);
            }
        }
    }

    /// Removes the links of all services that depend on this one, and returns these services. None of
    /// them is active.
    fn take_dependents(&mut self, index: u32) -> BTreeSet<u32> {
        let links = self.get_mut(index).links_mut();
        let dependents = std::mem::take(&mut links.dependents);
        for dependent in &dependents {
            let links = self.get_mut(*dependent).links_mut();
            links.dependencies.retain(|link| link.index != index);
        }
        dependents.into_iter().collect()
    }
}
