//! Calendar time: what the wall clock decides.
//!
//! A calendar time lies on the wall clock, and timers run on the monotonic one. So the distance
//! between the two is only believed for [`LOOK`]: then the life cycle looks at the wall clock again
//! (rule 6), and finds out whether the machine slept, or its clock was set.
//!
//! What has passed meanwhile is decided in one place, [`Lifecycle::look`]: the last due time that
//! passed runs, late, if that is not longer ago than [`GRACE`]; what is older is skipped and
//! counted (rule 5).
//!
//! A [`Calendar`] says up to which time everything was run or skipped. When the wall clock is
//! set back by more than [`GRACE`], times up to there come again, and what was skipped or lay before
//! the start is due like any other. A fixed time that ran does not run twice for that, unless the
//! clock is back by more than [`CORRECTION`]: then it was wrong before, and counts as it is now (as
//! in cron(8) of Debian and BSD). What recurs runs again.

use super::action::Action;
use super::calendar::Calendar;
use super::date::{Date, NEVER, nanos_of, seconds_of};
use super::facts::{Facts, jitter};
use super::machine::Lifecycle;
use super::phase::{Pause, Phase, Wait};
use super::transition::Transition;
use crate::cron::Cron;
use crate::nanos::{Nanos, SECOND, WallNanos};
use crate::schedule::Schedule;
use crate::spec::Spec;

/// A due time that passed runs if that is not longer ago.
const GRACE: WallNanos = 60 * SECOND;
/// A clock that is set back by more was wrong.
const CORRECTION: WallNanos = 3 * 3_600 * SECOND;

impl Lifecycle {
    fn calendar_mut(&mut self) -> &mut Calendar {
        self.calendar.get_or_insert_default()
    }

    /// The calendar time that is waited for, where one is.
    pub(super) fn date(&self) -> Date {
        self.calendar.as_ref().map_or(Calendar::NEW.date, |calendar| calendar.date)
    }

    /// The calendar time that the run in progress, or the last one, is for, if it is for one.
    pub fn run_date(&self) -> Option<i64> {
        self.calendar.as_ref().and_then(|calendar| calendar.run)
    }

    /// Waits for a calendar time, and so much longer on purpose.
    fn wait_for(&mut self, at: i64, late: Nanos, facts: Facts<'_>) -> Wait {
        let date = Date::new(at, late, facts);
        self.calendar_mut().date = date;
        Wait::Occurrence { check_at: date.look(facts.now) }
    }

    /// Answers for every calendar time up to `seconds`.
    fn answer_until(&mut self, seconds: i64) {
        let calendar = self.calendar_mut();
        calendar.until = calendar.until.max(seconds);
    }

    /// The first calendar time of an activation. To wait for it is to be up (rule 32).
    pub(super) fn first_date_of(&mut self, cron: &Cron, spec: &Spec, facts: Facts<'_>) -> Wait {
        self.ready = true;
        self.calendar_mut().until = seconds_of(facts.wall);
        self.next_date_of(cron, spec, facts)
    }

    /// The first calendar time that was not answered for; it may have passed.
    pub(super) fn next_date_of(&mut self, cron: &Cron, spec: &Spec, facts: Facts<'_>) -> Wait {
        self.follow_back(cron, facts);
        // If it does not come in 400 years, the clock is wrong, and is looked at again.
        let at = cron.next_after(self.calendar_mut().until, facts.zone).unwrap_or(NEVER);
        self.wait_for(at, jitter(spec, facts.random), facts)
    }

    /// Answers again for what comes again, if the wall clock was set back far enough.
    fn follow_back(&mut self, cron: &Cron, facts: Facts<'_>) -> bool {
        let back = |from: i64| nanos_of(from) - facts.wall;
        let calendar = self.calendar_mut();
        if back(calendar.until) <= GRACE {
            return false;
        }
        let now = seconds_of(facts.wall);
        let ran_stays = !cron.recurring && back(calendar.ran) <= CORRECTION;
        let answered = if ran_stays { now.max(calendar.ran) } else { now };
        std::mem::replace(&mut calendar.until, answered) != answered
    }

