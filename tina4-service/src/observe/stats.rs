//! Run statistics and failure counts of one service.

use std::sync::Arc;
use std::time::Duration;

use tina4_service_core::{Nanos, NonMaxNanos};

use crate::observe::duration_stats::{DurationStats, Totals};
use crate::observe::quantile::Markers;
use crate::observe::recent_runs::RecentRuns;

/// Run statistics of one service.
///
/// perf: a program may have thousands of services that rarely run, so the fields that only a second run
/// needs are boxed.
#[derive(Debug)]
pub(crate) struct Stats {
    /// The number of runs begun.
    pub(crate) runs: u64,
    /// The attempt number of the run in progress, or of the last one.
    pub(crate) attempt: u32,
    /// A moving average of how long runs keep a worker busy, in nanoseconds; it saturates at four seconds.
    average: u32,
    /// The number of ended runs.
    ends: u64,
    /// When the last run ended.
    last_end: Option<NonMaxNanos>,
    /// How long the last ended run took, in nanoseconds.
    took: Nanos,
    lateness: Totals,
    duration: Totals,
    /// From the second run on, or once a run has not ended well.
    repeated: Option<Box<Repeated>>,
}

/// The crashes, restarts and skipped due times of one service, and its last error.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCounts {
    pub(crate) crashes: u64,
    pub(crate) restarts: u64,
    pub(crate) skipped: u64,
    pub(crate) last_error: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Repeated {
    lateness: Markers,
    duration: Markers,
    recent: RecentRuns,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            runs: 0,
            attempt: 1,
            average: 0,
            ends: 0,
            last_end: None,
            took: 0,
            lateness: Totals::default(),
            duration: Totals::default(),
            repeated: None,
        }
    }

    /// Counts a run that begins `lateness` nanoseconds after its due time.
    pub(crate) fn began(&mut self, lateness: Nanos, attempt: u32) {
        self.attempt = attempt;
        if self.runs > 0 {
            let repeated = self.repeated.get_or_insert_default();
            repeated.lateness.add(self.runs, self.lateness.max, lateness);
        }
        self.runs += 1;
        self.lateness.add(lateness);
    }

    /// Counts the end of the last run, which a worker executed.
    pub(crate) fn ended(&mut self, ended: Nanos, took: Nanos) {
        let new = u32::try_from(took).unwrap_or(u32::MAX);
        self.average = if self.ends == 0 {
            new
        } else {
            // The new value weighs an eighth, so that one long run is enough to change the prediction.
            self.average - self.average / 8 + new / 8
        };
        self.count_end(ended, took);
    }

    /// Counts the end of the last run, which was a task: it says nothing about how long a worker is busy.
    #[cfg(any(feature = "queue", feature = "tokio"))]
    pub(crate) fn task_ended(&mut self, ended: Nanos, took: Nanos) {
        self.count_end(ended, took);
    }

    // perf: a part of every run.
    #[inline(always)]
    fn count_end(&mut self, ended: Nanos, took: Nanos) {
        self.took = took;
        self.last_end = Some(NonMaxNanos::new(ended));
        if self.ends > 0 {
            let repeated = self.repeated.get_or_insert_default();
            repeated.duration.add(self.ends, self.duration.max, self.took);
            repeated.recent.add_duration(took);
        }
        self.ends += 1;
        self.duration.add(self.took);
    }

    /// Whether the history has to look at a run that ended well then, before it is counted.
    // perf: a part of every run.
    #[inline(always)]
    pub(crate) fn must_look(&self, ended: Nanos) -> bool {
        self.repeated.as_ref().is_none_or(|repeated| repeated.recent.must_look(ended))
    }

    /// Has the history look at the next run that ends well.
    pub(crate) fn look_at_next(&mut self) {
        if let Some(repeated) = &mut self.repeated {
            repeated.recent.look_at_next();
        }
    }

    /// Where the past runs are; `None`: none is stored.
    pub(crate) fn recent(&self) -> Option<&RecentRuns> {
        self.repeated.as_ref().map(|repeated| &repeated.recent)
    }

    pub(crate) fn recent_mut(&mut self) -> &mut RecentRuns {
        &mut self.repeated.get_or_insert_default().recent
    }

    /// How late the first run began. `last`: the lateness of the last one, of at most two.
    pub(crate) fn first_lateness(&self, last: Nanos) -> Nanos {
        if self.runs > 1 { self.lateness.sum().saturating_sub(last) } else { last }
    }

    /// How late all runs together began.
    pub(crate) fn lateness_sum(&self) -> u64 {
        self.lateness.sum()
    }

    /// How long all ended runs together took.
    pub(crate) fn duration_sum(&self) -> u64 {
        self.duration.sum()
    }

    /// The duration of the longest ended run.
    pub(crate) fn longest(&self) -> Nanos {
        self.duration.max
    }

    /// The number of ended runs.
    pub(crate) fn ends(&self) -> u64 {
        self.ends
    }

    /// How long the next run is expected to keep a worker busy; `None`: too few runs to predict it.
    pub(crate) fn expected_duration(&self) -> Option<Nanos> {
        (self.ends >= 4).then(|| self.average.into())
    }

    /// When the last finished run ended, and how long it took.
    pub(crate) fn last_end(&self) -> Option<(Nanos, Duration)> {
        self.last_end.map(|at| (at.nanos(), Duration::from_nanos(self.took)))
    }

    /// How long after their due times runs begin; `last` is the lateness of the last one.
    pub(crate) fn lateness(&self, last: Nanos) -> DurationStats {
        let markers = self.repeated.as_ref().map(|repeated| &repeated.lateness);
        self.lateness.stats(self.runs, last, markers)
    }

    pub(crate) fn duration(&self) -> DurationStats {
        let markers = self.repeated.as_ref().map(|repeated| &repeated.duration);
        self.duration.stats(self.ends, self.took, markers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Stats {
        /// Records a run whose duration and lateness are both `took`.
        fn run(&mut self, took: Nanos) {
            self.began(took, 1);
            self.ended(1_000 + took + took, took);
        }
    }

    #[test]
    fn mean_max_and_last() {
        let mut stats = Stats::new();
        assert_eq!(stats.duration(), DurationStats::default());
        for value in [10, 30, 20] {
            stats.run(value);
        }
        let durations = stats.duration();
        let nanos = Duration::from_nanos;
        assert_eq!(
            (durations.last, durations.mean, durations.max),
            (nanos(20), nanos(20), nanos(30))
        );
        assert_eq!(durations.p99, nanos(30));
    }

    /// Returns the estimate and the exact quantile of the same values.
    fn estimate_and_exact(values: impl Iterator<Item = u64>) -> (f64, f64) {
        let mut stats = Stats::new();
        let mut all: Vec<_> = values.inspect(|value| stats.run(*value)).collect();
        all.sort_unstable();
        let exact = all[all.len() * 99 / 100];
        (stats.duration().p99.as_nanos() as f64, exact as f64)
    }

    #[test]
    fn p99_is_close_to_the_exact_quantile() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let mut flat = (0..100_000).map(|_| random.next_u64() % 1_000_000).collect::<Vec<_>>();
        let (estimated, exact) = estimate_and_exact(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "flat: {estimated} for {exact}");
        flat.iter_mut().for_each(|value| *value = 50_000 + *value / 100);
        let (estimated, exact) = estimate_and_exact(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "narrow: {estimated} for {exact}");
    }

    #[test]
    fn below_a_hundred_runs_the_p99_is_the_maximum() {
        for count in 1..100 {
            let mut stats = Stats::new();
            for run in 0..count {
                stats.run(if run == count / 2 { 1_000 } else { 10 });
            }
            assert_eq!(stats.duration().p99, Duration::from_nanos(1_000), "{count}");
            assert_eq!(stats.lateness(10).p99, Duration::from_nanos(1_000), "{count}");
        }
    }

    #[test]
    fn a_second_run_adds_little_memory() {
        assert_eq!(size_of::<Repeated>(), 104);
    }

    /// A single long run among thousands does not change the 99th percentile, and usually is not even
    /// sampled.
    #[test]
    fn one_outlier_does_not_move_the_p99() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let mut far_off = 0;
        for outlier in 2_000..2_100 {
            let length =
                |run| if run == outlier { 10_000_000 } else { 900 + random.next_u64() % 200 };
            let (estimated, exact) = estimate_and_exact((0..4_000).map(length));
            far_off += u32::from((estimated / exact - 1.0).abs() > 0.02);
        }
        // One in eight is sampled.
        assert!(far_off <= 20, "{far_off} of a hundred");
    }

    #[test]
    fn the_estimate_stays_accurate_over_millions_of_values() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let (estimated, exact) =
            estimate_and_exact((0..3_000_000).map(|_| random.next_u64() % 1_000));
        assert!((estimated / exact - 1.0).abs() < 0.05, "{estimated} for {exact}");
    }

    #[test]
    fn rule_52_one_long_run_weighs_more_than_many_short_ones() {
        let mut stats = Stats::new();
        for _ in 0..3 {
            stats.run(1_000);
        }
        assert_eq!(stats.expected_duration(), None);
        stats.run(1_000);
        assert_eq!(stats.expected_duration(), Some(1_000));
        stats.run(1_000_000);
        assert_eq!(stats.expected_duration(), Some(125_875));
    }
}
