//! Calendar schedules, which are cron expressions and anchored intervals: waiting for an occurrence on
//! the wall clock, and what happens to missed ones.
//!
//! Occurrences lie on the wall clock, timers on the monotonic clock. The offset between the two
//! changes when the machine is suspended or its clock is set, so a waiting service reads the wall
//! clock at least every 30 s (rule 6). DST plays no part here: it does not move instants, and
//! [`Calendar`] knows which instants are occurrences.
//!
//! [`Lifecycle::check_wall_clock`] decides what happens to missed occurrences: the last one runs
//! late, if it is within the [`GRACE_PERIOD`]; all others are skipped and counted (rule 5).
//!
//! With a tolerance, an occurrence may run that much later, but no later than the next reading of the
//! wall clock, which is at most 30 s away.
//!
//! When the wall clock is set back, it passes occurrences again. They are due again if the clock is
//! then more than the grace period behind the time up to which occurrences have been run or skipped.
//! But if the schedule names a fixed time, those up to the last one that ran are not repeated,
//! unless the clock is behind that one by more than [`MAX_CORRECTION`]: then the clock is assumed to
//! have been wrong before and to be correct afterwards (as in cron(8) of Debian and BSD). A recurring
//! schedule, such as `*/5 * * * *`, runs again in either case.

use super::action::Action;
use super::cron_state::CronState;
use super::due_time::DueTime;
use super::facts::{Facts, jitter};
use super::machine::Lifecycle;
use super::occurrence::{NEVER, Occurrence, nanos_of, seconds_of};
use super::phase::{Pause, Phase, Wait};
use super::transition::Transition;
use crate::nanos::{Nanos, WALL_SECOND, WallNanos};
use crate::schedule::{Calendar, Schedule};
use crate::spec::Spec;

/// How late a missed occurrence may still run.
const GRACE_PERIOD: WallNanos = 60 * WALL_SECOND;
/// How far the wall clock may be behind the last occurrence that ran without repeating it, if the
/// schedule names a fixed time.
const MAX_CORRECTION: WallNanos = 3 * 3_600 * WALL_SECOND;

impl Lifecycle {
    fn cron_state_mut(&mut self) -> &mut CronState {
        self.cron_state.get_or_insert_default()
    }

    /// The occurrence that the service waits for, or waited for last.
    pub(super) fn occurrence(&self) -> Occurrence {
        self.cron_state.as_ref().map_or(CronState::NEW.next, |state| state.next)
    }

    /// The occurrence that the current or last run is for, as Unix time in seconds.
    #[must_use]
    #[inline]
    pub fn run_occurrence(&self) -> Option<i64> {
        self.cron_state.as_ref().and_then(|state| state.run_occurrence)
    }

    /// The occurrence that the run before was for.
    #[must_use]
    pub fn previous_run_occurrence(&self) -> Option<i64> {
        self.cron_state.as_ref().and_then(|state| state.previous_run_occurrence)
    }

    fn wait_for(&mut self, at: i64, jitter: Nanos, facts: &Facts<'_>) -> Wait {
        let next = Occurrence::new(at, jitter, facts);
        self.cron_state_mut().next = next;
        Wait::Occurrence { check_at: next.check_at(facts.now) }
    }

    /// Records that all occurrences up to and including `seconds` have been run or skipped.
    fn mark_handled_through(&mut self, seconds: i64) {
        let state = self.cron_state_mut();
        state.handled_through = state.handled_through.max(seconds);
    }

    /// Plans the wait for the first occurrence of an activation.
    pub(super) fn wait_for_first(
        &mut self,
        calendar: &Calendar,
        spec: &Spec,
        facts: &Facts<'_>,
    ) -> Wait {
        self.cron_state_mut().handled_through = seconds_of(facts.wall);
        self.wait_for_next(calendar, spec, facts)
    }

    /// Plans the wait for the first occurrence that has not been handled; it may have passed.
    pub(super) fn wait_for_next(
        &mut self,
        calendar: &Calendar,
        spec: &Spec,
        facts: &Facts<'_>,
    ) -> Wait {
        self.rewind_if_set_back(calendar, facts);
        // No occurrence in 400 years means that the wall clock is wrong; it will be read again.
        let at =
            calendar.next_after(self.cron_state_mut().handled_through, facts.zone).unwrap_or(NEVER);
        self.wait_for(at, jitter(spec, facts.random), facts)
    }

    /// Marks occurrences that the wall clock will pass again as not handled, if it is more than the
    /// grace period behind the time up to which they were handled. Returns whether that changed
    /// anything.
    fn rewind_if_set_back(&mut self, calendar: &Calendar, facts: &Facts<'_>) -> bool {
        let ahead_by = |seconds: i64| nanos_of(seconds) - facts.wall;
        let state = self.cron_state_mut();
        if ahead_by(state.handled_through) <= GRACE_PERIOD {
            return false;
        }
        let now = seconds_of(facts.wall);
        let is_correction = ahead_by(state.last_run_occurrence) <= MAX_CORRECTION;
        let handled = if !calendar.recurs() && is_correction {
            now.max(state.last_run_occurrence)
        } else {
            now
        };
        std::mem::replace(&mut state.handled_through, handled) != handled
    }

