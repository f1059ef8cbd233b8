//! Requests to one service, and what to answer.

use std::time::Duration;

use super::{Asked, Supervised, Supervisor};
use crate::engine::control_error::ControlError;
use crate::observe::stop_report::Stopped;
use tina4_service_core::lifecycle::{Action, Input, Refusal, State};
use tina4_service_core::{Nanos, nanos};

impl Supervisor {
    pub(crate) fn request(
        &mut self,
        name: &str,
        event: Input,
        now: Nanos,
    ) -> Result<(), ControlError> {
        let index = self.find(name)?;
        match self.event(index, event, now) {
            Action::Refused(refusal) => Err(self.refused(index, refusal, now)),
            Action::Nothing | Action::Run { .. } | Action::CleanUp => Ok(()),
        }
    }

    pub(super) fn refused(&self, index: u32, refusal: Refusal, now: Nanos) -> ControlError {
        let service = self.service(index);
        let name = service.instance.definition.name_str().to_owned();
        match refusal {
            Refusal::Active | Refusal::NotActive => {
                ControlError::NotActive { name, state: service.life.state() }
            }
            Refusal::WaitingForDependencies => ControlError::NotUpYet { name },
            Refusal::Busy => ControlError::Busy { name },
            Refusal::Stopping => ControlError::Stopping { name },
            Refusal::Lingering => ControlError::StillAlive {
                name,
                age: self.age(service, now),
                place: service.instance.definition.place(),
            },
        }
    }

    /// For how long the run or the clean-up in progress has been going on.
    pub(super) fn age(&self, service: &Supervised, now: Nanos) -> Duration {
        Duration::from_nanos(now.saturating_sub(service.executing_since()))
    }

    /// Asks one service to stop.
    pub(crate) fn ask_to_stop(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Result<Asked, Stopped>, ControlError> {
        let answer = self.tell_to_stop(name, now);
        self.pump(now);
        answer
    }

    fn tell_to_stop(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Result<Asked, Stopped>, ControlError> {
        let index = self.find(name)?;
        let service = self.service(index);
        let state = service.life.state();
        if !state.is_active() {
            let answer = if service.life.is_executing() {
                Stopped::Abandoned {
                    age: self.age(service, now),
                    place: service.instance.definition.place(),
                }
            } else {
                Stopped::NotActive { state }
            };
            return Ok(Err(answer));
        }
        let activation = service.life.activation();
        let deadline = now.saturating_add(nanos(service.instance.definition.spec().stop_timeout));
        self.stop_one(index, deadline, now);
        Ok(Ok(Asked { index, activation, at: now }))
    }

    /// Asks one service to stop and to start again; like [`Supervisor::ask_to_stop`].
    pub(crate) fn ask_to_restart(
        &mut self,
        name: &str,
        now: Nanos,
    ) -> Result<Option<Asked>, ControlError> {
        // What would not start again is not stopped.
        self.may_start_one(name)?;
        // What follows from the stop follows after the start: who waits for it goes on waiting.
        match self.tell_to_stop(name, now)? {
            Ok(asked) => {
                // If it had nothing to wait for it has ended already.
                self.start(name, now)?;
                Ok(Some(asked))
            }
            Err(_) => self.start(name, now).map(|()| None),
        }
    }

    pub(super) fn stop_one(&mut self, index: u32, deadline: Nanos, now: Nanos) {
        self.services[index as usize].note_asked(now);
        self.step(index, Input::Stop { deadline }, now, None);
    }

    /// The result of a stop, or until when to wait for it. `inside`: the service that asks.
    pub(crate) fn stop_result(
        &mut self,
        asked: Asked,
        inside: Option<u32>,
        now: Nanos,
    ) -> Result<Stopped, Option<Nanos>> {
        let Asked { index, activation, at } = asked;
        if self.service(index).life.stop_deadline().is_some_and(|deadline| deadline <= now) {
            self.event(index, Input::Expired, now);
        }
        let service = self.service(index);
        let same = service.life.activation() == activation;
        if same && service.life.state() == State::Abandoned {
            let place = service.instance.definition.place();
            return Ok(Stopped::Abandoned { age: self.age(service, now), place });
        }
        if !same || !service.life.state().is_active() {
            let ended = service.ended_at().unwrap_or(now);
            return Ok(Stopped::Ended { after: Duration::from_nanos(ended.saturating_sub(at)) });
        }
        // Two services that stop each other would wait for ever: who is asked itself does not.
        if inside.is_some_and(|inside| self.service(inside).instance.stop_requested()) {
            return Ok(Stopped::Requested);
        }
        Err(service.life.stop_deadline())
    }
}
