//! The life cycle of one service: its data, and one step of it.

use super::action::Action;
use super::calendar::Calendar;
use super::facts::Facts;
use super::input::Input;
use super::phase::{Idle, Phase};
use super::transition::Transition;
use crate::nanos::Nanos;
use crate::restart::Restarts;
use crate::spec::Spec;

/// The life cycle of one service.
#[derive(Debug)]
pub struct Lifecycle {
    pub(super) phase: Phase,
    pub(super) since: Nanos,
    /// Which activation this is, from 1; 0 before the first.
    pub(super) activation: u32,
    /// The first due instant of this activation.
    pub(super) anchor: Nanos,
    /// When the run in progress, or the last one, was due and began.
    pub(super) due: Nanos,
    pub(super) started: Nanos,
    /// What only a service with calendar time has.
    pub(super) calendar: Option<Box<Calendar>>,
    /// Whether the first run of this activation has begun, or waits for its calendar time.
    pub(super) ready: bool,
    pub(super) restarts: Restarts,
}

impl Lifecycle {
    /// A registered service that has not been started.
    #[must_use]
    pub fn new(now: Nanos) -> Self {
        Self {
            phase: Phase::Idle(Idle::Registered),
            since: now,
            activation: 0,
            anchor: 0,
            due: now,
            started: now,
            calendar: None,
            ready: false,
            restarts: Restarts::default(),
        }
    }

    /// Takes one event and says what to do; what is worth telling goes to `emit`.
    pub fn step(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        input: Input<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let before = self.state();
        let activation = self.activation;
        let action = match input {
            Input::Start { wait_for_dependencies } => {
                self.start(spec, facts, wait_for_dependencies, emit)
            }
            Input::Release => self.release(spec, facts),
            Input::Due => self.due(spec, facts, emit),
            Input::Ended(exit) => self.ended(spec, facts, exit, emit),
            Input::Repeat => self.repeat(spec, facts, emit),
            Input::CleanedUp => self.cleaned_up(emit),
            Input::ThreadLost => self.thread_lost(spec, facts, emit),
            Input::Expired => self.expired(facts, emit),
            Input::StartFailed => self.start_failed(emit),
            Input::RunNow => self.run_now(facts),
            Input::Pause => self.pause(emit),
            Input::Resume => self.resume(spec, facts, emit),
            Input::Stop { deadline } => self.stop(facts, deadline, emit),
        };
        // A repeat goes from running to running.
        let begins = matches!(action, Action::Run { .. });
        if begins || self.state() != before || self.activation != activation {
            self.since = facts.now;
        }
        action
    }
}
