//! What is known about each service, and how it is counted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::service::error_text::without_backtrace;
use crate::sys::place::Place;
use crate::text::one_line::OneLine;
use crate::time::schedule::Schedule;
use tina4_service_core::lifecycle::State;
use tina4_service_core::{Nanos, NonMaxNanos};

mod quantile;

use self::quantile::{Markers, Totals};

/// Everything known about one service at one instant; made by [`services`](crate::services).
///
/// `T` is the type of its instants: [`SystemTime`], and `TestTime` in the test kit.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceInfo<T = SystemTime> {
    /// Its name.
    pub name: Cow<'static, str>,
    /// File and line of the attribute, or of `Service::new`.
    pub place: Place,
    /// The path of its function.
    pub function: &'static str,
    /// Its schedule; `Display` prints it in words.
    pub schedule: Schedule,
    /// What it is doing.
    pub state: State,
    /// Since when.
    pub since: T,
    /// When it runs next, if that is known.
    pub next_due: Option<T>,
    /// Runs begun since it became known.
    pub runs: u64,
    /// Runs that returned an error or panicked.
    pub crashes: u64,
    /// Runs begun because one before had crashed.
    pub restarts: u64,
    /// Crashes since the last recovery; with `restart = "always"`, returns count as well.
    pub crashes_in_a_row: u32,
    /// Due times left out: a run was in progress, or the machine slept.
    pub skipped: u64,
    /// When the last run began.
    pub last_start: Option<T>,
    /// When the last finished run ended.
    pub last_end: Option<T>,
    /// How long the last finished run took.
    pub last_duration: Option<Duration>,
    /// The last crash: the error with its sources, or the panic with its place. See
    /// [`Change::Crashed`](crate::Change::Crashed) for how long it may be.
    pub last_error: Option<Arc<str>>,
    /// How late runs begin.
    pub lateness: DurationStats,
    /// How long runs take.
    pub duration: DurationStats,
    /// A run takes longer than its `timeout`, and has not called `heartbeat` since.
    pub stuck: bool,
    /// How long ago the running body called `heartbeat`; `None`: not in this run.
    pub heartbeat_age: Option<Duration>,
}

impl<T> ServiceInfo<T> {
    /// Whether nothing is wrong: neither failed, nor abandoned, nor stuck.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.stuck && !matches!(self.state, State::Failed | State::Abandoned)
    }
}

#[cfg(feature = "testing")]
impl ServiceInfo {
    /// The same, with its instants in another form.
    pub(crate) fn map_times<T>(self, map: impl Fn(SystemTime) -> T) -> ServiceInfo<T> {
        ServiceInfo {
            name: self.name,
            place: self.place,
            function: self.function,
            schedule: self.schedule,
            state: self.state,
            since: map(self.since),
            next_due: self.next_due.map(&map),
            runs: self.runs,
            crashes: self.crashes,
            restarts: self.restarts,
            crashes_in_a_row: self.crashes_in_a_row,
            skipped: self.skipped,
            last_start: self.last_start.map(&map),
            last_end: self.last_end.map(&map),
            last_duration: self.last_duration,
            last_error: self.last_error,
            lateness: self.lateness,
            duration: self.duration,
            stuck: self.stuck,
            heartbeat_age: self.heartbeat_age,
        }
    }
}

/// One line: name, state, schedule, runs, crashes, and the beginning of the last error.
///
/// Whatever the error says, it stays one line: line breaks and other control characters are shown
/// as escapes, a backtrace is left out, and so is what exceeds 200 characters.
impl<T> fmt::Display for ServiceInfo<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, schedule, runs, crashes, .. } = self;
        let name = OneLine(name);
        write!(f, "{name}: {state}, {schedule}, {runs} runs, {crashes} crashes")?;
        if self.stuck {
            f.write_str(", stuck")?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", last error: {}", OneLine(without_backtrace(error)))?;
        }
        Ok(())
    }
}

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

/// The counters of one service, and the end of its last run.
///
/// There is one of these for each of many services that may do nothing for a day: what only a second
/// run needs is on the heap.
#[derive(Debug)]
pub(crate) struct Stats {
    /// Runs begun.
    pub(crate) runs: u64,
    /// The attempt that the run in progress, or the last one, is.
    pub(crate) attempt: u32,
    /// A moving average of how long runs take, in nanoseconds; what is longer counts as four seconds.
    recent: u32,
    /// Runs whose end was counted, when the last of them ended, and how long that took.
    ends: u64,
    last_end: Option<NonMaxNanos>,
    took: Nanos,
    lateness: Totals,
    duration: Totals,
    /// From the second run on.
    quantiles: Option<Box<Quantiles>>,
}

/// What went wrong with a service so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct FailureCounts {
    pub(crate) crashes: u64,
    pub(crate) restarts: u64,
    pub(crate) skipped: u64,
    pub(crate) last_error: Option<Arc<str>>,
}

#[derive(Debug, Default)]
struct Quantiles {
    lateness: Markers,
    duration: Markers,
}

