//! Whether a service is overdue: two due times have passed since the start of its last successful run.

use super::machine::Lifecycle;
use super::occurrence::{NEVER, nanos_of, seconds_of};
use super::phase::{Phase, Wait};
use super::state::State;
use crate::calendar::Zone;
use crate::nanos::{Nanos, WallNanos, nanos};
use crate::schedule::{Calendar, Schedule};
use crate::spec::Spec;

/// An instant of the monotonic clock that may be before its origin.
pub type SignedNanos = i128;

/// How far the wall clock may differ from that of an occurrence that was run, for it to be recognized.
const CLOCK_STEP: i64 = 60;

/// What decides whether a service is overdue, in addition to its life cycle.
#[derive(Clone, Copy)]
pub struct OverdueFacts<'a> {
    /// The current time of the monotonic clock.
    pub now: Nanos,
    /// The current time of the wall clock; only calendar schedules need it.
    pub wall: WallNanos,
    /// The time zone of the calendar schedule.
    pub zone: &'a dyn Zone,
    /// When the last run that ended well began.
    pub last_success: Option<Nanos>,
    /// The occurrence that this run was for, as Unix time in seconds.
    pub last_occurrence: Option<i64>,
    /// Whether the last run that ended is that one.
    pub last_is_success: bool,
    /// Due times before this instant do not count.
    pub counted_from: Option<SignedNanos>,
    /// The duration of the longest run.
    pub longest_run: Nanos,
}

impl Lifecycle {
    /// How long the service has been overdue; `None` if it is not.
    ///
    /// It is overdue from the second due time after the start of the last run that ended well. If none has, its
    /// first two due times count. A service that nobody expects to run, because it is not active or is paused,
    /// is not overdue, nor is one without due times.
    #[must_use]
    pub fn overdue_for(&self, spec: &Spec, facts: &OverdueFacts<'_>) -> Option<Nanos> {
        match self.state() {
            State::Waiting
            | State::Blocked
            | State::Running
            | State::BackingOff
            | State::Failed => {}
            State::Registered
            | State::Disabled
            | State::Paused
            | State::Stopping
            | State::Stopped
            | State::Cancelled
            | State::Finished
            | State::Abandoned => return None,
        }
        if facts.last_is_success && self.waits_as_planned(facts.now) {
            return None;
        }
        let now = SignedNanos::from(facts.now);
        let since = match &spec.schedule {
            Schedule::Interval(period) => {
                let period = SignedNanos::from(nanos(*period));
                let (from, anchor) =
                    (self.overdue_base(spec, facts), SignedNanos::from(self.anchor));
                if from < anchor {
                    // The due times of an earlier activation were on another grid.
                    from + 2 * period
                } else {
                    anchor + ((from - anchor) / period.max(1) + 2) * period
                }
            }
            Schedule::Delay(delay) => {
                let period =
                    SignedNanos::from(nanos(*delay)) + SignedNanos::from(facts.longest_run);
                self.overdue_base(spec, facts) + 2 * period
            }
            Schedule::Calendar(calendar, _) => return self.overdue_on(calendar, spec, facts),
            Schedule::Continuous | Schedule::Queue(_) => return None,
        };
        Nanos::try_from(now - since).ok().filter(|overdue| *overdue > 0)
    }

    /// From when on due times count if no run has ended well. `None`: the service has no due times.
    #[must_use]
    pub fn first_counted(&self, spec: &Spec) -> Option<SignedNanos> {
        match &spec.schedule {
            // As if there had been a run one period earlier: the first due time counts.
            Schedule::Interval(period) | Schedule::Delay(period) => {
                Some(SignedNanos::from(self.anchor) - SignedNanos::from(nanos(*period)))
            }
            Schedule::Calendar(..) => Some(self.anchor.into()),
            Schedule::Continuous | Schedule::Queue(_) => None,
        }
    }

    /// The instant after which due times count.
    fn overdue_base(&self, spec: &Spec, facts: &OverdueFacts<'_>) -> SignedNanos {
        let success = facts.last_success.map(SignedNanos::from);
        let base = success.max(facts.counted_from).or_else(|| self.first_counted(spec));
        base.unwrap_or_else(|| facts.now.into())
    }

    /// Whether it waits for a run that is not due yet and is not one of a calendar, for which a machine may
    /// sleep through occurrences.
    fn waits_as_planned(&self, now: Nanos) -> bool {
        match self.phase {
            Phase::Pending { wait, .. } => match wait {
                Wait::Due(due) | Wait::DueWithTolerance(due) => due > now,
                Wait::Occurrence { .. } | Wait::ExactOccurrence { .. } | Wait::Backoff(_) => false,
            },
            Phase::Idle(_)
            | Phase::WaitingForDependencies
            | Phase::Blocked
            | Phase::Running { .. }
            | Phase::StopRequested { .. }
            | Phase::Ending { .. }
            | Phase::Abandoned(_) => false,
        }
    }

    fn overdue_on(
        &self,
        calendar: &Calendar,
        spec: &Spec,
        facts: &OverdueFacts<'_>,
    ) -> Option<Nanos> {
        let base = self.overdue_base(spec, facts);
        let from = seconds_of(facts.wall - (SignedNanos::from(facts.now) - base));
        let is_success = facts.last_success.map(SignedNanos::from) == Some(base);
        let from = match facts.last_occurrence.filter(|_| is_success) {
            // The wall clock was set back since then, or by a moment during the run.
            Some(occurrence) if occurrence > from.saturating_add(CLOCK_STEP) => from,
            // The machine was suspended, or its clock was set forward: occurrences have passed.
            Some(occurrence) if occurrence < from.saturating_sub(CLOCK_STEP) => occurrence,
            Some(occurrence) => from.max(occurrence),
            None => from,
        };
        let first = calendar.next_after(from, facts.zone)?;
        let second = calendar.next_after(first, facts.zone).filter(|at| *at < NEVER)?;
        let overdue = facts.wall - nanos_of(second);
        Nanos::try_from(overdue).ok().filter(|overdue| *overdue > 0)
    }
}
