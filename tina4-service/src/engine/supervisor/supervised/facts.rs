//! What is known about the runs of a supervised service: outcomes, triggers, the last success and failure.

use super::Supervised;
use crate::observe::outcome_counts::OutcomeCounts;
use crate::observe::requester::Requester;
use crate::observe::run_facts::{RunFacts, Runs, Success};
use crate::observe::run_trigger::RunTrigger;
use crate::observe::stats::Stats;
use crate::time::wall::WallReading;
use tina4_service_core::lifecycle::{OverdueFacts, RunOutcome, SignedNanos};
use tina4_service_core::{Nanos, Schedule};

impl Supervised {
    /// What is unusual about its runs; `None`: nothing.
    pub(in super::super) fn facts(&self) -> Option<&RunFacts> {
        self.cold.as_deref()?.facts.as_deref()
    }

    fn facts_mut(&mut self) -> (&mut RunFacts, &Stats) {
        let Self { cold, stats, .. } = self;
        // The next run may have another trigger or outcome than those before.
        stats.look_at_next();
        (cold.get_or_insert_default().facts.get_or_insert_default(), stats)
    }

    fn facts_and_runs(&mut self) -> (&mut RunFacts, Runs<'_>) {
        let last_occurrence = self.last_occurrence();
        let (facts, stats) = self.facts_mut();
        (facts, Runs { stats, last_occurrence })
    }

    /// The occurrence that the last run that has ended was for.
    fn last_occurrence(&self) -> Option<i64> {
        let is_running = self.life.running_since().is_some() || self.life.is_run_abandoned();
        if is_running { self.life.previous_run_occurrence() } else { self.life.run_occurrence() }
    }

    /// Records that the run whose end is counted next does not end well.
    pub(in super::super) fn record_not_ok(&mut self, outcome: RunOutcome) {
        self.keep_first_due_time();
        let (facts, runs) = self.facts_and_runs();
        facts.ends_not_ok(outcome, runs);
    }

    /// Records that the run in progress was cancelled.
    pub(in super::super) fn record_cancelling(&mut self) {
        self.keep_first_due_time();
        let (facts, runs) = self.facts_and_runs();
        facts.is_cancelling(runs);
    }

    /// Records that the run that was cancelled has ended, and its end was counted.
    pub(in super::super) fn record_cancelled(&mut self) {
        let (facts, stats) = self.facts_mut();
        facts.cancelled_run_ended(stats);
    }

    /// Records that the activation was abandoned.
    pub(in super::super) fn record_abandoned(&mut self) {
        if self.life.is_run_abandoned() {
            self.keep_first_due_time();
            let (facts, runs) = self.facts_and_runs();
            facts.abandoned(runs);
        }
    }

    /// Records that the service has failed: a run has crashed, or it returned too often.
    pub(in super::super) fn record_failure(&mut self, now: Nanos) {
        self.facts_mut().0.last_failure = Some(now);
    }

    /// Forgets the failures. How the last run ended remains known.
    pub(in super::super) fn forget_failure(&mut self) {
        if let Some(cold) = self.cold.as_deref_mut() {
            cold.failures.last_error = None;
            if let Some(facts) = cold.facts.as_deref_mut() {
                facts.last_failure = None;
            }
        }
        if let Some(end) = self.end.as_deref_mut() {
            end.has_failed = false;
        }
    }

    /// Records that an activation begins, and forgets the end of the last one.
    ///
    /// `by`: who asked for it, if that is known.
    pub(in super::super) fn record_start(&mut self, by: Option<Requester>, now: Nanos) {
        let end = self.end.take();
        // Nothing has to be stored for the first run of all: see `trigger`.
        if self.stats.runs > 0 || self.facts().is_some() || by.is_some() {
            let trigger = (!self.is_on_calendar()).then_some(RunTrigger::Start);
            let (facts, stats) = self.facts_mut();
            facts.set_next_requested_trigger(trigger, by, stats);
            let paused_since = facts.paused_since.take();
            let ended_at = end.filter(|end| !end.has_failed).and_then(|end| end.ended_at);
            self.exclude_idle_time(paused_since.or(ended_at), now);
        }
    }

    /// Records that the service was paused.
    pub(in super::super) fn record_pause(&mut self, now: Nanos) {
        self.keep_first_due_time();
        self.facts_mut().0.paused_since.get_or_insert(now);
    }

    /// Records that the pause has ended.
    pub(in super::super) fn record_resume(&mut self, now: Nanos) {
        let paused_since = self.facts_mut().0.paused_since.take();
        self.exclude_idle_time(paused_since, now);
    }

    /// Records that the schedule has changed. Due times of the new one count from now on.
    pub(in super::super) fn record_reschedule(&mut self, now: Nanos) {
        self.facts_mut().0.counted_from = Some(now.into());
    }