impl Stats {
    pub(crate) fn new() -> Self {
        Self {
            runs: 0,
            attempt: 1,
            recent: 0,
            ends: 0,
            last_end: None,
            took: 0,
            lateness: Totals::default(),
            duration: Totals::default(),
            quantiles: None,
        }
    }

    /// A run has begun, so late.
    pub(crate) fn began(&mut self, late: Nanos, attempt: u32) {
        self.attempt = attempt;
        if self.runs > 0 {
            let quantiles = self.quantiles.get_or_insert_default();
            quantiles.lateness.add(self.runs, self.lateness.max, late);
        }
        self.runs += 1;
        self.lateness.add(late);
    }

    /// The last run has ended, and took so long.
    pub(crate) fn ended(&mut self, ended: Nanos, took: Nanos) {
        self.took = took;
        self.last_end = Some(NonMaxNanos::new(ended));
        let took = u32::try_from(took).unwrap_or(u32::MAX);
        if self.ends == 0 {
            self.recent = took;
        } else {
            // An eighth of the new value: quick to distrust, for one long run weighs much.
            self.recent = self.recent - self.recent / 8 + took / 8;
            let quantiles = self.quantiles.get_or_insert_default();
            quantiles.duration.add(self.ends, self.duration.max, self.took);
        }
        self.ends += 1;
        self.duration.add(self.took);
    }

    /// How long a run takes of late; `None`: too few runs to tell.
    pub(crate) fn usual(&self) -> Option<Nanos> {
        (self.ends >= 4).then(|| self.recent.into())
    }

    /// When the last finished run ended, and how long it took.
    pub(crate) fn last_end(&self) -> Option<(Nanos, Duration)> {
        self.last_end.map(|at| (at.nanos(), Duration::from_nanos(self.took)))
    }

    /// How late runs begin; the last one so late.
    pub(crate) fn lateness(&self, last: Nanos) -> DurationStats {
        let markers = self.quantiles.as_ref().map(|quantiles| &quantiles.lateness);
        self.lateness.stats(self.runs, last, markers)
    }

    pub(crate) fn duration(&self) -> DurationStats {
        let markers = self.quantiles.as_ref().map(|quantiles| &quantiles.duration);
        self.duration.stats(self.ends, self.took, markers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Stats {
        /// A run that takes so long, and is late by as much.
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

    /// The estimate against the exact quantile of the same values.
    fn estimate(values: impl Iterator<Item = u64>) -> (f64, f64) {
        let mut stats = Stats::new();
        let mut all: Vec<_> = values.inspect(|value| stats.run(*value)).collect();
        all.sort_unstable();
        let exact = all[all.len() * 99 / 100];
        (stats.duration().p99.as_nanos() as f64, exact as f64)
    }

    #[test]
    fn p99_is_near_the_exact_one() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let mut flat = (0..100_000).map(|_| random.next_u64() % 1_000_000).collect::<Vec<_>>();
        let (estimated, exact) = estimate(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "flat: {estimated} for {exact}");
        flat.iter_mut().for_each(|value| *value = 50_000 + *value / 100);
        let (estimated, exact) = estimate(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "narrow: {estimated} for {exact}");
    }

    #[test]
    fn of_fewer_than_a_hundred_runs_the_p99_is_the_longest() {
        for count in 1..100 {
            let mut stats = Stats::new();
            for run in 0..count {
                stats.run(if run == count / 2 { 1_000 } else { 10 });
            }
            assert_eq!(stats.duration().p99, Duration::from_nanos(1_000), "{count}");
            assert_eq!(stats.lateness(10).p99, Duration::from_nanos(1_000), "{count}");
        }
    }

    /// It is on the heap once for each of many services.
    #[test]
    fn what_a_second_run_adds_is_small() {
        assert_eq!(size_of::<Quantiles>(), 64);
    }

    /// One run of thousands that takes very long says nothing about 99 of 100, and mostly is not even
    /// looked at.
    #[test]
    fn one_outlier_does_not_move_the_p99() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let mut far_off = 0;
        for outlier in 2_000..2_100 {
            let length =
                |run| if run == outlier { 10_000_000 } else { 900 + random.next_u64() % 200 };
            let (estimated, exact) = estimate((0..4_000).map(length));
            far_off += u32::from((estimated / exact - 1.0).abs() > 0.02);
        }
        // One in eight is looked at.
        assert!(far_off <= 20, "{far_off} of a hundred");
    }

    #[test]
    fn millions_of_values_do_not_wear_it_out() {
        let mut random = crate::time::rng::SplitMix64::new(7);
        let (estimated, exact) = estimate((0..3_000_000).map(|_| random.next_u64() % 1_000));
        assert!((estimated / exact - 1.0).abs() < 0.05, "{estimated} for {exact}");
    }

    #[test]
    fn rule_52_one_long_run_weighs_more_than_many_short_ones() {
        let mut stats = Stats::new();
        for _ in 0..3 {
            stats.run(1_000);
        }
        assert_eq!(stats.usual(), None);
        stats.run(1_000);
        assert_eq!(stats.usual(), Some(1_000));
        stats.run(1_000_000);
        assert_eq!(stats.usual(), Some(125_875));
    }
}
