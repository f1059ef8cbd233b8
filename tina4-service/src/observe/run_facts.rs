//! What is known about the runs of a service beyond its statistics.
//!
//! A run that ends well stores nothing here. What is stored is the exceptions: runs that did not end well,
//! and runs that began for an unusual reason. The rest follows from the statistics: the last run that ended
//! is the last successful one, unless it is the exception that was stored last.

use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{RunOutcome, SignedNanos};

use crate::observe::outcome_counts::OutcomeCounts;
use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;
use crate::observe::stats::Stats;

/// The exceptions among the runs of one service.
#[derive(Debug, Default)]
pub(crate) struct RunFacts {
    /// The number of runs that did not end well.
    pub(crate) not_ok: OutcomeCounts,
    last_not_ok: Option<NotOk>,
    /// When the service last failed: a run crashed, or the service returned too often.
    pub(crate) last_failure: Option<Nanos>,
    /// Due times before this instant do not make the service overdue.
    pub(crate) counted_from: Option<SignedNanos>,
    /// Since when the service is paused, also while a requested run interrupts the pause.
    pub(crate) paused_since: Option<Nanos>,
    /// The last success before the run that was cancelled and has not ended yet.
    before_cancelled: Option<Success>,
    /// The last run that began for an unusual reason, or that will.
    unusual_trigger: Option<UnusualTrigger>,
    /// That of the last run, once there is one for the next run.
    last_trigger: Option<UnusualTrigger>,
}

/// Why a run began, if not as usual.
#[derive(Debug)]
struct UnusualTrigger {
    /// The number of the run.
    run: u64,
    trigger: RunTrigger,
    /// Who asked for it, if that is known.
    by: Option<Requester>,
}

/// The last run that did not end well.
#[derive(Debug)]
struct NotOk {
    outcome: RunOutcome,
    /// The number of runs that had ended then, this one included if its end counts.
    ends: u64,
    /// The last success before.
    success: Option<Success>,
}

/// A run that ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Success {
    pub(crate) began: Nanos,
    pub(crate) ended: Nanos,
    /// The occurrence that it was for, as Unix time in seconds.
    pub(crate) occurrence: Option<i64>,
}

/// The runs of a service as its statistics know them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runs<'a> {
    pub(crate) stats: &'a Stats,
    /// The occurrence that the last run that has ended was for.
    pub(crate) last_occurrence: Option<i64>,
}

impl RunFacts {
    /// Nothing unusual has happened.
    pub(crate) const NONE: Self = Self {
        not_ok: OutcomeCounts::NONE,
        last_not_ok: None,
        last_failure: None,
        counted_from: None,
        paused_since: None,
        before_cancelled: None,
        unusual_trigger: None,
        last_trigger: None,
    };

    /// Records that the run whose end is counted next does not end well.
    pub(crate) fn ends_not_ok(&mut self, outcome: RunOutcome, runs: Runs<'_>) {
        let success = self.last_success(runs);
        self.not_ok.add(outcome);
        self.last_not_ok = Some(NotOk { outcome, ends: runs.stats.ends() + 1, success });
    }

    /// Records that the run in progress was cancelled.
    pub(crate) fn is_cancelling(&mut self, runs: Runs<'_>) {
        self.before_cancelled = self.last_success(runs);
    }

    /// Records that the run that was cancelled has ended. Its end was counted, as that of a run that ends well
    /// if it has returned without an error.
    pub(crate) fn cancelled_run_ended(&mut self, stats: &Stats) {
        if self.last_if_not_ok(stats).is_none() {
            let (outcome, success) = (RunOutcome::Cancelled, self.before_cancelled);
            self.not_ok.add(outcome);
            self.last_not_ok = Some(NotOk { outcome, ends: stats.ends(), success });
        }
    }

    /// Records that a run was abandoned. Its end does not count, whenever it comes.
    pub(crate) fn abandoned(&mut self, runs: Runs<'_>) {
        let success = self.last_success(runs);
        let outcome = RunOutcome::Abandoned;
        self.not_ok.add(outcome);
        self.last_not_ok = Some(NotOk { outcome, ends: runs.stats.ends(), success });
    }

    /// The last run that ended, if it did not end well.
    fn last_if_not_ok(&self, stats: &Stats) -> Option<&NotOk> {
        self.last_not_ok.as_ref().filter(|last| last.ends == stats.ends())
    }

    /// How the last run ended; `None`: none has.
    pub(crate) fn last_outcome(&self, stats: &Stats) -> Option<RunOutcome> {
        let not_ok = self.last_if_not_ok(stats).map(|last| last.outcome);
        not_ok.or((stats.ends() > 0).then_some(RunOutcome::Ok))
    }

    /// The last run that ended well.
    pub(crate) fn last_success(&self, runs: Runs<'_>) -> Option<Success> {
        match self.last_if_not_ok(runs.stats) {
            Some(last) => last.success,
            None => runs.stats.last_end().map(|(ended, took)| Success {
                began: ended.saturating_sub(tina4_service_core::nanos(took)),
                ended,
                occurrence: runs.last_occurrence,
            }),
        }
    }

    /// The number of runs that ended well.
    pub(crate) fn succeeded(&self, stats: &Stats) -> u64 {
        stats.ends().saturating_sub(self.not_ok.ended())
    }

    /// Records what makes the next run begin. `None`: nothing unusual.
    pub(crate) fn set_next_trigger(&mut self, trigger: Option<RunTrigger>, stats: &Stats) {
        self.set_next_requested_trigger(trigger, None, stats);
    }

    /// [`RunFacts::set_next_trigger`], and who asked for the run.
    pub(crate) fn set_next_requested_trigger(
        &mut self,
        trigger: Option<RunTrigger>,
        by: Option<Requester>,
        stats: &Stats,
    ) {
        let run = stats.runs.saturating_add(1);
        match trigger {
            Some(trigger) => {
                let known = self.unusual_trigger.replace(UnusualTrigger { run, trigger, by });
                if let Some(last) = known.filter(|known| known.run == stats.runs) {
                    self.last_trigger = Some(last);
                }
            }
            None => _ = self.unusual_trigger.take_if(|unusual| unusual.run == run),
        }
    }

    /// The unusual reason for which this run began.
    pub(crate) fn unusual_trigger(&self, run: u64) -> Option<RunTrigger> {
        self.unusual_trigger_of(run).map(|unusual| unusual.trigger)
    }

    /// Who asked for this run, if that is known.
    pub(crate) fn requester(&self, run: u64) -> Option<&Requester> {
        self.unusual_trigger_of(run)?.by.as_ref()
    }

    fn unusual_trigger_of(&self, run: u64) -> Option<&UnusualTrigger> {
        let mut known = self.unusual_trigger.iter().chain(&self.last_trigger);
        known.find(|unusual| unusual.run == run)
    }
}
