//! What is known about each service, and how it is counted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::{Moment, Nanos};
use crate::context::RunOrder;
use crate::lifecycle::State;
use crate::registration::Place;
use crate::schedule::Schedule;

/// Everything known about one service at one instant; made by [`services`](crate::services).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServiceInfo {
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
    pub since: SystemTime,
    /// When it runs next, if that is known.
    pub next_due: Option<SystemTime>,
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
    pub last_start: Option<SystemTime>,
    /// When the last finished run ended.
    pub last_end: Option<SystemTime>,
    /// How long the last finished run took.
    pub last_duration: Option<Duration>,
    /// The last crash: the error with its sources, or the panic with its place.
    pub last_error: Option<Arc<str>>,
    /// How late runs begin.
    pub lateness: Spread,
    /// How long runs take.
    pub duration: Spread,
    /// A run takes longer than its `timeout`, and has not called `heartbeat` since.
    pub stuck: bool,
    /// How long ago the running body called `heartbeat`; `None`: not in this run.
    pub heartbeat_age: Option<Duration>,
}

impl ServiceInfo {
    /// Whether nothing is wrong: neither failed, nor abandoned, nor stuck.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        !self.stuck && !matches!(self.state, State::Failed | State::Abandoned)
    }
}

/// One line: name, state, schedule, runs, crashes.
impl fmt::Display for ServiceInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, schedule, runs, crashes, .. } = self;
        write!(f, "{name}: {state}, {schedule}, {runs} runs, {crashes} crashes")?;
        if self.stuck {
            f.write_str(", stuck")?;
        }
        if let Some(error) = &self.last_error {
            write!(f, ", last error: {error}")?;
        }
        Ok(())
    }
}

/// How a length of time spreads over many runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spread {
    /// The last one.
    pub last: Duration,
    /// The mean of all.
    pub mean: Duration,
    /// 99 of 100 are not longer: an estimate, exact up to five values; of more than a thousand it
    /// looks at one in eight.
    pub p99: Duration,
    /// The longest.
    pub max: Duration,
}

/// The counters of one service, and its last run.
///
/// There is one of these for each of many services that may do nothing for a day: what only some
/// need, and what only a second run needs, is on the heap.
#[derive(Debug)]
pub(crate) struct Stats {
    /// Runs begun.
    pub(crate) runs: u64,
    /// When the run in progress, or the last one, was due and began.
    due: Nanos,
    started: Nanos,
    /// The calendar time it is for, or [`NO_DATE`].
    date: i64,
    attempt: u32,
    /// A moving average of how long runs take, in nanoseconds; what is longer counts as four seconds.
    recent: u32,
    /// Runs whose end was counted, when the last of them ended, and how long that took.
    ended: u64,
    last_end: Option<Moment>,
    took: Nanos,
    lateness: Totals,
    duration: Totals,
    /// From the second run on.
    quantiles: Option<Box<Quantiles>>,
    trouble: Option<Box<Trouble>>,
}

/// A run that is not for a calendar time.
const NO_DATE: i64 = i64::MAX;

/// What went wrong with a service so far.
#[derive(Debug, Default)]
pub(crate) struct Trouble {
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

/// A body is known to be short below this.
pub(crate) const SHORT: Nanos = 20_000;

impl Stats {
    pub(crate) fn new(now: Nanos) -> Self {
        Self {
            runs: 0,
            due: now,
            started: now,
            date: NO_DATE,
            attempt: 1,
            recent: 0,
            ended: 0,
            last_end: None,
            took: 0,
            lateness: Totals::default(),
            duration: Totals::default(),
            quantiles: None,
            trouble: None,
        }
    }

    /// The run in progress, or the last one.
    pub(crate) fn last_run(&self) -> RunOrder {
        RunOrder {
            number: self.runs,
            attempt: self.attempt,
            due: self.due,
            date: (self.date != NO_DATE).then_some(self.date),
            started: self.started,
        }
    }

    pub(crate) fn began(&mut self, due: Nanos, date: Option<i64>, attempt: u32, started: Nanos) {
        (self.due, self.started, self.attempt) = (due, started, attempt);
        self.date = date.unwrap_or(NO_DATE);
        let late = started.saturating_sub(due);
        if self.runs > 0 {
            let quantiles = self.quantiles.get_or_insert_default();
            quantiles.lateness.add(self.runs, self.lateness.max, late);
        }
        self.runs += 1;
        self.lateness.add(late);
    }