    /// What to wait for after a pause. Occurrences during the pause are skipped without being
    /// counted.
    pub(super) fn cron_wait_after_resume(
        &mut self,
        calendar: &Calendar,
        spec: &Spec,
        facts: &Facts<'_>,
        wait: Wait,
    ) -> Wait {
        let (wait, due) = match wait {
            Wait::Occurrence { .. } | Wait::ExactOccurrence { .. } => {
                let Occurrence { at, jitter, .. } = self.occurrence();
                let wait = self.wait_for(at, jitter, facts);
                (wait, self.occurrence().due)
            }
            Wait::Due(due) | Wait::DueWithTolerance(due) | Wait::Backoff(due) => (wait, due),
        };
        if due >= facts.now {
            return wait;
        }
        self.mark_handled_through(seconds_of(facts.wall));
        self.wait_for_next(calendar, spec, facts)
    }

    /// Checks the wall clock in `facts`, and begins a run if its occurrence has come.
    pub(super) fn check_wall_clock(
        &mut self,
        spec: &Spec,
        facts: &Facts<'_>,
        is_exact: bool,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let Occurrence { at, jitter, .. } = self.occurrence();
        let Schedule::Calendar(calendar, _) = &spec.schedule else {
            // Other schedules never wait for an occurrence.
            return Action::Nothing;
        };
        // Jitter delays everything about this run, including its grace period, so compare with a
        // clock that is behind by the jitter.
        let shifted_wall = facts.wall - WallNanos::from(jitter);
        let now = seconds_of(shifted_wall);
        if at == NEVER || nanos_of(at) > shifted_wall {
            let wait = if self.rewind_if_set_back(calendar, facts) {
                self.wait_for_next(calendar, spec, facts)
            } else {
                self.wait_for(at, jitter, facts)
            };
            self.phase = Phase::Pending { wait, pause: Pause::NotPaused };
            return Action::Nothing;
        }
        let oldest = seconds_of(shifted_wall - GRACE_PERIOD + WALL_SECOND - 1).max(at);
        let next = |after: &i64| calendar.next_after(*after, facts.zone).filter(|at| *at <= now);
        let last = std::iter::successors(next(&(oldest - 1)), next).last();
        let skipped = calendar.count_between(at, last.unwrap_or(now.saturating_add(1)), facts.zone);
        if skipped > 0 {
            emit(Transition::Skipped { count: skipped, first: DueTime::Occurrence(at) });
        }
        match last {
            Some(at) => {
                let Occurrence { due, .. } = Occurrence::new(at, jitter, facts);
                self.run(spec, facts, due, Some(at), false, is_exact)
            }
            None => {
                self.mark_handled_through(now);
                let wait = self.wait_for_next(calendar, spec, facts);
                self.phase = Phase::Pending { wait, pause: Pause::NotPaused };
                Action::Nothing
            }
        }
    }

    /// Skips the occurrences that passed during a run, and reports them. Called if the
    /// result of the run ends the activation, or if a restart, a pause or an extra run that the
    /// function requested comes next; otherwise [`Lifecycle::check_wall_clock`] decides which
    /// occurrence runs.
    pub(super) fn skip_occurrences(
        &mut self,
        calendar: &Calendar,
        facts: &Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) {
        let now = seconds_of(facts.wall);
        let handled = self.cron_state_mut().handled_through;
        self.mark_handled_through(now);
        let from = handled.saturating_add(1);
        let count = calendar.count_between(from, now.saturating_add(1), facts.zone);
        if count > 0 {
            let first = calendar.next_after(handled, facts.zone).unwrap_or(now);
            emit(Transition::Skipped { count, first: DueTime::Occurrence(first) });
        }
    }

    /// Records which occurrence a run is for. A run without an occurrence counts as handling all
    /// that have passed.
    #[inline]
    pub(super) fn record_run(&mut self, spec: &Spec, facts: &Facts<'_>, occurrence: Option<i64>) {
        match spec.schedule {
            Schedule::Calendar(..) => self.record_cron_run(facts, occurrence),
            Schedule::Interval(_)
            | Schedule::Delay(_)
            | Schedule::Continuous
            | Schedule::Queue(_) => {}
        }
    }

    // perf: not inlined, so that other schedules do not pay for it.
    #[inline(never)]
    fn record_cron_run(&mut self, facts: &Facts<'_>, occurrence: Option<i64>) {
        self.mark_handled_through(occurrence.unwrap_or(seconds_of(facts.wall)));
        let state = self.cron_state_mut();
        state.previous_run_occurrence = std::mem::replace(&mut state.run_occurrence, occurrence);
        state.last_run_occurrence = occurrence.unwrap_or(state.last_run_occurrence);
    }
}
