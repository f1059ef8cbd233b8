//! When runs began, and how late that was.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::rival::Work;

/// A run that begins this little before it is due is on time: the grid is found out by reading clocks
/// one after the other, and the machine may take the processor away in between.
const EARLY: u64 = 500_000;

/// Notes when every run begins.
pub(crate) struct Recorder {
    origin: Instant,
    /// When the first run of each service was due; 0: not known, the rival keeps no grid.
    grids: Box<[AtomicU64]>,
    runs: Box<[Runs]>,
    /// What is done besides.
    body: Box<dyn Fn(usize) + Send + Sync>,
}

/// The runs of one service, which never overlap. Nanoseconds since the origin.
struct Runs {
    count: AtomicU32,
    began: Box<[AtomicU64]>,
    /// When the run was due, as the rival sees it; 0: it keeps a grid.
    due: Box<[AtomicU64]>,
}

fn zeros(count: usize) -> Box<[AtomicU64]> {
    (0..count).map(|_| AtomicU64::new(0)).collect()
}

impl Recorder {
    /// For so many services, with room for so many runs of each.
    pub(crate) fn new(services: usize, room: usize) -> Self {
        Self::with_body(services, room, |_| {})
    }

    /// The same, with something to do in each run.
    pub(crate) fn with_body(
        services: usize,
        room: usize,
        body: impl Fn(usize) + Send + Sync + 'static,
    ) -> Self {
        let runs = || Runs { count: 0.into(), began: zeros(room), due: zeros(room) };
        Self {
            // Earlier than anything that is noted.
            origin: Instant::now() - Duration::from_secs(10),
            grids: zeros(services),
            runs: (0..services).map(|_| runs()).collect(),
            body: Box::new(body),
        }
    }

    fn since(&self, instant: Instant) -> u64 {
        u64::try_from(instant.duration_since(self.origin).as_nanos()).expect("short measurements")
    }

    /// How late the runs of some services began that were due within a window, and how many.
    pub(crate) fn within(
        &self,
        window: (Instant, Instant),
        period: Duration,
        services: impl Iterator<Item = usize>,
    ) -> Punctuality {
        let (from, to) = (self.since(window.0), self.since(window.1));
        let period = u64::try_from(period.as_nanos()).expect("short periods");
        let mut all = Punctuality { late: Vec::new(), began: 0, due: 0.0 };
        for service in services {
            all.due += (to - from) as f64 / period as f64;
            let runs = &self.runs[service];
            let count = (runs.count.load(Ordering::Acquire) as usize).min(runs.began.len());
            let began = |run: usize| runs.began[run].load(Ordering::Relaxed);
            all.began += (0..count).filter(|run| (from..to).contains(&began(*run))).count();
            let grid = self.grids[service].load(Ordering::Relaxed);
            let dues: Vec<u64> = if grid == 0 {
                (0..count).map(|run| runs.due[run].load(Ordering::Relaxed)).collect()
            } else {
                dues_of((0..count).map(began), grid, period)
            };
            for (run, due) in dues.into_iter().enumerate() {
                if (from..to).contains(&due) {
                    all.late.push(began(run).saturating_sub(due));
                }
            }
        }
        all.late.sort_unstable();
        all
    }

    /// How far the runs of a service moved away from multiples of the period, in milliseconds.
    pub(crate) fn drift(&self, service: usize, period: Duration) -> f64 {
        let runs = &self.runs[service];
        let count = (runs.count.load(Ordering::Acquire) as usize).min(runs.began.len());
        let began: Vec<u64> =
            runs.began[..count].iter().map(|began| began.load(Ordering::Relaxed)).collect();
        drift_of(&began, period.as_nanos() as f64) / 1e6
    }
}

/// How far the typical run of the last few stands from the grid of the first few. What is late once,
/// or left out, does not count.
fn drift_of(began: &[u64], period: f64) -> f64 {
    const FEW: usize = 10;
    let Some(mut place) = began.first().map(|first| *first as f64) else {
        return 0.0;
    };
    let mut moved = began.chunks_exact(FEW).map(|few| {
        let mut apart: Vec<f64> = few.iter().map(|began| *began as f64 - place).collect();
        apart.iter_mut().for_each(|apart| *apart -= (*apart / period).round() * period);
        apart.sort_by(f64::total_cmp);
        place += apart[FEW / 2];
        apart[FEW / 2]
    });
    // Where the first few stand is where it begins.
    moved.next();
    moved.sum()
}

