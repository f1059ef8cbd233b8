//! What there is, and whether it may start.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;

use super::supervised::Links;
use super::{Linked, Supervised, Supervisor};
use crate::observe::event::{Change, Event};
use crate::observe::info::{FailureCounts, ServiceInfo, Stats};
use crate::observe::stop_report::ControlError;
use crate::plan::{Graph, Instances, Plan, StartError, link};
use crate::service::definition::Definition;
use crate::service::instance::Instance;
use crate::time::clock::{wall_after, wall_time};
use tina4_service_core::lifecycle::{Action, Input, Lifecycle, Refusal, State};
use tina4_service_core::{Nanos, nanos};

impl Supervisor {
    pub(crate) fn add(&mut self, definition: Definition, now: Nanos) {
        let instance = Arc::new(Instance::new(definition, Arc::clone(&self.env)));
        self.services.push(Supervised {
            instance,
            life: Lifecycle::new(now),
            stats: Stats::new(),
            queued: Nanos::MAX,
            rare: None,
            end: None,
        });
    }

    /// What was probably meant by an unknown name is found out by the caller, outside of the lock.
    pub(super) fn find(&mut self, name: &str) -> Result<u32, ControlError> {
        let end = self.indices().end;
        let Self { services, names, .. } = self;
        let instances = Instances { count: end, get: &|index| &services[index as usize].instance };
        names.update(&instances);
        let unknown = || ControlError::Unknown { name: name.to_owned(), nearest: None };
        names.find(name, &instances).ok_or_else(unknown)
    }

    /// All services, in the order in which they became known.
    pub(crate) fn instances(&self) -> Vec<Arc<Instance>> {
        self.services.iter().map(|service| Arc::clone(&service.instance)).collect()
    }

    pub(crate) fn subscribe(&mut self) -> Receiver<Event> {
        self.subscribers.add()
    }

    #[cfg(feature = "testing")]
    pub(crate) fn record_all(&mut self, record: crate::observe::event::Record) {
        self.subscribers.record(record);
    }

    /// The service of this name, if there is one.
    #[cfg(feature = "testing")]
    pub(crate) fn instance(&mut self, name: &str) -> Option<Arc<Instance>> {
        self.find(name).ok().map(|index| Arc::clone(&self.service(index).instance))
    }

    pub(crate) fn state(&mut self, name: &str) -> Option<State> {
        self.find(name).ok().map(|index| self.service(index).life.state())
    }

    pub(crate) fn status(&self) -> BTreeMap<String, State> {
        let line = |service: &Supervised| {
            (service.instance.definition.name().into_owned(), service.life.state())
        };
        // A name means the same here as in every request: the first that took it, which is the last
        // to be put in.
        self.services.iter().rev().map(line).collect()
    }

    pub(crate) fn services(&self, now: Nanos) -> Vec<ServiceInfo> {
        let mut all: Vec<_> = self.services.iter().map(|service| self.info(service, now)).collect();
        all.sort_by(|a, b| (&a.name, a.place).cmp(&(&b.name, b.place)));
        all
    }

    pub(super) fn info(&self, service: &Supervised, now: Nanos) -> ServiceInfo {
        let Supervised { instance, life, stats, .. } = service;
        let (definition, clock) = (&instance.definition, &self.env.clock);
        let heard = life.running_since().map(|started| (started, instance.last_heartbeat()));
        let timeout = definition.spec().timeout.map(nanos);
        let wall = |instant: Option<Nanos>| instant.map(|instant| clock.wall_at(instant));
        let FailureCounts { crashes, restarts, skipped, last_error } = service.trouble();
        let started = life.run_started();
        let last_end = stats.last_end();
        ServiceInfo {
            name: definition.name(),
            place: definition.place(),
            function: definition.path(),
            schedule: instance.schedule(),
            state: life.state(),
            since: clock.wall_at(life.since()),
            next_due: life
                .next_date()
                .and_then(|(at, late)| wall_after(wall_time(at)?, late))
                .or_else(|| wall(life.next_run().filter(|due| *due < Nanos::MAX))),
            runs: stats.runs,
            crashes,
            restarts,
            crashes_in_a_row: life.crashes_in_a_row(),
            skipped,
            last_start: wall((stats.runs > 0).then_some(started)),
            last_end: wall(last_end.map(|(at, _)| at)),
            last_duration: last_end.map(|(_, took)| took),
            last_error,
            lateness: stats.lateness(started.saturating_sub(life.run_due())),
            duration: stats.duration(),
            stuck: heard.zip(timeout).is_some_and(|((started, last_heartbeat), timeout)| {
                started.max(last_heartbeat).saturating_add(timeout) <= now
            }),
            heartbeat_age: heard
                .filter(|(started, last_heartbeat)| {
                    last_heartbeat >= started && *last_heartbeat > 0
                })
                .map(|(_, last_heartbeat)| {
                    Duration::from_nanos(now.saturating_sub(last_heartbeat))
                }),
        }
    }

