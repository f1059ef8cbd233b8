//! Sum, maximum and quantile of many durations, as one value.

use std::time::Duration;

use crate::observe::quantile::Markers;

/// How a length of time spreads over many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DurationStats {
    /// The last one.
    pub last: Duration,
    /// The mean of all.
    pub mean: Duration,
    /// 99 of 100 are not longer: exact below a hundred values, where it is the longest, and an
    /// estimate beyond; of more than a thousand it looks at one in eight.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// Sum and maximum of a stream of lengths.
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

    pub(super) fn stats(&self, count: u64, last: u64, markers: Option<&Markers>) -> DurationStats {
        // Of fewer than a hundred values the 99th percentile is the largest.
        let p99 = markers.filter(|_| count >= 100).map_or(self.max, Markers::p99);
        DurationStats {
            last: Duration::from_nanos(last),
            mean: Duration::from_nanos(self.sum.checked_div(count).unwrap_or(0)),
            p99: Duration::from_nanos(p99.min(self.max)),
            max: Duration::from_nanos(self.max),
        }
    }
}