    /// The last run has ended.
    pub(crate) fn ended(&mut self, ended: Nanos) {
        self.took = ended.saturating_sub(self.started);
        self.last_end = Some(Moment::new(ended));
        let took = u32::try_from(self.took).unwrap_or(u32::MAX);
        if self.ended == 0 {
            self.recent = took;
        } else {
            // An eighth of the new value: quick to distrust, for one long run weighs much.
            self.recent = self.recent - self.recent / 8 + took / 8;
            let quantiles = self.quantiles.get_or_insert_default();
            quantiles.duration.add(self.ended, self.duration.max, self.took);
        }
        self.ended += 1;
        self.duration.add(self.took);
    }

    /// What went wrong so far, to count more of it.
    pub(crate) fn trouble(&mut self) -> &mut Trouble {
        self.trouble.get_or_insert_default()
    }

    pub(crate) fn last_error(&self) -> Option<Arc<str>> {
        self.trouble.as_ref().and_then(|trouble| trouble.last_error.clone())
    }

    /// What is known about how long the body takes.
    pub(crate) fn habit(&self) -> Habit {
        if self.ended < 4 {
            Habit::Unknown
        } else if Nanos::from(self.recent) < SHORT {
            Habit::Short
        } else {
            Habit::Long
        }
    }

    /// Writes all that is counted here into `info`; `wall` says when an instant was.
    pub(crate) fn fill(&self, info: &mut ServiceInfo, wall: impl Fn(Nanos) -> SystemTime) {
        info.runs = self.runs;
        if let Some(trouble) = &self.trouble {
            let Trouble { crashes, restarts, skipped, last_error } = &**trouble;
            (info.crashes, info.restarts, info.skipped) = (*crashes, *restarts, *skipped);
            info.last_error.clone_from(last_error);
        }
        info.last_start = (self.runs > 0).then(|| wall(self.started));
        info.last_end = self.last_end.map(|at| wall(at.nanos()));
        info.last_duration = self.last_end.map(|_| Duration::from_nanos(self.took));
        info.lateness = self.lateness();
        info.duration = self.duration();
    }

    fn lateness(&self) -> Spread {
        let last = self.started.saturating_sub(self.due);
        let markers = self.quantiles.as_ref().map(|quantiles| &quantiles.lateness);
        self.lateness.spread(self.runs, last, markers)
    }

    fn duration(&self) -> Spread {
        let markers = self.quantiles.as_ref().map(|quantiles| &quantiles.duration);
        self.duration.spread(self.ended, self.took, markers)
    }
}

/// How long a body has taken so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// Too few runs to tell.
    Unknown,
    /// Under 20 microseconds.
    Short,
    /// Longer.
    Long,
}

/// Sum and maximum of a stream of lengths.
#[derive(Debug, Default)]
struct Totals {
    sum: u64,
    max: u64,
}

impl Totals {
    fn add(&mut self, value: u64) {
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);
    }

    fn spread(&self, count: u64, last: u64, markers: Option<&Markers>) -> Spread {
        // Of fewer than a hundred values the 99th percentile is the largest.
        let p99 = markers.filter(|_| count >= 5).map_or(self.max, Markers::p99);
        Spread {
            last: Duration::from_nanos(last),
            mean: Duration::from_nanos(self.sum.checked_div(count).unwrap_or(0)),
            p99: Duration::from_nanos(p99.min(self.max)),
            max: Duration::from_nanos(self.max),
        }
    }
}

/// The p99 of a stream of lengths, in a fixed small space.
///
/// It is estimated with the P² algorithm (Jain and Chlamtac, 1985): five markers that follow the
/// quantile without keeping the values.
#[derive(Debug, Default)]
struct Markers {
    /// Marker heights: minimum, three around the quantile, maximum.
    heights: [f32; 5],
    /// How many values lie at or below each marker.
    ranks: [f32; 5],
}

/// Where the markers between the first value and the last want to stand: around the quantile.
const WANTED: [f32; 3] = [0.495, 0.99, 0.995];

/// Ranks are counted as `f32`, exact up to 2^24: then the past is halved, and recent values weigh
/// more, which is what a reader of a long-lived service wants.
const MOST: f32 = 1_000_000.0;

/// Whether the estimate looks at a value: at each of the first thousand, then at one in eight,
/// scattered, so that what repeats every so many runs is not missed.
fn is_sampled(count: u64) -> bool {
    const SCATTER: u64 = 0x9e37_79b9_7f4a_7c15;
    count <= 1_000 || count.wrapping_mul(SCATTER) >> 61 == 0
}

