//! The state machine: its data, and one step.

use super::action::Action;
use super::cron_state::CronState;
use super::facts::Facts;
use super::input::Input;
use super::phase::{Idle, Phase};
use super::readiness::Progress;
use super::run_kind::RunKind;
use super::state::State;
use super::transition::Transition;
use crate::nanos::Nanos;
use crate::restart::Restarts;
use crate::spec::Spec;

/// The life cycle of one service.
#[derive(Debug)]
pub struct Lifecycle {
    pub(super) phase: Phase,
    /// Cached `phase.state()`. perf: a step and its caller need it several times.
    pub(super) state: State,
    /// When it entered this state, began its current run, or queued its clean-up, whichever was
    /// last.
    pub(super) since: Nanos,
    /// The number of this activation, from 1; 0 before the first.
    pub(super) activation: u32,
    /// The origin of the grid of an interval: the first due time of this activation, without
    /// jitter. While the service waits for its dependencies: what it would be without them. With a
    /// calendar schedule: the start of the activation.
    pub(super) anchor: Nanos,
    /// When the current or last run was due.
    pub(super) due: Nanos,
    /// When the current or last run began.
    pub(super) started: Nanos,
    /// Present only with a calendar schedule; boxed, because most services have a different schedule.
    pub(super) cron_state: Option<Box<CronState>>,
    /// How far this activation has come.
    pub(super) progress: Progress,
    /// Whether the current or last run was to begin without the tolerance; always, if there is none.
    pub(super) run_is_exact: bool,
    pub(super) restarts: Restarts,
    /// How runs are executed.
    pub(super) kind: RunKind,
}

impl Lifecycle {
    /// Creates the life cycle of a registered service that has not been started.
    #[must_use]
    pub fn new(kind: RunKind, now: Nanos) -> Self {
        let phase = Phase::Idle(Idle::Registered);
        Self {
            phase,
            state: phase.state(),
            since: now,
            activation: 0,
            anchor: 0,
            due: now,
            started: now,
            cron_state: None,
            progress: Progress::NotReady,
            run_is_exact: true,
            restarts: Restarts::default(),
            kind,
        }
    }

    /// Creates the life cycle of a registered service that the deployment has turned off.
    #[must_use]
    pub fn disabled(kind: RunKind, now: Nanos) -> Self {
        let phase = Phase::Idle(Idle::Disabled);
        Self { phase, state: phase.state(), ..Self::new(kind, now) }
    }

    /// Handles one input and returns what to do next; transitions go to `emit`.
    // perf: a large function of another crate with one caller; otherwise the compiler does not inline it.
    #[inline(always)]
    pub fn step(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        input: Input<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let facts = &facts;
        let activation = self.activation;
        let action = match input {
            Input::Start { dependencies } => self.start(spec, facts, dependencies, emit),
            Input::DependenciesChanged(dependencies) => {
                self.dependencies_changed(spec, facts, dependencies, emit)
            }
            Input::Notified => self.notified(spec),
            Input::Due => self.due(spec, facts, emit),
            Input::RunEnded(exit) => self.ended(spec, facts, exit, emit),
            Input::Repeat => self.repeat(spec, facts, emit),
            Input::CleanedUp => self.cleaned_up(emit),
            Input::ThreadLost => self.thread_lost(spec, facts, emit),
            Input::Expired => self.expired(facts, emit),
            Input::StartFailed => self.start_failed(emit),
            Input::Disable => self.disable(),
            Input::RunNow => self.run_now(facts),
            Input::ShortenBackoff { until } => self.shorten_backoff(until),
            Input::Reset => self.reset(),
            Input::Pause => self.pause(emit),
            Input::Resume => self.resume(spec, facts, emit),
            Input::Rescheduled => self.rescheduled(spec, facts, emit),
            Input::Stop { deadline } => self.stop(facts, deadline, emit),
        };
        // A repeated run begins without a change of state.
        let begins = matches!(action, Action::Run { .. });
        let state = self.phase.state();
        if begins || state != self.state || self.activation != activation {
            self.since = facts.now;
        }
        self.state = state;
        action
    }
}
