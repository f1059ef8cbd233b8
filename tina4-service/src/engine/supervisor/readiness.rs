//! Whether the program is ready for work from outside, and which services are not well.

use std::borrow::Cow;

use super::Supervisor;
use super::availability::Availability;
use super::index_set::IndexSet;
use super::supervised::Supervised;
use crate::observe::health::UnhealthyService;
use crate::observe::info::is_healthy;
#[cfg(feature = "signals")]
use crate::observe::readiness::after_signal;
use crate::observe::readiness::{MAX_WAITED_FOR, Readiness, WaitedFor};
use crate::text::one_line::OneLine;
use crate::time::wall::WallReading;
use tina4_service_core::lifecycle::{NotReady, State};
use tina4_service_core::{Nanos, duration};

/// How many services are checked while the lock is held.
pub(crate) const CHECKS_PER_STEP: usize = 500;

/// How many of the services that one waits for are named.
const MAX_NAMES: usize = 3;

impl Supervisor {
    /// Whether the program is ready for work from outside.
    // Only what is shown is formatted, because this is under the lock, and there may be a hundred thousand services.
    pub(crate) fn readiness(&mut self, now: Nanos) -> Readiness {
        if let Some(reason) = self.runner_not_ready() {
            return Readiness::refused(reason);
        }
        self.resolve_ready_needs();
        let needed = self.availability.needed.as_ref().map(|(_, needed)| needed);
        let mut waiting_for = Vec::new();
        let mut omitted = 0;
        let mut add = |index, not_ready| {
            if waiting_for.len() < MAX_WAITED_FOR {
                let name = self.registry.get(index).instance.definition.name();
                waiting_for.push(WaitedFor { name, why: self.why_not_ready(index, not_ready) });
            } else {
                omitted += 1;
            }
        };
        for index in needed.into_iter().flat_map(IndexSet::iter) {
            let service = self.registry.get(index);
            let is_lost = service.has_failed();
            if let Some(not_ready) = service.life.needed_but_not_ready(service.spec(), is_lost) {
                add(index, not_ready);
            }
        }
        for index in self.availability.starting.iter() {
            if !needed.is_some_and(|needed| needed.contains(index)) {
                let service = self.registry.get(index);
                let not_ready = service.life.holds_up_start(service.spec(), now);
                add(index, not_ready.unwrap_or(NotReady::BeforeFirstRun));
            }
        }
        Readiness::waits_for(waiting_for, omitted)
    }

    /// Finds the services that `ready_needs` names, if that is not known. One that the deployment has disabled is not
    /// needed.
    fn resolve_ready_needs(&mut self) {
        let Some(needs) = &self.env.ready_needs else { return };
        let revision = self.registry.revision();
        if self.availability.needed.as_ref().is_some_and(|(known, _)| *known == revision) {
            return;
        }
        let mut needed = IndexSet::default();
        for index in self.registry.indices() {
            let definition = &self.registry.get(index).instance.definition;
            if definition.disabled().is_none()
                && needs.selects(definition.name_str(), &definition.tags())
            {
                needed.set(index, true);
            }
        }
        self.availability.needed = Some((revision, needed));
    }

    /// Notes whether this service holds up the start now.
    pub(super) fn note_start_up(&mut self, index: u32, now: Nanos) {
        if self.availability.has_started_up {
            return;
        }
        let service = self.registry.get(index);
        let definition = &service.instance.definition;
        let holds_up = definition.spec().autostart
            && definition.disabled().is_none()
            && service.life.holds_up_start(service.spec(), now).is_some();
        self.availability.starting.set(index, holds_up);
        self.end_start_up();
    }

    pub(super) fn note_start_up_of_all(&mut self, now: Nanos) {
        for index in self.registry.indices().collect::<Vec<_>>() {
            self.note_start_up(index, now);
        }
    }

    /// The service with this index was removed.
    pub(super) fn note_removal(&mut self, index: u32) {
        self.availability.starting.set(index, false);
        self.end_start_up();
    }

    /// `start_all` has started what it starts.
    pub(super) fn all_are_starting(&mut self) {
        self.availability.is_starting_all = false;
        self.availability.has_begun = true;
        self.end_start_up();
    }

