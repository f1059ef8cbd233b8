//! The past runs of a supervised service.

use super::Supervised;
use crate::observe::ledger::Chain;
use crate::observe::recent_runs::RecentRuns;
use crate::observe::run_entry::RunEntry;
use crate::observe::run_trigger::RunTrigger;
use tina4_service_core::lifecycle::RunOutcome;
use tina4_service_core::{Nanos, nanos};

impl Supervised {
    /// Its failures in the history.
    pub(in super::super) fn failure_chain(&self) -> Chain {
        self.cold.as_ref().map(|cold| cold.past_failures).unwrap_or_default()
    }

    pub(in super::super) fn failure_chain_mut(&mut self) -> &mut Chain {
        &mut self.cold.get_or_insert_default().past_failures
    }

    /// Its runs in the history.
    pub(in super::super) fn run_chain(&self) -> Chain {
        self.stats.recent().map(|recent| recent.entries).unwrap_or_default()
    }

    /// The run that ends now with this outcome, and is not counted yet.
    pub(in super::super) fn ending_run(
        &self,
        (ended, took): (Nanos, Nanos),
        outcome: RunOutcome,
    ) -> RunEntry {
        RunEntry {
            run: self.stats.runs,
            count: 1,
            ends_before: self.stats.ends(),
            due: self.life.run_due(),
            began: self.life.run_started(),
            first_ended: ended,
            ended,
            lateness: self.lateness(),
            shortest: took,
            longest: took,
            occurrence: self.life.run_occurrence(),
            attempt: self.stats.attempt,
            trigger: self.trigger(self.stats.runs),
            by: self.requester(self.stats.runs),
            outcome,
            #[cfg(feature = "queue")]
            job: None,
        }
    }

    /// Whether the run that has just returned without an error need not be stored, because
    /// [`Supervised::first_run`] will still know it: it is the first one, and nothing unusual has happened, such as a
    /// request for it or a cancellation.
    pub(in super::super) fn is_usual_first_run(&self) -> bool {
        self.stats.runs == 1 && self.facts().is_none() && self.stats.recent().is_none()
    }

    /// The first run, if it was not stored when it ended, and is still the only one that has ended.
    ///
    /// perf: so a service that runs once has no history in memory, which matters if there are many.
    pub(in super::super) fn first_run(&self) -> Option<RunEntry> {
        if self.stats.ends() != 1 || self.stats.recent().is_some_and(|recent| recent.has_first) {
            return None;
        }
        let success = self.last_success()?;
        let (_, took) = self.stats.last_end()?;
        let lateness = self.stats.first_lateness(self.lateness());
        Some(RunEntry {
            run: 1,
            count: 1,
            ends_before: 0,
            due: success.began.saturating_sub(lateness),
            began: success.began,
            first_ended: success.ended,
            ended: success.ended,
            lateness,
            shortest: nanos(took),
            longest: nanos(took),
            occurrence: success.occurrence,
            attempt: 1,
            // Whatever its schedule is now.
            trigger: match success.occurrence {
                Some(_) => RunTrigger::Schedule,
                None => RunTrigger::Start,
            },
            by: None,
            outcome: RunOutcome::Ok,
            #[cfg(feature = "queue")]
            job: None,
        })
    }

    /// Writes to the newest entry what the runs have added that share it.
    pub(in super::super) fn complete(&self, newest: &mut RunEntry) {
        let last_end = self.stats.last_end().map_or(0, |(at, _)| at);
        if let Some(recent) = self.stats.recent() {
            recent.complete(newest, self.stats.ends(), last_end);
        }
    }

    /// Whether this run shares the newest entry.
    pub(in super::super) fn joins(&mut self, newest: Option<&RunEntry>, run: &RunEntry) -> bool {
        let last_end = self.stats.last_end().map_or(0, |(at, _)| at);
        self.recent_mut().joins(newest, last_end, run)
    }

    pub(in super::super) fn recent_mut(&mut self) -> &mut RecentRuns {
        self.stats.recent_mut()
    }
}
