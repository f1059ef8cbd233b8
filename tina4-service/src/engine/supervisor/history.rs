//! The past runs of all services: what is remembered of a run that ends, and for how long.
//!
//! Runs and failures are in two ledgers, so that successes never displace a failure. Each service has a limit, and
//! so has the runner: beyond that, the oldest entry of all goes, whichever service it belongs to. A busy service
//! cannot displace those of the others by itself, because it reaches its own limit first.

use std::sync::Arc;

use super::Supervisor;
use super::past_runs::PastRuns;
use crate::engine::control_error::ControlError;
use crate::observe::history::History;
use crate::observe::requester::Requester;
use crate::observe::run_entry::{FailureEntry, RunEntry};
use crate::observe::run_record::RunRecord;
use crate::observe::stats::Stats;
use crate::service::error_text::without_backtrace;
use crate::text::bounded_text::bounded;
use crate::time::wall::{WallReading, wall_time};
use tina4_service_core::lifecycle::{Crash, RunOutcome};
use tina4_service_core::{Exit, Nanos};
#[cfg(feature = "queue")]
use tina4_service_queue::JobId;

/// The longest error text that is kept; a longer one is cut.
const MAX_ERROR_BYTES: usize = 1024;

impl Supervisor {
    /// Records a run that has ended without an error, unless it shares the entry of the run before, and counts
    /// it: see [`Stats::must_look`].
    // perf: cold, because it is called once a second for a fast service, and otherwise for slow ones.
    #[cold]
    #[inline(never)]
    pub(super) fn remember_return(
        &mut self,
        index: u32,
        (ended, took): (Nanos, Nanos),
        count: fn(&mut Stats, Nanos, Nanos),
    ) {
        let service = self.registry.get(index);
        if !service.is_usual_first_run() {
            // If it was cancelled, it has not ended well.
            let outcome = service.life.run_outcome(Exit::Wait);
            let run = service.ending_run((ended, took), outcome);
            self.remember(index, run, None);
        }
        let service = self.registry.get_mut(index);
        count(&mut service.stats, ended, took);
        service.count_duration(took);
    }

    /// Records a run that is about to be counted as ended in any way.
    pub(super) fn remember_end(&mut self, index: u32, times: (Nanos, Nanos), exit: Exit<&Crash>) {
        let service = self.registry.get(index);
        let run = service.ending_run(times, service.life.run_outcome(exit));
        let error = match (exit, run.outcome) {
            // Its text is made later: see `remember_error`.
            (_, RunOutcome::Cancelled) => None,
            (Exit::Crashed(crash), _) => Some(&crash.message),
            (Exit::Wait | Exit::Again | Exit::After(_) | Exit::Done, _) => None,
        };
        self.remember(index, run, error);
    }

    /// Records a run that was abandoned. Its end will not count.
    pub(super) fn remember_abandoned(&mut self, index: u32, now: Nanos) {
        let service = self.registry.get(index);
        // The run of a queue service is no run to users; its jobs are recorded when they end.
        #[cfg(feature = "queue")]
        if service.jobs().is_some() {
            return;
        }
        if service.life.is_run_abandoned() {
            let took = now.saturating_sub(service.life.run_started());
            let run = service.ending_run((now, took), RunOutcome::Abandoned);
            self.remember(index, run, None);
        }
    }

    /// Records an attempt at a job that has ended.
    #[cfg(feature = "queue")]
    pub(super) fn remember_job(
        &mut self,
        index: u32,
        (run, attempt, job): (u64, u32, JobId),
        (ended, took): (Nanos, Nanos),
        outcome: RunOutcome,
    ) {
        let service = self.registry.get(index);
        if outcome.is_ok() && !service.stats.must_look(ended) {
            return;
        }
        let began = ended.saturating_sub(took);
        let run = RunEntry {
            run,
            attempt,
            due: began,
            began,
            lateness: 0,
            occurrence: None,
            job: Some(job),
            ..service.ending_run((ended, took), outcome)
        };
        self.remember(index, run, None);
    }

    fn remember(&mut self, index: u32, run: RunEntry, error: Option<&Arc<str>>) {
        let run = RunEntry { by: run.by.map(Requester::shortened), ..run };
        let limits = self.env.history;
        if limits.runs == 0 && limits.failures == 0 {
            return self.registry.get_mut(index).recent_mut().look_never();
        }
        let first = self.registry.get(index).first_run();
        self.registry.get_mut(index).recent_mut().has_first = true;
        if let Some(first) = first {
            self.add_run(index, first);
        }
        let Self { registry, past, .. } = self;
        let service = registry.get_mut(index);
        let newest = past.runs.newest_mut(service.run_chain());
        if service.joins(newest.as_deref(), &run) {
            return;
        }
        if let Some(newest) = newest {
            service.complete(newest);
        }
        self.add_run(index, run.clone());
        self.registry.get_mut(index).recent_mut().begin(&run);
        if run.outcome.is_failure() {
            self.add_failure(index, FailureEntry { run, error: error.map(excerpt) });
        }
    }