    /// The start is over once it has begun and no service holds it up.
    fn end_start_up(&mut self) {
        let Availability { starting, has_begun, is_starting_all, has_started_up, .. } =
            &mut self.availability;
        if *has_begun && !*is_starting_all && starting.is_empty() {
            (*has_started_up, *starting) = (true, IndexSet::default());
        }
    }

    /// Why the runner is not ready, whatever its services do.
    fn runner_not_ready(&self) -> Option<Cow<'static, str>> {
        if self.exiting || self.shutdown.is_in_progress() {
            return Some("it is stopping".into());
        }
        if self.shutdown.report().is_some() {
            return Some("it has been stopped".into());
        }
        #[cfg(feature = "signals")]
        if let Some(signal) = &self.availability.stop_signal {
            return Some(after_signal(signal.signal));
        }
        None
    }

    /// The services are being started anew, after a shutdown.
    pub(super) fn begin_start_up(&mut self, now: Nanos) {
        #[cfg(feature = "signals")]
        self.forget_stop_signal();
        let is_starting_all = self.availability.is_starting_all;
        self.availability = Availability { is_starting_all, ..Availability::default() };
        self.note_start_up_of_all(now);
    }

    fn why_not_ready(&self, index: u32, not_ready: NotReady) -> Cow<'static, str> {
        match not_ready {
            NotReady::NotStarted => "it has not been started".into(),
            NotReady::WaitsForDependencies => self.what_it_waits_for(index),
            NotReady::Blocked => self.why_blocked(index),
            NotReady::BeforeFirstRun => "its first run has not begun".into(),
            NotReady::FirstRun => "its first run is in progress".into(),
            NotReady::NotNotified => "it has not said that it is ready".into(),
            NotReady::Crashed => "it has crashed, and is not ready yet".into(),
            NotReady::Finished => "it has finished without becoming ready".into(),
            NotReady::Failed => "it has failed".into(),
            NotReady::Abandoned => "it was abandoned".into(),
        }
    }

    fn why_blocked(&self, index: u32) -> Cow<'static, str> {
        match self.reason(index) {
            Some(reason) => format!("it is blocked: {}", OneLine(&reason)).into(),
            None => "it is blocked".into(),
        }
    }

    fn what_it_waits_for(&self, index: u32) -> Cow<'static, str> {
        let indices = self.registry.unready_dependencies(index);
        let shown = indices.iter().take(MAX_NAMES).map(|index| {
            format!("`{}`", OneLine(self.registry.get(*index).instance.definition.name_str()))
        });
        let mut text = format!("it waits for {}", shown.collect::<Vec<_>>().join(", "));
        if indices.len() > MAX_NAMES {
            text.push_str(&format!(" and {} more", indices.len() - MAX_NAMES));
        }
        text.into()
    }

    /// Those of up to `count` services, from this index on, with which something is wrong, and the index that
    /// follows; `None`: that was all.
    pub(crate) fn unhealthy(
        &self,
        from: u32,
        count: usize,
        now: Nanos,
        reading: WallReading,
    ) -> (Vec<UnhealthyService>, Option<u32>) {
        let (indices, next) = self.registry.part(from, count);
        let unhealthy = indices.into_iter().filter_map(|index| {
            let why = self.why_unhealthy(index, now, reading)?;
            let name = self.registry.get(index).instance.definition.name();
            Some(UnhealthyService { name, why })
        });
        (unhealthy.collect(), next)
    }

    /// What is wrong with a service; `None`: nothing.
    fn why_unhealthy(
        &self,
        index: u32,
        now: Nanos,
        reading: WallReading,
    ) -> Option<Cow<'static, str>> {
        let service = self.registry.get(index);
        let Supervised { life, .. } = service;
        let state = life.state();
        let is_stuck = self.is_stuck(index, now);
        let crashes = life.unrecovered_crashes(service.spec(), now);
        if !is_healthy(state, is_stuck, crashes, self.env.unhealthy_after) {
            return Some(if state == State::Failed {
                "it has failed".into()
            } else if state == State::Abandoned {
                "it was abandoned".into()
            } else if state == State::Blocked {
                self.why_blocked(index)
            } else if is_stuck {
                "its run exceeds its timeout".into()
            } else {
                format!("it has crashed {crashes} times in a row").into()
            });
        }
        let overdue = service.overdue_for(now, reading)?;
        let overdue = std::time::Duration::from_secs(overdue / 1_000_000_000);
        Some(format!("it has been overdue for {}", duration::format(overdue)).into())
    }
}
