//! Last, mean, maximum and 99th percentile of many durations.

use std::time::Duration;

use crate::observe::quantile::Markers;

/// Statistics of a duration over many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurationStats {
    /// The last value.
    pub last: Duration,
    /// The mean.
    pub mean: Duration,
    /// The 99th percentile.
    ///
    /// With fewer than 100 values it is the maximum. From then on it is an estimate, based on the first
    /// 1,000 values and one in eight of those after them.
    pub p99: Duration,
    /// The maximum.
    pub max: Duration,
}

/// Sum and maximum of a stream of durations, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Totals {
    sum: u64,
    pub(super) max: u64,
}

impl Totals {
    pub(super) fn add(&mut self, value: u64) {
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);
    }

    pub(super) fn sum(&self) -> u64 {
        self.sum
    }

    pub(super) fn stats(&self, count: u64, last: u64, markers: Option<&Markers>) -> DurationStats {
        let p99 = markers.filter(|_| count >= 100).map_or(self.max, Markers::p99);
        DurationStats {
            last: Duration::from_nanos(last),
            mean: Duration::from_nanos(self.sum.checked_div(count).unwrap_or(0)),
            p99: Duration::from_nanos(p99.min(self.max)),
            max: Duration::from_nanos(self.max),
        }
    }
}
