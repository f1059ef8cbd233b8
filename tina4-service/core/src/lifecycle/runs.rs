//! What happens by itself: a due time comes, a run ends.

use std::time::Duration;

use super::action::Action;
use super::crash::Crash;
use super::ending::Ending;
use super::facts::{Facts, jitter};
use super::machine::Lifecycle;
use super::phase::{Hooks, Lingering, Phase, Resume, Until};
use super::transition::Transition;
use crate::exit::Exit;
use crate::nanos::{Nanos, NonMaxNanos, nanos};
use crate::restart::{CrashKind, Restart, RestartPolicy, Verdict};
use crate::schedule::{Grid, Schedule};
use crate::spec::Spec;

/// The error of a service with `restart = "always"` that may not be restarted once more.
const RETURNED_TOO_OFTEN: &str = "returned more often than `max_restarts`";

impl Lifecycle {
    pub(super) fn due(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        // An early or outdated wake-up changes nothing.
        if self.deadline().is_none_or(|deadline| facts.now < deadline) {
            return Action::Nothing;
        }
        let started = self.started;
        match &mut self.phase {
            Phase::Waiting { until: Until::Instant(due), pause } => {
                let (due, pause) = (*due, *pause);
                self.run(spec, facts, due, None, pause)
            }
            Phase::Waiting { until: Until::Date { .. }, .. } => self.look(spec, facts, emit),
            Phase::BackingOff { due, pause } => {
                let (due, pause) = (*due, *pause);
                self.restarts.restarted(&spec.restart, facts.now);
                emit(Transition::Restarted);
                self.run(spec, facts, due, None, pause)
            }
            Phase::StopRequested { .. } | Phase::Ending { hooks: Hooks::Running, .. } => {
                self.expired(facts, emit)
            }
            Phase::Running { watch, reported_since, .. } => {
                let Some(timeout) = spec.timeout.map(nanos) else {
                    *watch = None;
                    return Action::Nothing;
                };
                let lingering = started.max(facts.last_heartbeat);
                if lingering.saturating_add(timeout) > facts.now {
                    *watch = Some(NonMaxNanos::new(lingering.saturating_add(timeout)));
                } else {
                    // Told once for each silence: the look after this one is for a heartbeat.
                    if *reported_since != Some(NonMaxNanos::new(lingering)) {
                        *reported_since = Some(NonMaxNanos::new(lingering));
                        let running_for = Duration::from_nanos(facts.now - started);
                        emit(Transition::Stuck { running_for });
                    }
                    // It is looked at ever more rarely: nothing is gained by polling a stuck run.
                    let silence = facts.now.saturating_sub(lingering).max(1);
                    *watch = Some(NonMaxNanos::new(facts.now.saturating_add(silence)));
                }
                Action::Nothing
            }
            Phase::Ending { hooks: hooks @ Hooks::Queued, .. } => {
                *hooks = Hooks::Running;
                Action::CleanUp
            }
            Phase::Abandoned { lingering: lingering @ Lingering::Queued } => {
                *lingering = Lingering::Hooks;
                Action::CleanUp
            }
            // These have no deadline.
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Paused { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned {
                lingering: Lingering::Run | Lingering::Hooks | Lingering::Nothing,
            } => Action::Nothing,
        }
    }

    /// Begins a run; `date` is the calendar time it is for, if it is for one.
    pub(super) fn run(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        due: Nanos,
        date: Option<i64>,
        pause: bool,
    ) -> Action {
        self.ready = true;
        self.answer(spec, facts, date);
        (self.due, self.started) = (due, facts.now);
        self.phase = Phase::Running {
            pause,
            watch: spec
                .timeout
                .map(|timeout| NonMaxNanos::new(facts.now.saturating_add(nanos(timeout)))),
            reported_since: None,
        };
        Action::Run { due, attempt: self.restarts.in_a_row().saturating_add(1) }
    }

    /// The run has ended.
    pub(super) fn ended(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match self.phase {
            Phase::StopRequested { deadline, start_again } => {
                if let Exit::Crashed(crash) = exit {
                    emit(Transition::CrashedWhileStopping(crash.clone()));
                }
                self.end(facts, Ending::Stopped, deadline, start_again, Hooks::Running, emit)
            }
            Phase::Running { pause, .. } => {
                self.skip(spec, facts, pause, exit, emit);
                match self.after_run(spec, facts, pause, exit, emit) {
                    None => Action::Nothing,
                    Some(ending) => {
                        let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                        self.end(facts, ending, deadline, false, Hooks::Running, emit)
                    }
                }
            }
            Phase::Abandoned { lingering: Lingering::Run } => {
                // Its result is dropped; what it holds is still cleaned up.
                let lingering = if facts.hooks { Lingering::Hooks } else { Lingering::Nothing };
                self.phase = Phase::Abandoned { lingering };
                if facts.hooks {
                    Action::CleanUp
                } else {
                    emit(Transition::LateEnd);
                    Action::Nothing
                }
            }
            // Only a run that was begun ends.
            Phase::Registered
            | Phase::WaitingForDependencies
            | Phase::Waiting { .. }
            | Phase::BackingOff { .. }
            | Phase::Paused { .. }
            | Phase::Ending { .. }
            | Phase::Stopped
            | Phase::Finished
            | Phase::Failed
            | Phase::Abandoned {
                lingering: Lingering::Queued | Lingering::Hooks | Lingering::Nothing,
            } => Action::Nothing,
        }
    }

    /// The run has ended with [`Exit::Again`], and the next one begins; but what is to be told is
    /// told first.
    pub(super) fn repeat(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let Phase::Running { pause: false, .. } = self.phase else {
            return self.ended(spec, facts, Exit::Again, emit);
        };
        let mut reported_since = false;
        let mut tell_first = |transition| {
            reported_since = true;
            emit(transition);
        };
        self.skip(spec, facts, false, Exit::Again, &mut tell_first);
        self.restarts.recovered();
        if reported_since {
            self.wait_for_next(false, Resume::Waiting { until: Until::Instant(facts.now) });
            return Action::Nothing;
        }
        self.run(spec, facts, facts.now, None, false)
    }

    /// Counts what fell due while the run was in progress; `pause`: it is paused now.
    pub(super) fn skip(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        pause: bool,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) {
        let skipped = match &spec.schedule {
            Schedule::Interval(period) => self.grid(*period).count_between(self.due, facts.now),
            // What passed is looked at next: see `look`.
            Schedule::Cron(..) if matches!(exit, Exit::Wait) && !pause => 0,
            Schedule::Cron(cron, _) => self.answer_for_run(cron, facts),
            // A delay starts when the run ends; nothing else has due times.
            Schedule::Delay(_) | Schedule::Continuous => 0,
        };
        if skipped > 0 {
            emit(Transition::Skipped(skipped));
        }
    }

    pub(super) fn grid(&self, period: Duration) -> Grid {
        Grid { anchor: self.anchor, period: nanos(period) }
    }

    /// After a run: waits for the next one, or, if it is to `pause`, until told to.
    fn wait_for_next(&mut self, pause: bool, resume: Resume) {
        self.phase = match (pause, resume) {
            (true, resume) => Phase::Paused { resume },
            (false, Resume::Waiting { until }) => Phase::Waiting { until, pause: false },
            (false, Resume::BackingOff { due }) => Phase::BackingOff { due, pause: false },
        };
    }

    /// Waits for the next run, or says how the activation ends.
    fn after_run(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        pause: bool,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) -> Option<Ending> {
        match exit {
            Exit::Crashed(crash) => return self.after_crash(spec, facts, pause, crash, emit),
            Exit::Done => return Some(Ending::Finished),
            Exit::Again => {
                self.restarts.recovered();
                self.wait_for_next(pause, Resume::Waiting { until: Until::Instant(facts.now) });
                return None;
            }
            Exit::After(time) => {
                self.restarts.recovered();
                let due = facts.now.saturating_add(time);
                self.wait_for_next(pause, Resume::Waiting { until: Until::Instant(due) });
                return None;
            }
            Exit::Wait => {}
        }
        if spec.schedule.is_periodic() {
            self.restarts.recovered();
            let until = self.next_due(spec, facts, self.due);
            self.wait_for_next(pause, Resume::Waiting { until });
            return None;
        }
        match spec.restart.restart {
            Restart::OnFailure | Restart::Never => Some(Ending::Finished),
            Restart::Always => {
                self.recover_if_long(facts);
                // It counts like a crash that may pass.
                let restart_in = self.restart_in(spec, facts, CrashKind::Transient);
                emit(match restart_in {
                    Some(restart_in) => Transition::Returned { restart_in },
                    None => Transition::ReturnedTooOften { error: RETURNED_TOO_OFTEN },
                });
                self.back_off(facts, pause, restart_in)
            }
        }
    }

    fn after_crash(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        pause: bool,
        crash: &Crash,
        emit: &mut impl FnMut(Transition),
    ) -> Option<Ending> {
        if !spec.schedule.is_periodic() {
            self.recover_if_long(facts);
        }
        let restart_in = self.restart_in(spec, facts, crash.kind);
        let in_a_row = self.restarts.in_a_row();
        emit(Transition::Crashed { crash: crash.clone(), in_a_row, restart_in });
        self.back_off(facts, pause, restart_in)
    }

    /// Counts a crash, and says after which delay there is a restart.
    fn restart_in(&mut self, spec: &Spec, facts: Facts<'_>, kind: CrashKind) -> Option<Duration> {
        match self.restarts.crashed(&spec.restart, facts.now, kind) {
            Verdict::RestartAfter(delay) => Some(delay),
            Verdict::GiveUp => None,
        }
    }

    /// Waits to restart, if there is to be one.
    fn back_off(
        &mut self,
        facts: Facts<'_>,
        pause: bool,
        restart_in: Option<Duration>,
    ) -> Option<Ending> {
        let Some(delay) = restart_in else {
            return Some(Ending::Failed);
        };
        let due = facts.now.saturating_add(nanos(delay));
        self.wait_for_next(pause, Resume::BackingOff { due });
        None
    }

    /// A continuous service has recovered once it has run for a minute.
    fn recover_if_long(&mut self, facts: Facts<'_>) {
        if facts.now.saturating_sub(self.started) >= nanos(RestartPolicy::RECOVERY) {
            self.restarts.recovered();
        }
    }

    /// The next due time of the schedule: not before now, and after `last`.
    pub(super) fn next_due(&mut self, spec: &Spec, facts: Facts<'_>, last: Nanos) -> Until {
        let due = match &spec.schedule {
            Schedule::Interval(period) => self.grid(*period).next(last, facts.now),
            Schedule::Delay(pause) => facts.now.saturating_add(nanos(*pause)),
            Schedule::Continuous => facts.now,
            Schedule::Cron(cron, _) => return self.next_date_of(cron, spec, facts),
        };
        Until::Instant(due.saturating_add(jitter(spec, facts.random)))
    }
}
