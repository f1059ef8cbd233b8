//! Runs: when one begins, how it ends, and what follows.

use std::time::Duration;

use super::action::Action;
use super::crash::Crash;
use super::due_time::DueTime;
use super::end_reason::EndReason;
use super::facts::Facts;
use super::machine::Lifecycle;
use super::phase::{CleanUp, Lingering, Pause, Phase, Wait};
use super::readiness::Progress;
use super::run_kind::RunKind;
use super::transition::Transition;
use crate::duration::format;
use crate::exit::Exit;
use crate::nanos::{Nanos, NonMaxNanos, nanos};
use crate::on_timeout::OnTimeout;
use crate::ready::Ready;
use crate::restart::{CrashKind, Restart, RestartPolicy, Verdict};
use crate::schedule::{Grid, Schedule};
use crate::spec::Spec;

/// The error of a service with `restart = "always"` that has used up its restarts.
const RETURNED_TOO_OFTEN: &str = "returned again after `max_restarts` restarts; raise `max_restarts`, or run it repeatedly with `interval` or `delay`";

impl Lifecycle {
    /// Does what is due, if anything: begins a run or a queued clean-up, or checks the wall clock, a
    /// timeout or a deadline.
    pub(super) fn due(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        // An early or outdated wake-up changes nothing.
        if self.next_wake_up().is_none_or(|wake_up| facts.now < wake_up) {
            return Action::Nothing;
        }
        match &mut self.phase {
            Phase::Pending { wait, pause: pause @ (Pause::NotPaused | Pause::AfterRun) } => {
                let (wait, pause_after_run) = (*wait, *pause == Pause::AfterRun);
                let (due, is_exact) = match wait {
                    Wait::Due(due) => (due, true),
                    Wait::DueWithTolerance(due) => (due, false),
                    Wait::Occurrence { .. } => {
                        return self.check_wall_clock(spec, facts, false, emit);
                    }
                    Wait::ExactOccurrence { .. } => {
                        return self.check_wall_clock(spec, facts, true, emit);
                    }
                    Wait::Backoff(due) => {
                        self.restarts.restarted(&spec.restart_policy, facts.now);
                        emit(Transition::Restarted);
                        (due, true)
                    }
                };
                self.run(spec, facts, due, None, pause_after_run, is_exact)
            }
            Phase::Running { .. } => {
                self.check_timeout(spec, facts, emit);
                Action::Nothing
            }
            Phase::StopRequested { .. } | Phase::Ending { clean_up: CleanUp::Running, .. } => {
                self.expired(facts, emit)
            }
            Phase::Ending { clean_up: clean_up @ CleanUp::Queued, .. } => {
                *clean_up = CleanUp::Running;
                Action::CleanUp
            }
            Phase::Abandoned(lingering @ Lingering::QueuedCleanUp) => {
                *lingering = Lingering::CleanUp;
                Action::CleanUp
            }
            // These need no wake-up.
            Phase::Pending { pause: Pause::Paused, .. }
            | Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Abandoned(Lingering::Run | Lingering::CleanUp | Lingering::Nothing) => {
                Action::Nothing
            }
        }
    }

