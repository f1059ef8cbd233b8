//! Whether the program is ready for work from outside, and which services are not well.

use std::borrow::Cow;

use super::Supervisor;
use super::availability::Availability;
use super::supervised::Supervised;
use crate::observe::health::UnhealthyService;
use crate::observe::info::is_healthy;
use crate::observe::readiness::{Readiness, WaitedFor};
use crate::text::one_line::OneLine;
use crate::time::wall::WallReading;
use tina4_service_core::lifecycle::{NotReady, State};
use tina4_service_core::{Nanos, duration};

/// How many services are looked at while the lock is held.
pub(crate) const LOOKS_PER_STEP: usize = 500;

/// How many of the services that one waits for are named.
const MAX_NAMES: usize = 3;

impl Supervisor {
    /// Whether the program is ready for work from outside.
    pub(crate) fn readiness(&mut self, now: Nanos) -> Readiness {
        if let Some(reason) = self.runner_not_ready() {
            return Readiness::refused(reason);
        }
        let needs = self.env.ready_needs.as_ref();
        if self.availability.has_started_up && needs.is_none() {
            return Readiness::waits_for(Vec::new());
        }
        let mut waiting_for = Vec::new();
        for index in self.registry.indices() {
            let service = self.registry.get(index);
            let definition = &service.instance.definition;
            if definition.disabled().is_some() {
                continue;
            }
            let is_needed =
                needs.is_some_and(|needs| needs.selects(definition.name_str(), &definition.tags()));
            let not_ready = if is_needed {
                service.life.is_missed(service.spec(), service.has_failed())
            } else if definition.spec().autostart && !self.availability.has_started_up {
                service.life.holds_up_start(service.spec(), now)
            } else {
                None
            };
            let Some(not_ready) = not_ready else { continue };
            let why = self.why_not_ready(index, not_ready);
            waiting_for.push(WaitedFor { name: definition.name(), why });
        }
        let readiness = Readiness::waits_for(waiting_for);
        self.availability.has_started_up |= readiness.is_ready;
        readiness
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
            return Some(format!("a stop signal has arrived ({})", signal.signal).into());
        }
        None
    }

    /// The services have been started anew, after a shutdown.
    pub(super) fn begin_start_up(&mut self) {
        self.availability = Availability::default();
    }

    fn why_not_ready(&self, index: u32, not_ready: NotReady) -> Cow<'static, str> {
        match not_ready {
            NotReady::NotStarted => "it has not been started".into(),
            NotReady::WaitsForDependencies => self.what_it_waits_for(index),
            NotReady::Blocked => self.why_blocked(index),
            NotReady::BeforeFirstRun => "its first run has not begun".into(),
            NotReady::FirstRun => "its first run is in progress".into(),
            NotReady::NotNotified => "it has not said that it is ready".into(),
            NotReady::Crashed => "a run has crashed, and none has ended well yet".into(),
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
        let names = self.names_of_unready_dependencies(index);
        let shown = names.iter().take(MAX_NAMES).map(|name| format!("`{}`", OneLine(name)));
        let mut text = format!("it waits for {}", shown.collect::<Vec<_>>().join(", "));
        if names.len() > MAX_NAMES {
            text.push_str(&format!(" and {} more", names.len() - MAX_NAMES));
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