impl Markers {
    /// Takes a value after `before` others; `first` is the first of them, and looked at only if it
    /// is the only one.
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of a quantile; seven digits are plenty"
    )]
    fn add(&mut self, before: u64, first: u64, value: u64) {
        let height = value as f32;
        if before < 5 {
            if before == 1 {
                self.heights[0] = first as f32;
            }
            self.heights[before as usize] = height;
            if before == 4 {
                self.heights.sort_by(f32::total_cmp);
                self.ranks = [1.0, 2.0, 3.0, 4.0, 5.0];
            }
            return;
        }
        if !is_sampled(before + 1) {
            return;
        }
        let above = if height < self.heights[0] {
            self.heights[0] = height;
            1
        } else if height >= self.heights[4] {
            self.heights[4] = height;
            4
        } else {
            1 + (1..4).filter(|marker| self.heights[*marker] <= height).count()
        };
        for rank in &mut self.ranks[above..] {
            *rank += 1.0;
        }
        for (marker, part) in (1..).zip(WANTED) {
            let wanted = 1.0 + (self.ranks[4] - 1.0) * part;
            self.adjust(marker, wanted - self.ranks[marker]);
        }
        if self.ranks[4] > MOST {
            for (index, rank) in self.ranks.iter_mut().enumerate() {
                *rank = (*rank / 2.0).floor().max(index as f32 + 1.0);
            }
        }
    }

    /// Moves one marker a place towards where it wants to be, along a parabola or a line.
    fn adjust(&mut self, marker: usize, distance: f32) {
        let (h, n) = (&self.heights, &self.ranks);
        let (below, above) = (n[marker] - n[marker - 1], n[marker + 1] - n[marker]);
        let step = if distance >= 1.0 && above > 1.0 {
            1.0
        } else if distance <= -1.0 && below > 1.0 {
            -1.0
        } else {
            return;
        };
        let rise = (h[marker + 1] - h[marker]) / above;
        let fall = (h[marker] - h[marker - 1]) / below;
        let curved =
            h[marker] + step / (above + below) * ((below + step) * rise + (above - step) * fall);
        let moved = if h[marker - 1] < curved && curved < h[marker + 1] {
            curved
        } else {
            h[marker] + if step > 0.0 { rise } else { -fall }
        };
        self.heights[marker] = moved;
        self.ranks[marker] += step;
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "heights are never negative, and a float beyond the range saturates"
    )]
    fn p99(&self) -> u64 {
        self.heights[2] as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    impl Stats {
        /// A run that takes so long, and is late by as much.
        fn run(&mut self, took: Nanos) {
            self.began(1_000, None, 1, 1_000 + took);
            self.ended(1_000 + took + took);
        }
    }

    #[test]
    fn mean_max_and_last() {
        let mut stats = Stats::new(0);
        assert_eq!(stats.duration(), Spread::default());
        for value in [10, 30, 20] {
            stats.run(value);
        }
        let spread = stats.duration();
        let nanos = Duration::from_nanos;
        assert_eq!((spread.last, spread.mean, spread.max), (nanos(20), nanos(20), nanos(30)));
        assert_eq!(spread.p99, nanos(30));
    }

    /// The estimate against the exact quantile of the same values.
    fn estimate(values: impl Iterator<Item = u64>) -> (f64, f64) {
        let mut stats = Stats::new(0);
        let mut all: Vec<_> = values.inspect(|value| stats.run(*value)).collect();
        all.sort_unstable();
        let exact = all[all.len() * 99 / 100];
        (stats.duration().p99.as_nanos() as f64, exact as f64)
    }

    #[test]
    fn p99_is_near_the_exact_one() {
        let mut dice = crate::clock::Dice::new(7);
        let mut flat = (0..100_000).map(|_| dice.roll() % 1_000_000).collect::<Vec<_>>();
        let (estimated, exact) = estimate(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "flat: {estimated} for {exact}");
        flat.iter_mut().for_each(|value| *value = 50_000 + *value / 100);
        let (estimated, exact) = estimate(flat.iter().copied());
        assert!((estimated / exact - 1.0).abs() < 0.02, "narrow: {estimated} for {exact}");
    }

    #[test]
    fn millions_of_values_do_not_wear_it_out() {
        let mut dice = crate::clock::Dice::new(7);
        let (estimated, exact) = estimate((0..3_000_000).map(|_| dice.roll() % 1_000));
        assert!((estimated / exact - 1.0).abs() < 0.05, "{estimated} for {exact}");
    }

    #[test]
    fn one_long_run_ends_the_trust_in_a_short_body() {
        let mut stats = Stats::new(0);
        assert_eq!(stats.habit(), Habit::Unknown);
        for _ in 0..4 {
            stats.run(1_000);
        }
        assert_eq!(stats.habit(), Habit::Short);
        stats.run(1_000_000);
        assert_eq!(stats.habit(), Habit::Long);
    }
}