    /// Reports a run as stuck if it has sent no heartbeat within its timeout, at most once per
    /// heartbeat, and cancels it if `on_timeout` says so.
    // perf: rare, and not inlined into the step of every run.
    #[cold]
    fn check_timeout(&mut self, spec: &Spec, facts: &Facts<'_>, emit: &mut impl FnMut(Transition)) {
        let Phase::Running { cancelled, check_at, reported_heartbeat, pause_after_run: _ } =
            &mut self.phase
        else {
            return;
        };
        // The jobs of a queue are cancelled, and reported, one by one.
        let is_of_jobs = spec.schedule.is_queue() && spec.on_timeout == OnTimeout::Cancel;
        let Some(timeout) = spec.timeout.map(nanos).filter(|_| !is_of_jobs) else {
            *check_at = None;
            return;
        };
        let last_heartbeat = self.started.max(facts.last_heartbeat);
        let due = last_heartbeat.saturating_add(timeout);
        if due > facts.now {
            *check_at = Some(NonMaxNanos::new(due));
            return;
        }
        if *reported_heartbeat != Some(NonMaxNanos::new(last_heartbeat)) {
            *reported_heartbeat = Some(NonMaxNanos::new(last_heartbeat));
            // The run of a queue service lasts from start to stop; what is stuck is its oldest job.
            let began = if spec.schedule.is_queue() { last_heartbeat } else { self.started };
            let running_for = Duration::from_nanos(facts.now - began);
            emit(Transition::Stuck { running_for });
            match spec.on_timeout {
                OnTimeout::Report => {}
                OnTimeout::Cancel => {
                    // A heartbeat does not undo it, so there is nothing left to check.
                    (*cancelled, *check_at) = (true, None);
                    emit(Transition::RunCancelled);
                    return;
                }
            }
        }
        // Only a heartbeat matters now, so the time between checks doubles.
        let silent_for = facts.now.saturating_sub(last_heartbeat).max(1);
        *check_at = Some(NonMaxNanos::new(facts.now.saturating_add(silent_for)));
    }

