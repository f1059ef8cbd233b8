//! Records when runs begin, and computes how late they were.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::peer::Work;

/// A run that begins at most this many nanoseconds early counts as on time: the origin of the grid is
/// computed by reading two clocks in turn, and the thread may be preempted in between.
const EARLY_TOLERANCE_NANOS: u64 = 500_000;

/// Records when each run begins.
pub(crate) struct Recorder {
    origin: Instant,
    /// When the first run of each service was due; 0 if unknown, because the peer keeps no grid.
    grids: Box<[AtomicU64]>,
    runs: Box<[Runs]>,
    /// The rest of the body of a service.
    body: Box<dyn Fn(usize) + Send + Sync>,
}

/// The runs of one service, which never overlap, in nanoseconds since the origin.
struct Runs {
    count: AtomicU32,
    began: Box<[AtomicU64]>,
    /// When the run was due according to the peer; 0 if the peer keeps a grid.
    due: Box<[AtomicU64]>,
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl Recorder {
    /// A recorder for `services` services with at most `capacity` runs each.
    pub(crate) fn new(services: usize, capacity: usize) -> Self {
        Self::with_body(services, capacity, |_| {})
    }

    /// The same, with a body to execute in each run.
    pub(crate) fn with_body(
        services: usize,
        capacity: usize,
        body: impl Fn(usize) + Send + Sync + 'static,
    ) -> Self {
        let runs = || Runs { count: 0.into(), began: zeros(capacity), due: zeros(capacity) };
        Self {
            // Before anything that is recorded.
            origin: Instant::now() - Duration::from_secs(10),
            grids: zeros(services),
            runs: (0..services).map(|_| runs()).collect(),
            body: Box::new(body),
        }
    }

    fn since(&self, instant: Instant) -> u64 {
        u64::try_from(instant.duration_since(self.origin).as_nanos()).expect("short measurements")
    }

    /// Statistics of the runs of some services that were due within a window.
    pub(crate) fn window_stats(
        &self,
        window: (Instant, Instant),
        period: Duration,
        services: impl Iterator<Item = usize>,
    ) -> WindowStats {
        let (from, to) = (self.since(window.0), self.since(window.1));
        let period = u64::try_from(period.as_nanos()).expect("short periods");
        let mut all = WindowStats { late: Vec::new(), began: 0, due: 0.0 };
        for service in services {
            all.due += (to - from) as f64 / period as f64;
            let runs = &self.runs[service];
            let count = (runs.count.load(Ordering::Acquire) as usize).min(runs.began.len());
            let began = |run: usize| runs.began[run].load(Ordering::Relaxed);
            all.began += (0..count).filter(|run| (from..to).contains(&began(*run))).count();
            let grid = self.grids[service].load(Ordering::Relaxed);
            let due_times: Vec<u64> = if grid == 0 {
                (0..count).map(|run| runs.due[run].load(Ordering::Relaxed)).collect()
            } else {
                due_times_of((0..count).map(began), grid, period)
            };
            for (run, due) in due_times.into_iter().enumerate() {
                if (from..to).contains(&due) {
                    all.late.push(began(run).saturating_sub(due));
                }
            }
        }
        all.late.sort_unstable();
        all
    }

    /// How far the runs of a service have drifted off their grid, in milliseconds.
    pub(crate) fn drift(&self, service: usize, period: Duration) -> f64 {
        let runs = &self.runs[service];
        let count = (runs.count.load(Ordering::Acquire) as usize).min(runs.began.len());
        let began: Vec<u64> =
            runs.began[..count].iter().map(|began| began.load(Ordering::Relaxed)).collect();
        drift_of(&began, period.as_nanos() as f64) / 1e6
    }
}

/// The distance of the median of the last few runs from the grid of the first few. A single late or
/// missing run does not count as drift.
fn drift_of(began: &[u64], period: f64) -> f64 {
    const FEW: usize = 10;
    let Some(mut origin) = began.first().map(|first| *first as f64) else {
        return 0.0;
    };
    let mut moved = began.chunks_exact(FEW).map(|few| {
        let mut apart: Vec<f64> = few.iter().map(|began| *began as f64 - origin).collect();
        apart.iter_mut().for_each(|apart| *apart -= (*apart / period).round() * period);
        apart.sort_by(f64::total_cmp);
        origin += apart[FEW / 2];
        apart[FEW / 2]
    });
    // The first few define the grid.
    moved.next();
    moved.sum()
}

/// The due time of each run. A run is attributed to the latest due time that has passed, except after
/// a stall: there it is attributed to the first one missed, so that the whole delay counts. Runs that
/// make up for missed ones are attributed to those.
fn due_times_of(began: impl Iterator<Item = u64>, grid: u64, period: u64) -> Vec<u64> {
    let mut next = None;
    let mut missed = 0..0;
    began
        .map(|began| {
            let latest = (began + EARLY_TOLERANCE_NANOS).saturating_sub(grid) / period;
            // The peer may have started before the recording; the first run then counts as on time.
            let first = next.unwrap_or(latest);
            let due = if first <= latest {
                next = Some(latest + 1);
                missed = first + 1..latest + 1;
                first
            } else {
                missed.next().unwrap_or(latest)
            };
            grid + due * period
        })
        .collect()
}

impl Work for Recorder {
    fn run(&self, service: usize) {
        let now = self.since(Instant::now());
        let runs = &self.runs[service];
        let run = runs.count.load(Ordering::Relaxed) as usize;
        if let Some(slot) = runs.began.get(run) {
            slot.store(now, Ordering::Relaxed);
        }
        runs.count.store(u32::try_from(run + 1).expect("few runs"), Ordering::Release);
        (self.body)(service);
    }

