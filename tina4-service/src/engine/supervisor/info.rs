//! Snapshots of services for users.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Supervisor;
use super::supervised::Supervised;
use crate::observe::info::ServiceInfo;
use crate::observe::stats::FailureCounts;
use crate::time::wall::{wall_after, wall_time};
use tina4_service_core::lifecycle::State;
use tina4_service_core::{Nanos, nanos};

impl Supervisor {
    /// The names of all services, in no particular order.
    pub(crate) fn names(&self) -> Vec<Cow<'static, str>> {
        self.registry.iter().map(|service| service.instance.definition.name()).collect()
    }

    /// The service with this name, if there is one.
    #[cfg(feature = "testing")]
    pub(crate) fn instance(
        &self,
        name: &str,
    ) -> Option<std::sync::Arc<crate::service::instance::Instance>> {
        self.registry.find(name).map(|index| self.registry.get(index).instance.clone())
    }

    pub(crate) fn state(&self, name: &str) -> Option<State> {
        self.registry.find(name).map(|index| self.registry.get(index).life.state())
    }

    pub(crate) fn status(&self) -> BTreeMap<String, State> {
        let entry = |service: &Supervised| {
            (service.instance.definition.name().into_owned(), service.life.state())
        };
        // If several services have one name, the first one counts, as in every request. It is inserted
        // last, so it overwrites the others.
        self.registry.iter().rev().map(entry).collect()
    }

    pub(crate) fn services(&self, now: Nanos) -> Vec<ServiceInfo> {
        let mut all = Vec::with_capacity(self.registry.len());
        all.extend(self.registry.indices().map(|index| self.info(index, now)));
        all.sort_by(|a, b| (&a.name, a.place).cmp(&(&b.name, b.place)));
        all
    }

    fn info(&self, index: u32, now: Nanos) -> ServiceInfo {
        let service = self.registry.get(index);
        let Supervised { instance, life, stats, .. } = service;
        let (definition, clock) = (&instance.definition, &self.env.clock);
        let running = life.running_since().map(|started| (started, instance.last_heartbeat()));
        let timeout = definition.spec().timeout.map(nanos);
        let wall = |instant: Option<Nanos>| instant.map(|instant| clock.wall_at(instant));
        let FailureCounts { crashes, restarts, skipped, last_error } = service.failures();
        let started = life.run_started();
        let last_end = stats.last_end();
        ServiceInfo {
            name: definition.name(),
            place: definition.place(),
            function: definition.path(),
            schedule: service.schedule(),
            state: life.state(),
            since: clock.wall_at(life.since()),
            next_due: life
                .next_occurrence()
                .and_then(|(at, late)| wall_after(wall_time(at)?, late))
                .or_else(|| wall(life.next_run().filter(|due| *due < Nanos::MAX))),
            runs: stats.runs,
            crashes,
            restarts,
            crashes_in_a_row: life.consecutive_crashes(),
            skipped,
            last_start: wall((stats.runs > 0).then_some(started)),
            last_end: wall(last_end.map(|(at, _)| at)),
            last_duration: last_end.map(|(_, took)| took),
            last_error,
            lateness: stats.lateness(service.lateness()),
            duration: stats.duration(),
            ready: life.readiness().is_ready(),
            waits_for: self.names_of_unready_dependencies(index),
            stuck: life.is_cancelled()
                || running.zip(timeout).is_some_and(|((started, heartbeat), timeout)| {
                    started.max(heartbeat).saturating_add(timeout) <= now
                }),
            heartbeat_age: running
                .filter(|(started, heartbeat)| heartbeat >= started && *heartbeat > 0)
                .map(|(_, heartbeat)| Duration::from_nanos(now.saturating_sub(heartbeat))),
        }
    }
}
