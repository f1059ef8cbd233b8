//! What the metrics of one service are made of.

use std::time::Duration;

use crate::observe::info::ServiceInfo;
use crate::observe::outcome_counts::OutcomeCounts;
use crate::observe::run_durations::RunDurations;

/// What the metrics of one service are made of: its snapshot, and what only metrics need.
#[derive(Debug)]
pub(crate) struct ServiceSample {
    pub(crate) info: ServiceInfo,
    /// Whether its schedule has due times, so that it can be overdue.
    pub(crate) has_due_times: bool,
    /// For how long the run in progress has been executing.
    pub(crate) running_for: Option<Duration>,
    /// The runs that did not end well.
    pub(crate) not_ok: OutcomeCounts,
    /// How long all runs together began after their due times.
    pub(crate) late_for: Duration,
    /// The durations of its runs.
    pub(crate) durations: RunDurations,
}