    /// The calendar time to wait for after a pause: what fell due meanwhile is answered for.
    pub(super) fn resumed_date_of(
        &mut self,
        cron: &Cron,
        spec: &Spec,
        facts: Facts<'_>,
        wait: Wait,
    ) -> Wait {
        match wait {
            Wait::Occurrence { .. } => {
                let Date { at, late, .. } = self.date();
                let wait = self.wait_for(at, late, facts);
                if self.date().due >= facts.now {
                    return wait;
                }
                self.answer_until(seconds_of(facts.wall));
                self.next_date_of(cron, spec, facts)
            }
            Wait::Due(due) | Wait::Backoff(due) if due >= facts.now => wait,
            Wait::Due(_) | Wait::Backoff(_) => {
                self.answer_until(seconds_of(facts.wall));
                self.next_date_of(cron, spec, facts)
            }
        }
    }

    /// Looks at the wall clock, and runs if the time has come.
    pub(super) fn look(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        emit: &mut impl FnMut(Transition),
    ) -> Action {
        let date = self.date();
        let Schedule::Cron(cron, _) = &spec.schedule else {
            // Only calendar time waits for dates.
            return Action::Nothing;
        };
        // As late as the run is on purpose, so late is the clock.
        let wall = facts.wall - WallNanos::from(date.late);
        let now = seconds_of(wall);
        if date.at == NEVER || nanos_of(date.at) > wall {
            let wait = if self.follow_back(cron, facts) {
                self.next_date_of(cron, spec, facts)
            } else {
                self.wait_for(date.at, date.late, facts)
            };
            self.phase = Phase::Pending { wait, pause: Pause::No };
            return Action::Nothing;
        }
        let oldest = seconds_of(wall - GRACE + SECOND - 1).max(date.at);
        let next = |after: &i64| cron.next_after(*after, facts.zone).filter(|at| *at <= now);
        let last = std::iter::successors(next(&(oldest - 1)), next).last();
        let skipped =
            cron.count_between(date.at, last.unwrap_or(now.saturating_add(1)), facts.zone);
        if skipped > 0 {
            emit(Transition::Skipped(skipped));
        }
        match last {
            Some(at) => {
                let Date { due, .. } = Date::new(at, date.late, facts);
                self.run(spec, facts, due, Some(at), false)
            }
            None => {
                self.answer_until(now);
                let wait = self.next_date_of(cron, spec, facts);
                self.phase = Phase::Pending { wait, pause: Pause::No };
                Action::Nothing
            }
        }
    }

    /// Answers for the calendar times that passed during a run after which another comes than the
    /// calendar says; returns how many. After any other run [`Lifecycle::look`] does.
    pub(super) fn answer_for_run(&mut self, cron: &Cron, facts: Facts<'_>) -> u64 {
        let now = seconds_of(facts.wall);
        let from = self.calendar_mut().until.saturating_add(1);
        self.answer_until(now);
        cron.count_between(from, now.saturating_add(1), facts.zone)
    }

    /// A run that begins answers for the calendar time it is for, or for all that passed.
    #[inline]
    pub(super) fn answer(&mut self, spec: &Spec, facts: Facts<'_>, date: Option<i64>) {
        match spec.schedule {
            Schedule::Cron(..) => self.answer_by_run(facts, date),
            Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {}
        }
    }

    // Apart, so that a run without calendar time passes it by.
    #[inline(never)]
    fn answer_by_run(&mut self, facts: Facts<'_>, date: Option<i64>) {
        self.answer_until(date.unwrap_or(seconds_of(facts.wall)));
        let calendar = self.calendar_mut();
        calendar.run = date;
        calendar.ran = date.unwrap_or(calendar.ran);
    }
}