    /// The time since `idle_since`, in which nobody expected the service to run, does not make it overdue.
    fn exclude_idle_time(&mut self, idle_since: Option<Nanos>, now: Nanos) {
        let success = self.last_success().map(|success| SignedNanos::from(success.began));
        let counted_from = self.facts().and_then(|facts| facts.counted_from);
        let Some((base, idle_since)) = success.max(counted_from).zip(idle_since) else {
            return;
        };
        let idle_for = SignedNanos::from(now) - base.max(idle_since.into());
        if idle_for > 0 {
            self.facts_mut().0.counted_from = Some(base + idle_for);
        }
    }

    /// While no run has ended well, due times count from the start of the activation. To be called before the
    /// life cycle forgets it.
    fn keep_first_due_time(&mut self) {
        if self.last_success().is_none() && self.facts().is_none_or(|f| f.counted_from.is_none()) {
            let first = self.life.first_counted(self.spec());
            self.facts_mut().0.counted_from = first;
        }
    }

    pub(super) fn overdue_facts(&self, now: Nanos, reading: WallReading) -> OverdueFacts<'_> {
        let last_success = self.last_success();
        OverdueFacts {
            now,
            wall: reading.wall_nanos(now),
            zone: self.zone(),
            last_success: last_success.map(|success| success.began),
            last_occurrence: last_success.and_then(|success| success.occurrence),
            last_is_success: self.last_outcome().is_some_and(RunOutcome::is_ok),
            counted_from: self.facts().and_then(|facts| facts.counted_from),
            longest_run: self.stats.longest(),
        }
    }

    /// How long the service has been overdue, by this reading of the wall clock.
    pub(in super::super) fn overdue_for(&self, now: Nanos, reading: WallReading) -> Option<Nanos> {
        if self.facts().is_some_and(|facts| facts.paused_since.is_some()) {
            return None;
        }
        self.life.overdue_for(self.spec(), &self.overdue_facts(now, reading))
    }

    /// Records that the next run is a restart, unless somebody has requested it.
    pub(in super::super) fn record_restart(&mut self) {
        if self.trigger(self.stats.runs.saturating_add(1)) != RunTrigger::Manual {
            let (facts, stats) = self.facts_mut();
            facts.set_next_trigger(Some(RunTrigger::Restart), stats);
        }
    }

    /// Records that the next run was requested. The first one who is known counts.
    pub(in super::super) fn record_run_request(&mut self, by: Option<Requester>) {
        let next = self.stats.runs.saturating_add(1);
        if self.trigger(next) != RunTrigger::Manual || self.requester(next).is_none() {
            let (facts, stats) = self.facts_mut();
            facts.set_next_requested_trigger(Some(RunTrigger::Manual), by, stats);
        }
    }

    /// Who asked for this run, which is the last one or the next.
    pub(in super::super) fn requester(&self, run: u64) -> Option<Requester> {
        #[cfg(feature = "queue")]
        if self.jobs().is_some() {
            return None;
        }
        self.facts()?.requester(run).cloned()
    }

    /// What made this run begin, which is the last one or the next.
    pub(in super::super) fn trigger(&self, run: u64) -> RunTrigger {
        #[cfg(feature = "queue")]
        if self.jobs().is_some() {
            return RunTrigger::Job;
        }
        let unusual = self.facts().and_then(|facts| facts.unusual_trigger(run));
        let is_first = run == 1 && !self.is_on_calendar();
        unusual.unwrap_or(if is_first { RunTrigger::Start } else { RunTrigger::Schedule })
    }

    pub(in super::super) fn is_on_calendar(&self) -> bool {
        matches!(self.spec().schedule, Schedule::Calendar(..))
    }

    /// How the last run ended; `None`: none has.
    pub(in super::super) fn last_outcome(&self) -> Option<RunOutcome> {
        self.facts().unwrap_or(&RunFacts::NONE).last_outcome(&self.stats)
    }

    /// The last run that ended well.
    pub(in super::super) fn last_success(&self) -> Option<Success> {
        let runs = Runs { stats: &self.stats, last_occurrence: self.last_occurrence() };
        self.facts().unwrap_or(&RunFacts::NONE).last_success(runs)
    }

    /// The number of runs that ended well.
    pub(in super::super) fn succeeded(&self) -> u64 {
        self.facts().unwrap_or(&RunFacts::NONE).succeeded(&self.stats)
    }

    /// The runs that did not end well.
    pub(in super::super) fn not_ok(&self) -> OutcomeCounts {
        self.facts().map(|facts| facts.not_ok).unwrap_or_default()
    }

    /// When the service last failed.
    pub(in super::super) fn last_failure(&self) -> Option<Nanos> {
        self.facts()?.last_failure
    }
}
