//! What is known about each service, and how it is counted.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::Nanos;
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

/// The counters of one service.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) runs: u64,
    pub(crate) crashes: u64,
    pub(crate) restarts: u64,
    pub(crate) skipped: u64,
    pub(crate) last_start: Option<Nanos>,
    pub(crate) last_end: Option<Nanos>,
    pub(crate) last_error: Option<Arc<str>>,
    pub(crate) lateness: Gauge,
    pub(crate) duration: Gauge,
    /// A moving average of how long runs take, in nanoseconds.
    recent: u64,
}

/// A body is known to be short below this.
pub(crate) const SHORT: Nanos = 20_000;

impl Stats {
    pub(crate) fn began(&mut self, due: Nanos, started: Nanos) {
        self.runs += 1;
        self.last_start = Some(started);
        self.lateness.add(started.saturating_sub(due));
    }

    pub(crate) fn ended(&mut self, started: Nanos, ended: Nanos) {
        let took = ended.saturating_sub(started);
        self.last_end = Some(ended);
        self.recent = if self.duration.count == 0 {
            took
        } else {
            // An eighth of the new value: quick to distrust, for one long run weighs much.
            self.recent - self.recent / 8 + took / 8
        };
        self.duration.add(took);
    }

    /// What is known about how long the body takes.
    pub(crate) fn habit(&self) -> Habit {
        if self.duration.count < 4 {
            Habit::Unknown
        } else if self.recent < SHORT {
            Habit::Short
        } else {
            Habit::Long
        }
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

/// Last, mean, p99 and maximum of a stream of lengths, in a fixed small space.
///
/// The p99 is estimated with the P² algorithm (Jain and Chlamtac, 1985): five markers that follow
/// the quantile without keeping the values.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    count: u64,
    last: u64,
    sum: u64,
    max: u64,
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

impl Gauge {
    #[expect(
        clippy::cast_precision_loss,
        reason = "an estimate of a quantile; seven digits are plenty"
    )]
    pub(crate) fn add(&mut self, value: u64) {
        self.last = value;
        self.max = self.max.max(value);
        self.sum = self.sum.saturating_add(value);
        let height = value as f32;
        if self.count < 5 {
            self.heights[self.count as usize] = height;
            self.count += 1;
            if self.count == 5 {
                self.heights.sort_by(f32::total_cmp);
                self.ranks = [1.0, 2.0, 3.0, 4.0, 5.0];
            }
            return;
        }
        self.count += 1;
        if !is_sampled(self.count) {
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
        if self.count < 5 {
            // Of fewer than a hundred values the 99th percentile is the largest.
            return self.max;
        }
        (self.heights[2] as u64).min(self.max)
    }

    pub(crate) fn spread(&self) -> Spread {
        Spread {
            last: Duration::from_nanos(self.last),
            mean: Duration::from_nanos(self.sum.checked_div(self.count).unwrap_or(0)),
            p99: Duration::from_nanos(self.p99()),
            max: Duration::from_nanos(self.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mean_max_and_last() {
        let mut gauge = Gauge::default();
        assert_eq!(gauge.spread(), Spread::default());
        for value in [10, 30, 20] {
            gauge.add(value);
        }
        let spread = gauge.spread();
        let nanos = Duration::from_nanos;
        assert_eq!((spread.last, spread.mean, spread.max), (nanos(20), nanos(20), nanos(30)));
        assert_eq!(spread.p99, nanos(30));
    }

    /// The estimate against the exact quantile of the same values.
    fn estimate(values: impl Iterator<Item = u64>) -> (f64, f64) {
        let mut gauge = Gauge::default();
        let mut all: Vec<_> = values.inspect(|value| gauge.add(*value)).collect();
        all.sort_unstable();
        let exact = all[all.len() * 99 / 100];
        (gauge.p99() as f64, exact as f64)
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
        let mut stats = Stats::default();
        assert_eq!(stats.habit(), Habit::Unknown);
        for _ in 0..4 {
            stats.ended(0, 1_000);
        }
        assert_eq!(stats.habit(), Habit::Short);
        stats.ended(0, 1_000_000);
        assert_eq!(stats.habit(), Habit::Long);
    }
}
