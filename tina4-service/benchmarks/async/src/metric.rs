//! The metrics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::kind::{Kind, Load, Work, runtime};
use crate::usage::{cpu_micros, resident_bytes};

#[derive(Clone, Copy)]
pub(crate) enum Metric {
    Lateness { name: &'static str, figures: &'static [Figure], count: usize },
    Cpu { name: &'static str, figures: &'static [Figure], is_spread: bool },
    Scale { name: &'static str, figures: &'static [Figure], count: usize },
}

/// One figure of a metric.
#[derive(Clone, Copy)]
pub(crate) struct Figure {
    pub(crate) title: &'static str,
    /// The target for async services.
    pub(crate) target: &'static str,
}

const fn figure(title: &'static str, target: &'static str) -> Figure {
    Figure { title, target }
}

const RUNS: Figure = figure("runs of 1,000 due", "");

/// Long enough that none is due twice.
const HOUR: Duration = Duration::from_secs(3_600);
/// By then all threads run and the pool has adapted to the runs.
const SETTLE: Duration = Duration::from_millis(300);

impl Metric {
    pub(crate) const ALL: [Self; 6] = [
        Self::Lateness {
            name: "lateness-1",
            figures: &[
                figure("lateness, 1 at 10 ms, p50, us", "0.1"),
                figure("lateness, 1 at 10 ms, p99, us", ""),
            ],
            count: 1,
        },
        Self::Lateness {
            name: "lateness-100",
            figures: &[
                figure("lateness, 100 at 10 ms, p50, us", "0.1"),
                figure("lateness, 100 at 10 ms, p99, us", ""),
            ],
            count: 100,
        },
        Self::Cpu {
            name: "cpu-spread",
            figures: &[figure("CPU per empty run, 200 at 2 ms, spread, us", "1.2"), RUNS],
            is_spread: true,
        },
        Self::Cpu {
            name: "cpu-together",
            figures: &[figure("CPU per empty run, 200 at 2 ms, together, us", "1.2"), RUNS],
            is_spread: false,
        },
        Self::Scale {
            name: "scale-10000",
            figures: &[
                figure("start of 10,000 until each ran, ms", "1"),
                figure("the same, once they are registered, ms", "1"),
                figure("resident bytes each, 10,000 idle", ""),
                figure("stop of 10,000 idle, ms", "10 ms"),
            ],
            count: 10_000,
        },
        Self::Scale {
            name: "scale-100000",
            figures: &[
                figure("start of 100,000 until each ran, ms", ""),
                figure("the same, once they are registered, ms", ""),
                figure("resident bytes each, 100,000 idle", "600 bytes"),
                figure("stop of 100,000 idle, ms", ""),
            ],
            count: 100_000,
        },
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Lateness { name, .. } | Self::Cpu { name, .. } | Self::Scale { name, .. } => name,
        }
    }

    pub(crate) fn figures(self) -> &'static [Figure] {
        match self {
            Self::Lateness { figures, .. }
            | Self::Cpu { figures, .. }
            | Self::Scale { figures, .. } => figures,
        }
    }

    pub(crate) fn measure(self, kind: Kind) -> Vec<f64> {
        match self {
            Self::Lateness { count, .. } => lateness(kind, count),
            Self::Cpu { is_spread, .. } => cpu(kind, is_spread),
            Self::Scale { count, .. } => scale(kind, count),
        }
    }
}

/// How late each run begins.
struct Lateness {
    /// For each service, its runs in order, in nanoseconds.
    late: Vec<(AtomicUsize, Vec<AtomicU64>)>,
}

impl Work for Lateness {
    fn run(&self, number: usize, due: impl FnOnce() -> Instant) {
        let (count, late) = &self.late[number];
        let now = Instant::now();
        let nanos = u64::try_from(now.saturating_duration_since(due()).as_nanos());
        if let Some(slot) = late.get(count.load(Ordering::Relaxed)) {
            slot.store(nanos.unwrap_or(u64::MAX), Ordering::Relaxed);
            count.fetch_add(1, Ordering::Release);
        }
    }
}