/// Which due time each run was for. A run is for the last one that has come; but after a gap it is
/// for the first that was missed, so that a long delay counts as one. Runs that make up for what
/// was missed are for that.
fn dues_of(began: impl Iterator<Item = u64>, grid: u64, period: u64) -> Vec<u64> {
    let mut next = None;
    let mut missed = 0..0;
    began
        .map(|began| {
            let latest = (began + EARLY).saturating_sub(grid) / period;
            // The rival may have begun before it was watched: then the first run is on time.
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

    fn grid(&self, service: usize, first: Instant) {
        if self.wants_grid(service) {
            self.grids[service].store(self.since(first), Ordering::Relaxed);
        }
    }

    fn due(&self, service: usize, at: Instant) {
        let runs = &self.runs[service];
        if let Some(slot) = runs.due.get(runs.count.load(Ordering::Relaxed) as usize) {
            slot.store(self.since(at), Ordering::Relaxed);
        }
    }
}

/// How punctual runs were.
pub(crate) struct Punctuality {
    /// Nanoseconds, sorted.
    pub(crate) late: Vec<u64>,
    /// How many runs began.
    pub(crate) began: usize,
    /// How many there should have been.
    pub(crate) due: f64,
}

impl Punctuality {
    /// Microseconds: so much of all runs is not later.
    pub(crate) fn quantile(&self, part: f64) -> Option<f64> {
        quantile(&self.late, part).map(|nanos| nanos as f64 / 1e3)
    }

    /// Runs that began, of 1,000 that were due.
    pub(crate) fn per_thousand(&self) -> f64 {
        1_000.0 * self.began as f64 / self.due
    }
}

/// Of sorted values.
pub(crate) fn quantile(sorted: &[u64], part: f64) -> Option<u64> {
    let index = (sorted.len() as f64 * part) as usize;
    sorted.get(index.min(sorted.len().checked_sub(1)?)).copied()
}

#[cfg(test)]
mod tests {
    use super::{drift_of, dues_of};

    #[test]
    fn each_run_is_for_the_last_due_time() {
        let began = [1_000_050, 2_000_070, 2_999_990];
        assert_eq!(
            dues_of(began.into_iter(), 1_000_000, 1_000_000),
            [1_000_000, 2_000_000, 3_000_000]
        );
    }

    #[test]
    fn who_catches_up_does_not_drift() {
        let grid = (1..100).map(|run| run * 10_000_000);
        let late_once: Vec<_> = grid
            .clone()
            .map(|due| if (200_000_000..346_000_000).contains(&due) { 346_000_000 } else { due })
            .collect();
        assert!(drift_of(&late_once, 1e7).abs() < 1.0);
        let left_out: Vec<_> = grid.filter(|due| due % 70_000_000 != 0).collect();
        assert!(drift_of(&left_out, 1e7).abs() < 1.0);
        let always: Vec<_> = (1..=100).map(|run| run * 10_100_000).collect();
        assert!((drift_of(&always, 1e7) - 9_000_000.0).abs() < 1.0);
    }

    #[test]
    fn a_run_after_a_gap_is_for_the_first_that_was_missed() {
        let (grid, period) = (10_000_000, 10_000_000);
        let began = [10_000_100, 55_000_000, 60_000_100];
        assert_eq!(dues_of(began.into_iter(), grid, period), [10_000_000, 20_000_000, 60_000_000]);
    }

    #[test]
    fn runs_that_make_up_are_for_what_was_missed() {
        let (grid, period) = (10_000_000, 10_000_000);
        let began = [10_000_100, 41_000_000, 41_000_100, 41_000_200, 50_000_100];
        let dues = [10_000_000, 20_000_000, 30_000_000, 40_000_000, 50_000_000];
        assert_eq!(dues_of(began.into_iter(), grid, period), dues);
    }
}
