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
//! `answered` says up to which calendar time everything was run or skipped. When the wall clock is
//! set back, times up to there come again: a fixed time is not run twice for that, and what recurs
//! goes on as soon as the clock is back by more than [`GRACE`]. A clock that is back by more than
//! [`CORRECTION`] was wrong before, and counts as it is now (as in cron(8) of Debian and BSD).

use tina4_service_schedule::{Cron, Schedule, Spec};

use super::phase::{Phase, Until};
use super::{Command, Facts, Lifecycle, Note, jitter};
use crate::clock::{Nanos, SECOND, Wall};

/// The monotonic clock is trusted to lead to a calendar time for so long.
const LOOK: Nanos = 30 * SECOND.unsigned_abs();
/// A due time that passed runs if that is not longer ago.
const GRACE: Wall = 60 * SECOND;
/// A clock that is set back by more was wrong.
const CORRECTION: Wall = 3 * 3_600 * SECOND;

/// A calendar time for which a service waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Date {
    /// In seconds since 1970 UTC.
    pub(super) at: i64,
    /// How much later to start on purpose.
    late: Nanos,
    /// When that will be, as far as the clocks agree.
    pub(super) due: Nanos,
    /// When to look at the wall clock again.
    pub(super) look: Nanos,
}

impl Date {
    fn new(at: i64, late: Nanos, facts: Facts<'_>) -> Self {
        let distance = i128::from(nanos_of(at)) - i128::from(facts.wall) + i128::from(late);
        let due = i128::from(facts.now) + distance;
        let due = Nanos::try_from(due.max(0)).unwrap_or(Nanos::MAX);
        // On a common grid, so that all services look at once.
        let look = (facts.now / LOOK + 1).saturating_mul(LOOK);
        Self { at, late, due, look }
    }
}

fn nanos_of(seconds: i64) -> Wall {
    seconds.saturating_mul(SECOND)
}

impl Lifecycle {
    /// The first calendar time of an activation. To wait for it is to be up (rule 32).
    pub(super) fn first_date_of(&mut self, cron: &Cron, spec: &Spec, facts: Facts<'_>) -> Until {
        self.up = true;
        self.answered = facts.wall.div_euclid(SECOND);
        self.next_date_of(cron, spec, facts)
    }

    /// The first calendar time that was not answered for; it may have passed.
    pub(super) fn next_date_of(&mut self, cron: &Cron, spec: &Spec, facts: Facts<'_>) -> Until {
        self.follow_back(cron, facts);
        match cron.next_after(self.answered, facts.zone) {
            Some(at) => Until::Date(Date::new(at, jitter(spec, facts.dice), facts)),
            // Not in 400 years.
            None => Until::Instant(Nanos::MAX),
        }
    }

    /// Answers again for what comes again, if the wall clock was set back far enough.
    fn follow_back(&mut self, cron: &Cron, facts: Facts<'_>) -> bool {
        let back = nanos_of(self.answered).saturating_sub(facts.wall);
        let follow = back > if cron.recurring { GRACE } else { CORRECTION };
        if follow {
            self.answered = facts.wall.div_euclid(SECOND);
        }
        follow
    }

    /// The calendar time to wait for after a pause: what fell due meanwhile is answered for.
    pub(super) fn resumed_date_of(
        &mut self,
        cron: &Cron,
        spec: &Spec,
        facts: Facts<'_>,
        until: Until,
    ) -> Until {
        match until {
            Until::Date(date) => {
                let date = Date::new(date.at, date.late, facts);
                if date.due >= facts.now {
                    return Until::Date(date);
                }
                self.answered = self.answered.max(facts.wall.div_euclid(SECOND));
                self.next_date_of(cron, spec, facts)
            }
            Until::Instant(due) => Until::Instant(due.max(facts.now)),
        }
    }

    /// Looks at the wall clock, and runs if the time has come.
    pub(super) fn look(
        &mut self,
        spec: &Spec,
        facts: Facts<'_>,
        date: Date,
        tell: &mut impl FnMut(Note),
    ) -> Command {
        let Schedule::Cron(cron, _) = &spec.schedule else {
            // Only calendar time waits for dates.
            return Command::Nothing;
        };
        // As late as the run is on purpose, so late is the clock.
        let late = i64::try_from(date.late).unwrap_or(i64::MAX);
        let wall = facts.wall.saturating_sub(late);
        let now = wall.div_euclid(SECOND);
        if nanos_of(date.at) > wall {
            let until = if self.follow_back(cron, facts) {
                self.next_date_of(cron, spec, facts)
            } else {
                Until::Date(Date::new(date.at, date.late, facts))
            };
            self.phase = Phase::Waiting { until, pause: false };
            return Command::Nothing;
        }
        let oldest = (wall - GRACE + SECOND - 1).div_euclid(SECOND).max(date.at);
        let next = |after: &i64| cron.next_after(*after, facts.zone).filter(|at| *at <= now);
        let last = std::iter::successors(next(&(oldest - 1)), next).last();
        let skipped = cron.count_between(date.at, last.unwrap_or(now + 1), facts.zone);
        if skipped > 0 {
            tell(Note::Skipped(skipped));
        }
        match last {
            Some(at) => {
                let Date { due, .. } = Date::new(at, date.late, facts);
                self.run(spec, facts, due, Some(at), false)
            }
            None => {
                self.answered = self.answered.max(now);
                let until = self.next_date_of(cron, spec, facts);
                self.phase = Phase::Waiting { until, pause: false };
                Command::Nothing
            }
        }
    }

    /// A run that begins answers for the calendar time it is for, or for all that passed.
    pub(super) fn answer(&mut self, spec: &Spec, facts: Facts<'_>, date: Option<i64>) {
        match spec.schedule {
            Schedule::Cron(..) => {
                let now = facts.wall.div_euclid(SECOND);
                self.answered = self.answered.max(date.unwrap_or(now));
            }
            Schedule::Interval(_) | Schedule::Delay(_) | Schedule::Continuous => {}
        }
    }
}