    pub(super) fn service(&self, index: u32) -> &Supervised {
        &self.services[index as usize]
    }

    /// Checks everything, and keeps who comes after whom; does nothing if nothing was added since.
    ///
    /// What is active keeps its links whatever was added, for what it comes after was there before.
    pub(super) fn relink(&mut self) {
        let (count, provided) = (self.services.len(), self.env.resources.count());
        // Without services nothing was looked at so far, and there may be faults all the same.
        if count > 0 && (self.linked.services, self.linked.provided) == (count, provided) {
            return;
        }
        let end = self.indices().end;
        let Self { services, names, selection, env, .. } = self;
        let instances = Instances { count: end, get: &|index| &services[index as usize].instance };
        names.update(&instances);
        let (Graph { after, order }, faults) = link(&instances, names, selection, &env.resources);
        for service in &mut self.services {
            if let Some(rare) = &mut service.rare {
                rare.links = Links::default();
            }
        }
        for (index, after) in after {
            let active = u32::from(self.service(index).life.state().is_active());
            for first in &after {
                let first = self.services[*first as usize].links_mut();
                first.dependents.push(index);
                first.active_dependents += active;
            }
            self.services[index as usize].links_mut().after = after;
        }
        self.linked = Linked { services: count, provided, order, faults };
    }

    /// Finds out the order to start in, `linked.order`, or all faults.
    fn find_order(&mut self) -> Result<(), StartError> {
        if self.services.is_empty() && self.selection.unknown.is_empty() {
            return Err(self.selection.nothing());
        }
        self.relink();
        if self.linked.faults.is_empty() {
            Ok(())
        } else {
            Err(StartError::Faults(self.linked.faults.clone()))
        }
    }

    pub(super) fn may_start(&self) -> Result<(), StartError> {
        if self.exiting || self.shutdown.is_some() { Err(StartError::ShuttingDown) } else { Ok(()) }
    }

    pub(crate) fn check(&mut self) -> Result<Plan, StartError> {
        self.find_order()?;
        let planned = self.linked.order.iter().map(|index| {
            let service = self.service(*index);
            let name = |first: &u32| self.service(*first).instance.definition.name();
            (&*service.instance, service.after().iter().map(name).collect())
        });
        Ok(Plan::new(planned, self.env.clock.wall()))
    }

    pub(crate) fn start_all(&mut self, now: Nanos) -> Result<(), StartError> {
        self.may_start()?;
        self.find_order()?;
        self.timers.reserve(self.services.len());
        for place in 0..self.linked.order.len() {
            let index = self.linked.order[place];
            let service = self.service(index);
            let autostart = service.instance.definition.spec().autostart;
            // What has finished or failed has said its last word until it is started by name.
            let fresh = matches!(
                service.life.state(),
                State::Registered | State::Stopped | State::Abandoned
            );
            if autostart
                && fresh
                && let Action::Refused(_) = self.start_entry(index, now)
            {
                self.record(index, Change::StillAlive, now);
            }
        }
        Ok(())
    }

    pub(super) fn start_entry(&mut self, index: u32, now: Nanos) -> Action {
        let wait_for_dependencies = self.waits_for_dependencies(index);
        self.event(index, Input::Start { wait_for_dependencies }, now)
    }

    /// Whether something that it comes after has been started but is not up.
    pub(super) fn waits_for_dependencies(&self, index: u32) -> bool {
        self.service(index).after().iter().any(|first| self.service(*first).life.is_starting())
    }

    /// Whether a service may start as things are: faults of others do not matter.
    pub(super) fn may_start_one(&mut self, name: &str) -> Result<u32, ControlError> {
        let index = self.find(name)?;
        self.may_start().map_err(ControlError::Start)?;
        self.relink();
        let definition = &self.service(index).instance.definition;
        let own: Vec<_> =
            self.linked.faults.iter().filter(|fault| fault.concerns(definition)).cloned().collect();
        if own.is_empty() { Ok(index) } else { Err(ControlError::Start(StartError::Faults(own))) }
    }

    pub(crate) fn start(&mut self, name: &str, now: Nanos) -> Result<(), ControlError> {
        let index = self.may_start_one(name)?;
        match self.start_entry(index, now) {
            Action::Refused(Refusal::Active)
            | Action::Nothing
            | Action::Run { .. }
            | Action::CleanUp => Ok(()),
            Action::Refused(refusal) => Err(self.refused(index, refusal, now)),
        }
    }

    /// The reason that there is no thread to work at all, if that is so.
    pub(crate) fn take_thread_error(&mut self) -> Option<io::Error> {
        self.thread_error.take()
    }

    /// Takes back a start for which there is no thread.
    pub(crate) fn undo_start(&mut self, now: Nanos) {
        for index in self.indices() {
            self.event(index, Input::StartFailed, now);
        }
    }
}