    fn wants_grid(&self, service: usize) -> bool {
        self.grids[service].load(Ordering::Relaxed) == 0
    }

    fn report_grid(&self, service: usize, first: Instant) {
        if self.wants_grid(service) {
            self.grids[service].store(self.since(first), Ordering::Relaxed);
        }
    }

    fn report_due(&self, service: usize, at: Instant) {
        let runs = &self.runs[service];
        if let Some(slot) = runs.due.get(runs.count.load(Ordering::Relaxed) as usize) {
            slot.store(self.since(at), Ordering::Relaxed);
        }
    }
}

/// Statistics of the runs that were due within a window.
pub(crate) struct WindowStats {
    /// The lateness of each run in nanoseconds, sorted.
    pub(crate) late: Vec<u64>,
    /// How many runs began within the window.
    pub(crate) began: usize,
    /// How many runs were due.
    pub(crate) due: f64,
}

impl WindowStats {
    /// A quantile of the lateness, in microseconds.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        quantile(&self.late, part).map(|nanos| nanos as f64 / 1e3)
    }

    /// Runs that began, per 1,000 that were due.
    pub(crate) fn per_thousand(&self) -> f64 {
        1_000.0 * self.began as f64 / self.due
    }
}

/// A quantile of sorted values; `None` if there are none.
pub(crate) fn quantile(sorted: &[u64], part: f64) -> Option<u64> {
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::{drift_of, due_times_of};

    #[test]
    fn a_run_is_attributed_to_the_latest_due_time() {
        let began = [1_000_050, 2_000_070, 2_999_990];
        assert_eq!(
            due_times_of(began.into_iter(), 1_000_000, 1_000_000),
            [1_000_000, 2_000_000, 3_000_000]
        );
    }

    #[test]
    fn catching_up_is_not_drift() {
        let grid = (1..100).map(|run| run * 10_000_000);
        let late_once: Vec<_> = grid
            .clone()
            .map(|due| if (200_000_000..346_000_000).contains(&due) { 346_000_000 } else { due })
            .collect();
        assert!(drift_of(&late_once, 1e7).abs() < 1.0);
        let skipped: Vec<_> = grid.filter(|due| due % 70_000_000 != 0).collect();
        assert!(drift_of(&skipped, 1e7).abs() < 1.0);
        let always: Vec<_> = (1..=100).map(|run| run * 10_100_000).collect();
        assert!((drift_of(&always, 1e7) - 9_000_000.0).abs() < 1.0);
    }

    #[test]
    fn a_run_after_a_stall_is_attributed_to_the_first_missed_due_time() {
        let (grid, period) = (10_000_000, 10_000_000);
        let began = [10_000_100, 55_000_000, 60_000_100];
        assert_eq!(
            due_times_of(began.into_iter(), grid, period),
            [10_000_000, 20_000_000, 60_000_000]
        );
    }

    #[test]
    fn runs_that_catch_up_are_attributed_to_the_missed_due_times() {
        let (grid, period) = (10_000_000, 10_000_000);
        let began = [10_000_100, 41_000_000, 41_000_100, 41_000_200, 50_000_100];
        let due_times = [10_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000];
        assert_eq!(due_times_of(began.into_iter(), grid, period), due_times);
    }
}
