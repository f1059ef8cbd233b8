//! What is remembered of a run that has ended.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::observe::requester::Requester;
use crate::observe::run_trigger::RunTrigger;
use tina4_service_core::lifecycle::RunOutcome;
#[cfg(feature = "queue")]
use tina4_service_queue::JobId;

/// A run that has ended, or several in quick succession that ended well.
///
/// A success that ends less than a second after the one before it shares its record, up to a minute after the
/// first of them ended, so that the history of a service with a thousand runs a second goes back for minutes, too. Only
/// runs of the schedule and of jobs share a record; any other run, and any that did not end well, has its own.
///
/// `T` is the type of its instants: [`SystemTime`], or `TestTime` in the test kit.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunRecord<T = SystemTime> {
    /// The number of the run, counted from 1 since the service was added to its runner. If there are several, that
    /// of the first.
    pub run: u64,
    /// How many runs there are; if there is more than one, all of them ended well.
    pub count: u64,
    /// What made it begin.
    pub trigger: RunTrigger,
    /// Who asked for it, and why; `None`: nobody did, or the program itself. Name and reason have at most 100 bytes
    /// each: longer ones are cut.
    pub by: Option<Requester>,
    /// 1, plus one for each crash in a row before it; with a queue, which attempt at the job it was.
    pub attempt: u32,
    /// When it was due. If there are several, when the first of them was.
    pub due: T,
    /// When it began. If there are several, when the first of them did.
    pub start: T,
    /// When it ended. If there are several, when the last of them did.
    pub end: T,
    /// How late it began, not counting its jitter and its tolerance. If there are several, the first of them.
    pub lateness: Duration,
    /// How long it took. If there are several, the longest of them.
    pub took: Duration,
    /// How long it took. If there are several, the shortest of them.
    pub shortest: Duration,
    /// How it ended.
    pub outcome: RunOutcome,
    /// The text of its error or panic, up to 1 KiB of it.
    ///
    /// `None`: it did not fail, or is none of the last failures of its service, whose texts are kept. That of a
    /// job is known once the engine has settled the job.
    pub error: Option<Arc<str>>,
    /// The job that it was an attempt at; `None`: there are several, or the service has no queue.
    #[cfg(feature = "queue")]
    pub job: Option<JobId>,
}

#[cfg(feature = "testing")]
impl RunRecord {
    /// Converts the instants.
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> RunRecord<T> {
        RunRecord {
            run: self.run,
            count: self.count,
            trigger: self.trigger,
            by: self.by,
            attempt: self.attempt,
            due: map(self.due),
            start: map(self.start),
            end: map(self.end),
            lateness: self.lateness,
            took: self.took,
            shortest: self.shortest,
            outcome: self.outcome,
            error: self.error,
            #[cfg(feature = "queue")]
            job: self.job,
        }
    }
}
