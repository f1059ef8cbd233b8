//! Where the past runs of one service are, and which of them share an entry.
//!
//! perf: a run that shares the entry of the run before costs two comparisons. Their number, and when the last one
//! ended, is what the statistics have counted since the entry was made; it is written to the entry once a
//! run comes that does not share it. So a service with a million runs a second looks at its entry once a second.

use crate::observe::ledger::Chain;
use crate::observe::run_entry::RunEntry;
use tina4_service_core::Nanos;

/// How soon after the end of a run the next one must end to share its entry.
const MAX_GAP: Nanos = 1_000_000_000;

/// How long after the end of the first run others may share its entry.
const MAX_SPAN: Nanos = 60 * MAX_GAP;

/// The entries of one service, and the state of the newest one.
#[derive(Debug, Default)]
pub(crate) struct RecentRuns {
    /// A run that ended well before this instant, and nothing unusual has happened, shares the newest entry. Any
    /// other end is to be looked at.
    until: Nanos,
    /// The durations of the runs that share the newest entry.
    shortest: Nanos,
    longest: Nanos,
    pub(crate) entries: Chain,
    /// Whether further runs may share the newest entry.
    is_open: bool,
    /// Whether the first run, which is not stored if it ended well, was looked at.
    pub(crate) has_first: bool,
}

impl RecentRuns {
    /// Whether a run that ended well then has to be looked at.
    #[inline(always)]
    pub(crate) fn must_look(&self, ended: Nanos) -> bool {
        ended >= self.until
    }

    /// Has the next end looked at.
    pub(crate) fn look_at_next(&mut self) {
        self.until = 0;
    }

    /// No end has to be looked at any more.
    pub(crate) fn look_never(&mut self) {
        self.until = Nanos::MAX;
    }

    /// Adds the duration of a run that ended well.
    #[inline(always)]
    pub(crate) fn add_duration(&mut self, took: Nanos) {
        self.shortest = self.shortest.min(took);
        self.longest = self.longest.max(took);
    }

    /// Whether this run shares the newest entry. If so, further ones may.
    pub(crate) fn joins(
        &mut self,
        newest: Option<&RunEntry>,
        last_end: Nanos,
        run: &RunEntry,
    ) -> bool {
        let Some(newest) = newest.filter(|_| self.is_open) else { return false };
        let ends_by = newest.first_ended.saturating_add(MAX_SPAN);
        let joins = run.may_be_shared()
            && run.ended.saturating_sub(last_end) < MAX_GAP
            && run.ended < ends_by;
        if joins {
            self.until = run.ended.saturating_add(MAX_GAP).min(ends_by);
        }
        joins
    }

    /// Completes the newest entry, if further runs might have shared it. `ends`: how many runs have ended, the
    /// last one at `last_end`.
    pub(crate) fn complete(&self, newest: &mut RunEntry, ends: u64, last_end: Nanos) {
        if self.is_open {
            newest.count = ends.saturating_sub(newest.ends_before).max(1);
            newest.ended = last_end;
            (newest.shortest, newest.longest) = (self.shortest, self.longest);
        }
    }

    /// Records that this run has a new entry, the newest one.
    pub(crate) fn begin(&mut self, run: &RunEntry) {
        self.is_open = run.may_be_shared();
        self.until = if self.is_open { run.ended.saturating_add(MAX_GAP) } else { 0 };
        (self.shortest, self.longest) = (run.longest, run.longest);
    }
}