fn lateness(kind: Kind, count: usize) -> Vec<f64> {
    const PERIOD: Duration = Duration::from_millis(10);
    const LENGTH: Duration = Duration::from_secs(4);
    let runs = LENGTH.div_duration_f64(PERIOD) as usize;
    let first = SETTLE.div_duration_f64(PERIOD) as usize;
    let slots = || (0..first + runs).map(|_| AtomicU64::new(0)).collect();
    let late = (0..count).map(|_| (AtomicUsize::new(0), slots())).collect();
    let work: &Lateness = Box::leak(Box::new(Lateness { late }));
    let runtime = runtime();
    let load = Load { count, period: PERIOD, is_spread: false, tolerance: None };
    let (running, _) = kind.start(&runtime, &load, work);
    thread::sleep(SETTLE + LENGTH + SETTLE);
    running.stop(&runtime);
    let mut all: Vec<u64> = Vec::new();
    for (count, late) in &work.late {
        let seen = &late[..count.load(Ordering::Acquire)];
        all.extend(seen.iter().skip(first).map(|late| late.load(Ordering::Relaxed)));
    }
    all.sort_unstable();
    let quantile = |part: f64| all[((all.len() - 1) as f64 * part) as usize] as f64 / 1e3;
    vec![quantile(0.5), quantile(0.99)]
}

/// Counts runs; each count has a cache line of its own.
struct Counts(Vec<Count>);

#[repr(align(64))]
struct Count(AtomicU64);

impl Work for Counts {
    fn run(&self, number: usize, _: impl FnOnce() -> Instant) {
        self.0[number].0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Counts {
    fn total(&self) -> u64 {
        self.0.iter().map(|count| count.0.load(Ordering::Relaxed)).sum()
    }
}

fn cpu(kind: Kind, is_spread: bool) -> Vec<f64> {
    const COUNT: usize = 200;
    const LENGTH: Duration = Duration::from_secs(2);
    // Longer than the tolerance, which is at least a millisecond.
    let period = Duration::from_millis(2);
    let tolerance = Some(Duration::from_millis(1));
    let counts = (0..COUNT).map(|_| Count(AtomicU64::new(0))).collect();
    let work: &Counts = Box::leak(Box::new(Counts(counts)));
    let runtime = runtime();
    let (running, _) =
        kind.start(&runtime, &Load { count: COUNT, period, is_spread, tolerance }, work);
    thread::sleep(SETTLE);
    let (start, before, runs) = (Instant::now(), cpu_micros(), work.total());
    thread::sleep(LENGTH);
    let (took, after, runs) = (start.elapsed(), cpu_micros(), work.total() - runs);
    running.stop(&runtime);
    let due = took.div_duration_f64(period) * COUNT as f64;
    vec![(after - before) as f64 / runs as f64, 1_000.0 * runs as f64 / due]
}

/// Tells when each has run once.
struct FirstRuns {
    left: AtomicUsize,
    done: OnceLock<Instant>,
    waiting: Thread,
}

impl Work for FirstRuns {
    fn run(&self, _: usize, _: impl FnOnce() -> Instant) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.done.set(Instant::now()).expect("each runs once");
            self.waiting.unpark();
        }
    }
}

fn scale(kind: Kind, count: usize) -> Vec<f64> {
    let runtime = runtime();
    let (left, waiting) = (count.into(), thread::current());
    let work: &FirstRuns = Box::leak(Box::new(FirstRuns { left, done: OnceLock::new(), waiting }));
    let (before, start) = (resident_bytes(), Instant::now());
    let load = Load { count, period: HOUR, is_spread: false, tolerance: None };
    let (running, registered) = kind.start(&runtime, &load, work);
    let done = loop {
        match work.done.get() {
            Some(done) => break *done,
            None => thread::park(),
        }
    };
    thread::sleep(SETTLE);
    let resident = resident_bytes() - before;
    let stop = Instant::now();
    running.stop(&runtime);
    let stopped = stop.elapsed();
    let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
    vec![
        milliseconds(done - start),
        milliseconds(done - registered),
        resident as f64 / count as f64,
        milliseconds(stopped),
    ]
}
