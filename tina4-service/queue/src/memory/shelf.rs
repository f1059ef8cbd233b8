//! [`Shelf`]: the jobs of one queue, in the orders in which they are looked for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::row::{DeadRow, Place, Row, State};
use crate::done_job::DoneJob;
use crate::job_id::JobId;
use crate::timestamp::Timestamp;

/// Ids of the jobs of one queue, by state, its dead jobs, and copies of done jobs.
#[derive(Clone, Debug, Default)]
pub(super) struct Shelf {
    pub(super) ready: BTreeSet<Place>,
    pub(super) later: BTreeSet<(Timestamp, JobId)>,
    pub(super) claimed: BTreeSet<(Timestamp, JobId)>,
    pub(super) dead: BTreeMap<JobId, DeadRow>,
    pub(super) done: BTreeMap<JobId, DoneJob>,
    /// Keys of jobs that exist.
    pub(super) live_keys: HashMap<String, JobId>,
    /// Keys that are taken for a time.
    pub(super) windows: HashMap<String, (JobId, Timestamp)>,
}

impl Shelf {
    /// Adds a job where its state belongs.
    pub(super) fn add(&mut self, id: JobId, row: &Row) {
        match row.state {
            State::Ready => self.ready.insert(row.place(id)),
            State::Later => self.later.insert((row.due, id)),
            State::Claimed { until, .. } => self.claimed.insert((until, id)),
        };
    }

    /// Removes a job, before its state changes.
    pub(super) fn remove(&mut self, id: JobId, row: &Row) {
        match row.state {
            State::Ready => self.ready.remove(&row.place(id)),
            State::Later => self.later.remove(&(row.due, id)),
            State::Claimed { until, .. } => self.claimed.remove(&(until, id)),
        };
    }

    /// The job that has this key at this instant.
    pub(super) fn known(&self, key: &str, now: Timestamp) -> Option<JobId> {
        let window = self.windows.get(key).filter(|(_, until)| *until > now);
        self.live_keys.get(key).copied().or(window.map(|(id, _)| *id))
    }
}
