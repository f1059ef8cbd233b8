//! The services of a runner and their dependencies.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Arc, Weak};

use super::supervised::Supervised;
use crate::plan::check::{self, Checked};
use crate::plan::directory::Directory;
use crate::plan::fault::Fault;
use crate::plan::order::{Graph, Link};
use crate::plan::selection::Selection;
use crate::plan::services::Services;
use crate::plan::start_error::StartError;
use crate::service::deployment::selectors::Selectors;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use tina4_service_core::lifecycle::{Dependencies, State};
use tina4_service_core::{Nanos, Timers};

mod membership;

/// The services of a runner, by index. The index of a service that was removed is used again.
pub(super) struct Registry {
    services: Vec<Supervised>,
    /// The indices that no service has at present.
    free: Vec<u32>,
    /// What their slots hold; `None` until the first service is removed.
    vacant: Option<Arc<Instance>>,
    directory: Directory,
    /// Declared services whose name another one has already, which is a fault.
    duplicates: Vec<u32>,
    /// The services with a queue.
    #[cfg(feature = "queue")]
    queue_services: Vec<u32>,
    /// How many threads they need in addition to one each.
    #[cfg(feature = "queue")]
    job_slots: usize,
    /// Each cycle of dependencies contains at least one of these services; those that closed one.
    cycle_closers: Vec<u32>,
    /// The number of changes to the services.
    revision: u64,
    /// The last check of all services, and the revision and the number of provided values that it covered.
    checked: Option<(u64, u64, Checked)>,
    /// The last service that could not start, with the revision and the number of provided values, and
    /// its faults. Somebody may try again and again, and the suggestions in messages take time.
    last_refused: Option<((u64, u64, u32), Vec<Fault>)>,
}

impl Registry {
    pub(super) fn new(selection: Selection) -> Self {
        Self {
            services: Vec::new(),
            free: Vec::new(),
            vacant: None,
            directory: Directory::new(selection),
            duplicates: Vec::new(),
            #[cfg(feature = "queue")]
            queue_services: Vec::new(),
            #[cfg(feature = "queue")]
            job_slots: 0,
            cycle_closers: Vec::new(),
            revision: 0,
            checked: None,
            last_refused: None,
        }
    }

    /// Records that a service has changed, so that the next check looks again.
    pub(super) fn note_change(&mut self) {
        self.revision += 1;
    }

    /// A number that changes whenever a service is added, removed or changed.
    pub(super) fn revision(&self) -> u64 {
        self.revision
    }

    /// The number of indices that are or were in use.
    pub(super) fn slots(&self) -> usize {
        self.services.len()
    }

    pub(super) fn len(&self) -> usize {
        self.services.len() - self.free.len()
    }

    /// How many threads the services with a queue need in addition to one each.
    #[cfg(feature = "queue")]
    pub(super) fn job_slots(&self) -> usize {
        self.job_slots
    }

    /// The indices of all services.
    pub(super) fn indices(&self) -> impl Iterator<Item = u32> {
        let all = (0_u32..).zip(&self.services);
        all.filter(|(_, service)| !self.is_vacant(service)).map(|(index, _)| index)
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
        self.services.iter().filter(|service| !self.is_vacant(service))
    }

    /// The services among up to `count` indices, from this one on, and the index that follows; `None`: that was all.
    pub(super) fn part(&self, from: u32, count: usize) -> (Vec<u32>, Option<u32>) {
        let from = from as usize;
        let end = from.saturating_add(count).min(self.slots());
        let indices = (from..end).filter_map(|index| u32::try_from(index).ok());
        let used = indices.filter(|index| !self.is_vacant(self.get(*index)));
        let next = u32::try_from(end).ok().filter(|_| end < self.slots());
        (used.collect(), next)
    }

    /// Whether this is what a free slot holds.
    fn is_vacant(&self, service: &Supervised) -> bool {
        self.vacant.as_ref().is_some_and(|vacant| Arc::ptr_eq(vacant, &service.instance))
    }

    /// Whether this index still stands for this service.
    pub(super) fn has(&self, index: u32, instance: &Weak<Instance>) -> bool {
        std::ptr::eq(Arc::as_ptr(&self.get(index).instance), instance.as_ptr())
    }

