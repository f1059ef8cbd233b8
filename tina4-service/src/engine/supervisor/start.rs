//! Adding, checking and starting services.

use std::io;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use super::Supervisor;
use super::supervised::Supervised;
use crate::engine::control_error::ControlError;
use crate::observe::event::{Change, Event};
use crate::plan::order::Link;
use crate::plan::plan::{Plan, Planned};
use crate::plan::start_error::StartError;
use crate::service::instance::Instance;
use crate::sys::place::Place;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Action, Input, Refusal, State};

/// Whether `start_all` starts this service. A disabled one, even after a stop, is started only by name.
/// Finished and failed services are started only by name.
pub(super) fn starts_with_all(service: &Supervised) -> bool {
    let is_startable = matches!(
        service.life.state(),
        State::Registered | State::Stopped | State::Cancelled | State::Abandoned
    );
    let definition = &service.instance.definition;
    definition.spec().autostart && is_startable && definition.disabled().is_none()
}

impl Supervisor {
    /// Adds the declared services of a new runner.
    pub(crate) fn add_declared(&mut self, instances: Vec<Arc<Instance>>, now: Nanos) {
        self.registry.add_declared(instances, now);
        self.note_start_up_of_all(now);
    }

    /// Adds a service whose settings have no faults.
    ///
    /// # Errors
    ///
    /// The name is taken by the service at the returned place.
    pub(crate) fn register(&mut self, instance: &Arc<Instance>, now: Nanos) -> Result<(), Place> {
        let index = self.registry.add(instance, now)?;
        self.note_start_up(index, now);
        // Not logged: a line at its start says more.
        if self.journal.has_subscribers() {
            self.journal.publish(instance, &Change::Registered, now);
        }
        Ok(())
    }

    pub(crate) fn subscribe(&mut self) -> Receiver<Event> {
        self.journal.subscribe()
    }

    #[cfg(feature = "testing")]
    pub(crate) fn set_event_log(&mut self, event_log: crate::observe::event_log::EventLog) {
        self.journal.set_event_log(event_log);
    }

    pub(super) fn may_start(&self) -> Result<(), StartError> {
        if self.exiting || self.shutdown.is_in_progress() {
            Err(StartError::ShuttingDown)
        } else {
            Ok(())
        }
    }

    pub(crate) fn check(&mut self) -> Result<Plan, StartError> {
        let order = self.registry.check(&self.env)?.to_vec();
        let runner = self.env.deployment.runner_overridden(
            self.env.code_shutdown_timeout,
            self.env.code_quiesce,
            self.env.code_unhealthy_after,
            self.env.code_dump_on_sigusr1,
        );
        let selection = self
            .registry
            .selected()
            .map(|(selected, total, by)| format!("{selected} of {total} services run here ({by})"));
        let planned = order.iter().map(|index| {
            let service = self.registry.get(*index);
            let named = |link: &Link| {
                (self.registry.get(link.index).instance.definition.name(), link.is_required)
            };
            Planned {
                instance: &service.instance,
                schedule: service.schedule(),
                overridden: service.overridden(),
                dependencies: service.dependencies().iter().map(named).collect(),
            }
        });
        Ok(Plan::new(planned, self.env.clock.wall(), runner, selection))
    }

    pub(crate) fn start_all(&mut self, now: Nanos) -> Result<(), StartError> {
        self.may_start()?;
        let order = self.registry.check(&self.env)?.to_vec();
        self.timers.reserve(self.registry.len());
        self.log_selection();
        let log = self.begin_start_log(&order);
        let shutdowns = self.shutdown.begun();
        self.availability.is_starting_all = true;
        for index in order {
            let service = self.registry.get(index);
            if service.life.state() == State::Disabled
                && let Some(reason) = service.instance.definition.disabled()
            {
                let change = Change::Disabled { reason: Arc::clone(reason) };
                self.record(index, change, now);
            }
            if starts_with_all(self.registry.get(index))
                && let Action::Refused(_) = self.start_one(index, now)
            {
                self.record(index, Change::StillAlive, now);
            }
            // A critical service that is blocked by a failed one has shut the runner down.
            if self.shutdown.begun() != shutdowns {
                break;
            }
        }
        self.end_start_log(log);
        self.all_are_starting();
        Ok(())
    }

    /// Says once which services run here, if anything selects them.
    fn log_selection(&mut self) {
        if self.selection_is_logged {
            return;
        }
        if let Some((selected, total, by)) = self.registry.selected() {
            let change = Change::Selected { selected, total, by: by.into() };
            self.selection_is_logged = true;
            self.journal.record_for_runner(change, &mut self.deferred);
        }
    }

    fn start_one(&mut self, index: u32, now: Nanos) -> Action {
        let dependencies = self.registry.dependencies(index);
        self.apply(index, Input::Start { dependencies }, now)
    }

    /// The index of the service with this name, if it may be started. Faults of other services do not
    /// matter.
    pub(super) fn find_startable(&mut self, name: &str) -> Result<u32, ControlError> {
        let index = self.find(name)?;
        self.may_start().map_err(ControlError::Start)?;
        let faults = self.registry.faults_of(index, &self.env);
        if faults.is_empty() {
            Ok(index)
        } else {
            Err(ControlError::Start(StartError::Faults(faults)))
        }
    }

    pub(crate) fn start(&mut self, name: &str, now: Nanos) -> Result<(), ControlError> {
        let index = self.find_startable(name)?;
        match self.start_one(index, now) {
            Action::Refused(Refusal::Active)
            | Action::Nothing
            | Action::Run { .. }
            | Action::CleanUp => {
                self.keep_requester(index);
                Ok(())
            }
            Action::Refused(refusal) => Err(self.refusal_error(index, refusal, now)),
        }
    }

    /// Takes the last failure to spawn a thread, if there was one.
    pub(crate) fn take_spawn_error(&mut self) -> Option<io::Error> {
        self.spawn_error.take()
    }

    /// Reverts a start that failed because no thread could be spawned.
    pub(crate) fn undo_start(&mut self, now: Nanos) {
        for index in self.registry.indices().collect::<Vec<_>>() {
            self.apply(index, Input::StartFailed, now);
        }
    }
}