    fn add_run(&mut self, index: u32, run: RunEntry) {
        let limits = self.env.history;
        let Self { registry, past: PastRuns { runs, .. }, .. } = self;
        if limits.runs == 0 || limits.total == 0 {
            return;
        }
        let chain = &mut registry.get_mut(index).recent_mut().entries;
        if chain.len() >= limits.runs {
            runs.remove_oldest(chain);
        } else if runs.len() >= limits.total
            && let Some(owner) = runs.oldest_owner()
        {
            runs.remove_oldest(&mut registry.get_mut(owner).recent_mut().entries);
        }
        let chain = &mut registry.get_mut(index).recent_mut().entries;
        runs.push(chain, index, run, limits.total);
    }

    fn add_failure(&mut self, index: u32, failure: FailureEntry) {
        let limits = self.env.history;
        let Self { registry, past: PastRuns { failures, .. }, .. } = self;
        if limits.failures == 0 || limits.total == 0 {
            return;
        }
        let chain = registry.get_mut(index).failure_chain_mut();
        if chain.len() >= limits.failures {
            failures.remove_oldest(chain);
        } else if failures.len() >= limits.total_failures()
            && let Some(owner) = failures.oldest_owner()
        {
            failures.remove_oldest(registry.get_mut(owner).failure_chain_mut());
        }
        let chain = registry.get_mut(index).failure_chain_mut();
        failures.push(chain, index, failure, limits.total_failures());
    }

    /// Adds the text of the crash to the last failure, if it has none: it was cancelled.
    pub(super) fn remember_error(&mut self, index: u32, error: &Arc<str>) {
        let service = self.registry.get(index);
        // A queue service crashes if its engine fails, which is no failure of a job.
        #[cfg(feature = "queue")]
        if service.jobs().is_some() {
            return;
        }
        let last = self.past.failures.newest_mut(service.failure_chain());
        if let Some(last) = last.filter(|last| last.run.outcome == RunOutcome::Cancelled) {
            last.error.get_or_insert_with(|| excerpt(error));
        }
    }

    /// Adds the text of its error to the failed attempt at a job, which the engine has settled.
    #[cfg(feature = "queue")]
    pub(super) fn remember_job_error(&mut self, index: u32, job: JobId, error: &Arc<str>) {
        let chain = self.registry.get(index).failure_chain();
        let is_it = |failure: &FailureEntry| failure.run.job == Some(job);
        if let Some(failure) = self.past.failures.find_mut(chain, is_it) {
            failure.error.get_or_insert_with(|| excerpt(error));
        }
    }

    /// Forgets the past runs of a service that is about to be removed.
    pub(super) fn forget_runs(&mut self, index: u32) {
        let Self { registry, past, .. } = self;
        let service = registry.get_mut(index);
        if service.stats.recent().is_some() {
            past.runs.clear(&mut service.recent_mut().entries);
        }
        if service.failure_chain().len() > 0 {
            past.failures.clear(service.failure_chain_mut());
        }
    }

    /// The past runs of the service with this name.
    pub(crate) fn history(&self, name: &str) -> Result<History, ControlError> {
        let service = self.registry.get(self.find(name)?);
        let PastRuns { runs, failures } = &self.past;
        let reading = self.env.clock.wall_reading();
        let limits = self.env.history;
        let first = service.first_run().filter(|_| limits.runs > 0 && limits.total > 0);
        let mut entries: Vec<RunEntry> =
            first.into_iter().chain(runs.iter(service.run_chain()).cloned()).collect();
        if let Some(newest) = entries.last_mut() {
            service.complete(newest);
        }
        let failures: Vec<&FailureEntry> = failures.iter(service.failure_chain()).collect();
        let error_of = |run: &RunEntry| {
            let failure = failures.iter().find(|failure| failure.run.run == run.run);
            failure.filter(|_| run.outcome.is_failure())?.error.clone()
        };
        let record = |run: &RunEntry| record(run, error_of(run), reading);
        Ok(History {
            runs: entries.iter().map(record).collect(),
            failures: failures.iter().map(|failure| record(&failure.run)).collect(),
        })
    }
}

fn record(run: &RunEntry, error: Option<Arc<str>>, reading: WallReading) -> RunRecord {
    let wall = |instant| reading.wall_rounded_up(instant);
    let duration = std::time::Duration::from_nanos;
    RunRecord {
        run: run.run,
        count: run.count,
        trigger: run.trigger,
        by: run.by.clone(),
        attempt: run.attempt,
        due: run.occurrence.and_then(wall_time).unwrap_or_else(|| wall(run.due)),
        start: wall(run.began),
        end: wall(run.ended),
        lateness: duration(run.lateness),
        took: duration(run.longest),
        shortest: duration(run.shortest),
        outcome: run.outcome,
        error,
        #[cfg(feature = "queue")]
        job: run.job.filter(|_| run.count == 1),
    }
}

/// The text of an error, shared if it is short.
fn excerpt(error: &Arc<str>) -> Arc<str> {
    if error.len() <= MAX_ERROR_BYTES {
        return Arc::clone(error);
    }
    bounded(MAX_ERROR_BYTES, without_backtrace(error)).into()
}