    /// Begins a run. `occurrence` is the one that the run is for, if any; `is_exact`: without the
    /// tolerance.
    // perf: without inlining, a step takes 10 % longer.
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        due: Nanos,
        occurrence: Option<i64>,
        pause_after_run: bool,
        is_exact: bool,
    ) -> Action {
        if self.progress != Progress::Ready && spec.is_ready_once_started() {
            self.progress = Progress::Ready;
        }
        self.record_run(spec, facts, occurrence);
        (self.due, self.started) = (due, facts.now);
        if facts.tolerance > 0 {
            self.run_is_exact = is_exact;
        }
        self.phase = Phase::Running {
            pause_after_run,
            cancelled: false,
            check_at: spec
                .timeout
                .map(|timeout| NonMaxNanos::new(facts.now.saturating_add(nanos(timeout)))),
            reported_heartbeat: None,
        };
        let attempt = self.restarts.consecutive_crashes().saturating_add(1);
        Action::Run { due, attempt, kind: self.kind }
    }

    /// Handles the end of a run: reports missed runs, and plans the next run or ends the
    /// activation.
    pub(super) fn ended(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        match self.phase {
            Phase::Running { cancelled: true, .. } => {
                let crash = self.end_cancellation(spec, exit);
                emit(Transition::CancelledRunEnded);
                self.ended(spec, facts, Exit::Crashed(&crash), emit)
            }
            Phase::Running { pause_after_run, cancelled: false, .. } => {
                self.report_skipped(spec, facts, pause_after_run, exit, emit);
                match self.after_run(spec, facts, pause_after_run, exit, emit) {
                    None => Action::Nothing,
                    Some(reason) => {
                        let deadline = facts.now.saturating_add(nanos(spec.stop_timeout));
                        self.end(facts, reason, deadline, false, self.clean_up_after_run(), emit)
                    }
                }
            }
            Phase::StopRequested { deadline, dropped, start_again } => {
                if let Exit::Crashed(crash) = exit {
                    emit(Transition::CrashedWhileStopping(crash.clone()));
                }
                let reason = if dropped { EndReason::Cancelled } else { EndReason::Stopped };
                self.end(facts, reason, deadline, start_again, self.clean_up_after_run(), emit)
            }
            // The result is dropped, but the clean-up still runs.
            Phase::Abandoned(Lingering::Run) if facts.has_hooks => match self.kind {
                RunKind::Call => {
                    self.phase = Phase::Abandoned(Lingering::CleanUp);
                    Action::CleanUp
                }
                RunKind::Task => {
                    self.phase = Phase::Abandoned(Lingering::QueuedCleanUp);
                    self.since = facts.now;
                    Action::Nothing
                }
            },
            Phase::Abandoned(Lingering::Run) => {
                self.phase = Phase::Abandoned(Lingering::Nothing);
                emit(Transition::LateEnd);
                Action::Nothing
            }
            // No run is in progress.
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Pending { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(
                Lingering::QueuedCleanUp | Lingering::CleanUp | Lingering::Nothing,
            ) => Action::Nothing,
        }
    }

    /// Whether the thread of the run that has just ended carries out the clean-up.
    fn clean_up_after_run(&self) -> CleanUp {
        match self.kind {
            RunKind::Call => CleanUp::Running,
            RunKind::Task => CleanUp::Queued,
        }
    }

    /// Handles a run that has ended with [`Exit::Again`], and begins the next one in the same step.
    /// If there is a transition to report first, the next run is only made due, and begins in the
    /// next step.
    // perf: without inlining, a run that is repeated takes 30 instructions more.
    #[inline(always)]
    pub(super) fn repeat(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let Phase::Running { pause_after_run: false, cancelled: false, .. } = self.phase else {
            return self.ended(spec, facts, Exit::Again, emit);
        };
        let mut reported = false;
        let mut report = |transition| {
            reported = true;
            emit(transition);
        };
        self.report_skipped(spec, facts, false, Exit::Again, &mut report);
        self.report_recovery(&mut report);
        self.record_success(spec);
        if reported {
            self.plan(Wait::Due(facts.now), false);
            return Action::Nothing;
        }
        self.run(spec, facts, facts.now, None, false, true)
    }

    /// Reports the runs that were missed during this one. `pause_after_run` says whether the
    /// service is paused after it.
    // perf: inlined, so that a service without due times does not pay for a call.
    #[inline(always)]
    fn report_skipped(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        pause_after_run: bool,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) {
        if spec.schedule.has_due_times() {
            self.report_skipped_due_times(spec, facts, pause_after_run, exit, emit);
        }
    }

    fn report_skipped_due_times(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        pause_after_run: bool,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) {
        match &spec.schedule {
            Schedule::Interval(period) => {
                let plans_next = || matches!(exit, Exit::Wait) && !pause_after_run;
                let missed_before = if facts.tolerance > 0 && plans_next() {
                    facts.earliest_tolerated()
                } else {
                    facts.now
                };
                let grid = self.grid(*period);
                let count = grid.count_between(self.due, missed_before);
                if count > 0 {
                    let first = DueTime::Instant(grid.next(self.due, 0));
                    emit(Transition::Skipped { count, first });
                }
            }
            // The next step decides which of the missed occurrences runs.
            Schedule::Calendar(..) if matches!(exit, Exit::Wait) && !pause_after_run => {}
            Schedule::Calendar(calendar, _) => self.skip_occurrences(calendar, facts, emit),
            Schedule::Delay(_) | Schedule::Continuous | Schedule::Queue(_) => {}
        }
    }

    /// Records that a run has ended well, and reports that if it is a recovery.
    #[inline]
    fn report_recovery(&mut self, emit: &mut impl FnMut(Transition)) {
        let crashes = self.restarts.recovered();
        if crashes > 0 {
            emit(Transition::Recovered { crashes });
        }
    }

    pub(super) fn grid(&self, period: Duration) -> Grid {
        Grid { anchor: self.anchor, period: nanos(period) }
    }

    /// Plans the next run. With `pause_after_run`, it does not begin until the service is resumed.
    fn plan(&mut self, wait: Wait, pause_after_run: bool) {
        self.phase = Phase::Pending {
            wait,
            pause: if pause_after_run { Pause::Paused } else { Pause::NotPaused },
        };
    }

    /// Plans the next run, or returns why the activation ends.
    fn after_run(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        pause_after_run: bool,
        exit: Exit<&Crash>,
        emit: &mut impl FnMut(Transition),
    ) -> Option<EndReason> {
        let wait = match exit {
            Exit::Wait if spec.schedule.is_periodic() => self.next_due(spec, facts),
            Exit::Wait => return self.after_return(spec, facts, pause_after_run, emit),
            Exit::Again => Wait::Due(facts.now),
            Exit::After(delay) => Wait::Due(facts.now.saturating_add(delay)),
            Exit::Done => {
                self.record_success(spec);
                return Some(EndReason::Finished);
            }
            Exit::Crashed(crash) => {
                if matches!(self.progress, Progress::NotReady | Progress::NotReadyAfterRun) {
                    self.progress = Progress::CrashedBeforeReady;
                }
                let restart_in = self.restart(spec, facts, pause_after_run, crash.kind);
                let consecutive_crashes = self.restarts.consecutive_crashes();
                emit(Transition::Crashed { crash: crash.clone(), consecutive_crashes, restart_in });
                return restart_in.is_none().then_some(EndReason::Failed);
            }
        };
        self.report_recovery(emit);
        self.record_success(spec);
        self.plan(wait, pause_after_run);
        None
    }

    /// Records that a run has ended well: the service is ready, unless it has to say so itself.
    #[inline]
    fn record_success(&mut self, spec: &Spec) {
        if self.progress != Progress::Ready {
            if spec.ready != Some(Ready::Notified) {
                self.progress = Progress::Ready;
            } else if self.progress == Progress::NotReady {
                self.progress = Progress::NotReadyAfterRun;
            }
        }
    }

    /// Handles the return of a continuous service: plans its restart, or returns why the activation
    /// ends.
    fn after_return(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        pause_after_run: bool,
        emit: &mut impl FnMut(Transition),
    ) -> Option<EndReason> {
        match spec.restart_policy.restart {
            Restart::OnFailure | Restart::Never => {
                self.record_success(spec);
                Some(EndReason::Finished)
            }
            Restart::Always => {
                // A return counts as a transient crash.
                if let Some(restart_in) =
                    self.restart(spec, facts, pause_after_run, CrashKind::Transient)
                {
                    emit(Transition::Returned { restart_in });
                    None
                } else {
                    emit(Transition::ReturnedTooOften { error: RETURNED_TOO_OFTEN });
                    Some(EndReason::Failed)
                }
            }
        }
    }

    /// Counts a crash and plans the restart. Returns the backoff, or `None` if the service has
    /// failed for good.
    fn restart(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        pause_after_run: bool,
        kind: CrashKind,
    ) -> Option<Duration> {
        let ran_for = facts.now.saturating_sub(self.started);
        if !spec.schedule.is_periodic() && ran_for >= nanos(RestartPolicy::RECOVERY) {
            // Not reported: it crashes again.
            let _ = self.restarts.recovered();
        }
        match self.restarts.crashed(&spec.restart_policy, facts.now, kind) {
            Verdict::RestartAfter(backoff) => {
                self.plan(Wait::Backoff(facts.now.saturating_add(nanos(backoff))), pause_after_run);
                Some(backoff)
            }
            Verdict::GiveUp => None,
        }
    }

    /// What to wait for next according to the schedule. With an interval, that is a due time after that
    /// of the last run which has not passed, or not longer ago than the tolerance; with a calendar, it
    /// is the first occurrence not handled yet, which may have passed.
    pub(super) fn next_due(&mut self, spec: &Spec, facts: &Facts<'_>) -> Wait {
        let due = match &spec.schedule {
            Schedule::Interval(period) => {
                self.grid(*period).next(self.due, facts.earliest_tolerated())
            }
            Schedule::Delay(delay) => facts.now.saturating_add(nanos(*delay)),
            Schedule::Continuous | Schedule::Queue(_) => facts.now,
            Schedule::Calendar(calendar, _) => return self.wait_for_next(calendar, spec, facts),
        };
        Wait::for_due_time(spec, facts, due)
    }

    /// The crash of the cancelled run that has ended, whatever it has returned. Its own error, if any,
    /// is part of the text, and decides whether a restart may help.
    #[cold]
    fn end_cancellation(&mut self, spec: &Spec, exit: Exit<&Crash>) -> Crash {
        if let Phase::Running { cancelled, .. } = &mut self.phase {
            *cancelled = false;
        }
        let timeout = format(spec.timeout.unwrap_or_default());
        let text = format!("cancelled: took longer than its timeout of {timeout}");
        match exit {
            Exit::Wait | Exit::Again | Exit::After(_) | Exit::Done => {
                Crash { message: text.into(), panicked: false, kind: CrashKind::Transient }
            }
            Exit::Crashed(Crash { message, panicked, kind }) => {
                let failed = if *panicked { "" } else { "failed: " };
                let message = format!("{text}; then {failed}{message}").into();
                Crash { message, panicked: *panicked, kind: *kind }
            }
        }
    }
}
