//! Snapshots of services for users.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use super::Supervisor;
use super::log::next_due_time;
use super::supervised::Supervised;
use crate::engine::control_error::ControlError;
use crate::observe::info::ServiceInfo;
#[cfg(feature = "queue")]
use crate::observe::queue_info::QueueInfo;
use crate::observe::stats::FailureCounts;
#[cfg(feature = "queue")]
use crate::sys::place::Place;
use crate::time::wall::WallReading;
use tina4_service_core::lifecycle::State;
use tina4_service_core::{Nanos, nanos};
#[cfg(feature = "queue")]
use tina4_service_queue::consumer::Consumer;

impl Supervisor {
    /// The names of all services, in no particular order.
    pub(crate) fn names(&self) -> Vec<Cow<'static, str>> {
        self.registry.iter().map(|service| service.instance.definition.name()).collect()
    }

    /// The services with a queue, with their places, sorted by name.
    #[cfg(feature = "queue")]
    pub(crate) fn queue_users(&self) -> Vec<(Cow<'static, str>, Place)> {
        let definitions = self.registry.iter().map(|service| &service.instance.definition);
        let with_queue = definitions.filter(|definition| definition.queue().is_some());
        let mut users: Vec<_> =
            with_queue.map(|definition| (definition.name(), definition.place())).collect();
        users.sort_unstable();
        users
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
        let mut indices: Vec<u32> = self.registry.indices().collect();
        let key = |index: &u32| {
            let definition = &self.registry.get(*index).instance.definition;
            (definition.name_str(), definition.place())
        };
        indices.sort_by(|a, b| key(a).cmp(&key(b)));
        // perf: one reading of the clock for all times of all services.
        let reading = self.env.clock.wall_reading();
        indices.into_iter().map(|index| self.info(index, now, reading)).collect()
    }

    /// The snapshot of the service with this name; the first of them, as in every request.
    pub(crate) fn service_info(&self, name: &str, now: Nanos) -> Result<ServiceInfo, ControlError> {
        let index = self.find(name)?;
        Ok(self.info(index, now, self.env.clock.wall_reading()))
    }

    /// Whether the run in progress exceeds its timeout, or was cancelled because it did.
    pub(super) fn is_stuck(&self, index: u32, now: Nanos) -> bool {
        let service = self.registry.get(index);
        let timeout = service.instance.definition.spec().timeout.map(nanos);
        let exceeds = |((started, heartbeat), timeout): ((Nanos, Nanos), Nanos)| {
            started.max(heartbeat).saturating_add(timeout) <= now
        };
        service.life.is_cancelled() || running(service, now).zip(timeout).is_some_and(exceeds)
    }

    pub(super) fn info(&self, index: u32, now: Nanos, reading: WallReading) -> ServiceInfo {
        let service = self.registry.get(index);
        let Supervised { instance, life, stats, .. } = service;
        let definition = &instance.definition;
        let wall = |instant: Option<Nanos>| instant.map(|instant| reading.wall_rounded_up(instant));
        let FailureCounts { crashes, restarts, skipped, last_error } = service.failures();
        let started = life.run_started();
        let last_end = stats.last_end();
        ServiceInfo {
            name: definition.name(),
            place: definition.place(),
            function: definition.path(),
            schedule: service.schedule(),
            state: life.state(),
            since: reading.wall_rounded_up(life.since()),
            next_due: next_due_time(life, reading),
            runs: stats.runs,
            crashes,
            restarts,
            crashes_in_a_row: life.unrecovered_crashes(service.spec(), now),
            skipped,
            last_start: wall((stats.runs > 0).then_some(started)),
            last_end: wall(last_end.map(|(at, _)| at)),
            last_duration: last_end.map(|(_, took)| took),
            last_error,
            last_failure: wall(service.last_failure()),
            last_success: wall(service.last_success().map(|success| success.ended)),
            succeeded: service.succeeded(),
            overdue: service.overdue_for(now, reading).map(Duration::from_nanos),
            last_outcome: service.last_outcome(),
            last_trigger: (stats.runs > 0).then(|| service.trigger(stats.runs)),
            last_requested_by: service.requester(stats.runs),
            lateness: stats.lateness(service.lateness()),
            duration: stats.duration(),
            ready: life.readiness().is_ready(),
            unhealthy_after: self.env.unhealthy_after,
            waits_for: self.names_of_unready_dependencies(index),
            reason: self.reason(index),
            tags: definition.tags(),
            overridden: service.overridden(),
            stuck: self.is_stuck(index, now),
            #[cfg(feature = "queue")]
            queue: instance.queue().map(|queue| QueueInfo {
                name: queue.settings().queue,
                running: queue.consumer().map_or(0, Consumer::running),
                counters: queue.consumer().map(Consumer::counters).unwrap_or_default(),
                // It is the engine's business, which must not be called under the lock.
                backlog: None,
            }),
            heartbeat_age: running(service, now)
                .filter(|(started, heartbeat)| heartbeat >= started && *heartbeat > 0)
                .map(|(_, heartbeat)| Duration::from_nanos(now.saturating_sub(heartbeat))),
        }
    }
}

/// When the run in progress began, and its last heartbeat.
pub(super) fn running(service: &Supervised, now: Nanos) -> Option<(Nanos, Nanos)> {
    let heartbeat = service.instance.last_heartbeat();
    // The run of a queue service lasts from start to stop; its oldest job counts.
    #[cfg(feature = "queue")]
    if let Some(jobs) = service.jobs() {
        return service.life.running_since().map(|_| (jobs.oldest(now), heartbeat));
    }
    #[cfg(not(feature = "queue"))]
    let _ = now;
    service.life.running_since().map(|started| (started, heartbeat))
}