    /// The service with this name. If there are several, which is a fault: the first.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        self.directory.names().find(name, |index| name_of(&self.services, index))
    }

    /// Calls `look` with the services as a check sees them.
    fn with_services<T>(&self, indices: &[u32], look: impl FnOnce(&Services<'_>) -> T) -> T {
        look(&Services {
            indices,
            directory: &self.directory,
            duplicates: &self.duplicates,
            #[cfg(feature = "queue")]
            queue_services: &self.queue_services,
            instance: &|index| &self.get(index).instance,
            is_rescheduled: &|index| self.get(index).is_rescheduled(),
            graph: Graph {
                limit: self.services.len(),
                dependencies: &|index| self.get(index).dependencies(),
                dependents: &|index| self.get(index).dependents(),
            },
        })
    }

    /// Checks all services, unless nothing has changed since the last check. Returns the start order.
    ///
    /// # Errors
    ///
    /// There is at least one fault, or there are no services.
    pub(super) fn check(&mut self, env: &Environment) -> Result<&[u32], StartError> {
        let selection = self.directory.selection();
        let is_nothing = selection.is_nothing();
        let has_faults = selection.has_faults() || !env.deployment.faults().is_empty();
        if self.len() == 0 && !has_faults && !is_nothing {
            // If any was removed, the linker and the selection are not the cause.
            let is_empty_again = self.vacant.is_some();
            return Err(match is_empty_again {
                true => StartError::NothingRegistered,
                false => selection.why_empty(),
            });
        }
        let (revision, provided) = (self.revision, env.resources.count());
        let is_current = |known: &(u64, u64, Checked)| (known.0, known.1) == (revision, provided);
        if !self.checked.as_ref().is_some_and(is_current) {
            let indices: Vec<u32> = self.indices().collect();
            let checked = self.with_services(&indices, |services| check::check_all(services, env));
            self.checked = Some((revision, provided, checked));
        }
        let (_, _, Checked { order, faults }) = self.checked.get_or_insert_default();
        if faults.is_empty() { Ok(order) } else { Err(StartError::Faults(faults.clone())) }
    }

    /// The faults that prevent one service from starting.
    pub(super) fn faults_of(&mut self, index: u32, env: &Environment) -> Vec<Fault> {
        let known = (self.revision, env.resources.count(), index);
        if let Some((refused, faults)) = &self.last_refused
            && *refused == known
        {
            return faults.clone();
        }
        let may_have_cycles = !self.cycle_closers.is_empty();
        let check =
            |services: &Services<'_>| check::check_one(services, index, may_have_cycles, env);
        if self.with_services(&[], check).is_empty() {
            return Vec::new();
        }
        // Once more, with all names for the messages.
        let indices: Vec<u32> = self.indices().collect();
        let faults = self.with_services(&indices, check);
        self.last_refused = Some((known, faults.clone()));
        faults
    }

    /// The services in the `after` of this one that the runner leaves out: they are not in it, or are disabled.
    pub(super) fn left_out(&self, index: u32) -> Vec<Cow<'static, str>> {
        let are_excluded = !self.directory.selection().excluded.is_empty();
        let dependencies = self.get(index).dependencies();
        // perf: nearly always.
        if dependencies.is_empty() && !are_excluded {
            return Vec::new();
        }
        let is_disabled = |link: &&Link| self.get(link.index).life.state() == State::Disabled;
        let after = dependencies.iter().filter(|link| !link.is_required);
        let name = |link: &Link| self.get(link.index).instance.definition.name();
        let mut left_out: Vec<_> = after.filter(is_disabled).map(name).collect();
        if are_excluded {
            left_out.extend(self.with_services(&[], |services| check::left_out(services, index)));
        }
        left_out
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

    /// The number of services that run here, that of all services, and the selection. `None`: the deployment
    /// selects nothing.
    pub(super) fn selected(&self) -> Option<(usize, usize, &str)> {
        let selection = self.directory.selection();
        let by_deployment = |selectors: &&Arc<Selectors>| selectors.includes_registered;
        let selectors = selection.selectors.as_ref().filter(by_deployment)?;
        let is_elsewhere = |service: &&Supervised| service.instance.definition.disabled().is_some();
        let elsewhere = self.iter().filter(is_elsewhere).count();
        let total = self.len() + selection.left_out().len();
        Some((self.len() - elsewhere, total, &selectors.text))
    }

    /// Whether a blocked service is blocked because another one has failed or is disabled, directly or through
    /// other blocked services.
    pub(super) fn is_blocked_for_good(&self, index: u32) -> bool {
        // Without recursion, because a chain can be long. There are no cycles: check refuses them.
        let (mut open, mut seen) = (vec![index], BTreeSet::new());
        while let Some(index) = open.pop() {
            let service = self.get(index);
            if service.has_failed() || service.life.state() == State::Disabled {
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
            let Link { index: dependency, .. } = self.get(index).dependencies()[position];
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

/// The name of the service with this index.
fn name_of(services: &[Supervised], index: u32) -> &str {
    services[index as usize].instance.definition.name_str()
}
