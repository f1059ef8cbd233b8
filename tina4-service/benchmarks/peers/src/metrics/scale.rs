//! Many services: the time to start them, their memory, and the time to stop them.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, amount};
use crate::peer::{Load, Peer, Phase, Unavailable, Work};
use crate::usage::Memory;

pub(crate) struct Scale {
    name: &'static str,
    title: &'static str,
    count: usize,
}

impl Scale {
    pub(crate) const TEN: Self =
        Self { name: "scale-10", title: "10 services: start and stop", count: 10 };
    pub(crate) const THOUSAND: Self =
        Self { name: "scale-1000", title: "1,000 services: start and stop", count: 1_000 };
    pub(crate) const TEN_THOUSAND: Self = Self {
        name: "scale-10000",
        title: "10,000 services: start, memory while idle, stop",
        count: 10_000,
    };
    pub(crate) const HUNDRED_THOUSAND: Self = Self {
        name: "scale-100000",
        title: "100,000 services: start, memory while idle, stop",
        count: 100_000,
    };

    /// Whether memory is measured; with few services the fixed cost of a pool or runtime dominates.
    fn has_memory(&self) -> bool {
        self.count >= 10_000
    }

    /// Whether each service runs a second time, after which it may need more memory.
    fn runs_again(&self) -> bool {
        self.count >= 100_000
    }
}

/// Long enough that no service is due twice.
const PERIOD: Duration = Duration::from_secs(3_600);
/// Long enough to measure memory after the first run, if there is a second one.
const SHORT_PERIOD: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_secs(30);

impl Metric for Scale {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn columns(&self) -> &'static [Column] {
        const COLUMNS: &[Column] = &[
            amount("start until each ran, ms"),
            amount("stop while idle, ms"),
            amount("resident bytes each"),
            amount("with kernel stacks and page tables, bytes each"),
            amount("resident after a second run, bytes each"),
        ];
        match (self.has_memory(), self.runs_again()) {
            (false, _) => &COLUMNS[..2],
            (true, false) => &COLUMNS[..4],
            (true, true) => COLUMNS,
        }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let runs = Arc::new(Runs::new(self.count));
        let work = Arc::clone(&runs) as _;
        let runs_again = self.runs_again() && peer.runs_immediately();
        let period = if runs_again { SHORT_PERIOD } else { PERIOD };
        let load = Load { count: self.count, period, phase: Phase::Together, work };
        let before = Memory::now();
        let start = Instant::now();
        let mut running = peer.periodic(load)?;
        let not_immediate = || Err(Unavailable("first run at the next due time".to_owned()));
        let started =
            if peer.runs_immediately() { runs.wait(&runs.first, start) } else { not_immediate() };
        // Threads that were only needed for the start may exit.
        let rest = effort.pick(Duration::from_millis(200), Duration::from_millis(50));
        thread::sleep(rest);
        let memory = Memory::now();
        let again = if runs_again {
            runs.wait(&runs.second, start).map(|_| {
                thread::sleep(rest);
                Memory::now().each_since(before, self.count).0
            })
        } else {
            not_immediate()
        };
        let stop = Instant::now();
        let stopped = running.stop().map(|()| milliseconds(stop.elapsed()));
        let mut figures = vec![started, stopped];
        if self.has_memory() {
            let (resident, all) = memory.each_since(before, self.count);
            figures.extend([Ok(resident), Ok(all)]);
        }
        if self.runs_again() {
            figures.push(again);
        }
        Ok(figures)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Records when the last service has run for the first and for the second time.
struct Runs {
    counts: Box<[AtomicU8]>,
    first: Milestone,
    second: Milestone,
    waiting: Thread,
}

/// How many services are still to reach a point, and when the last one did.
struct Milestone {
    left: AtomicUsize,
    reached: OnceLock<Instant>,
}

impl Milestone {
    fn new(services: usize) -> Self {
        Self { left: services.into(), reached: OnceLock::new() }
    }
}

impl Runs {
    fn new(services: usize) -> Self {
        Self {
            counts: (0..services).map(|_| AtomicU8::new(0)).collect(),
            first: Milestone::new(services),
            second: Milestone::new(services),
            waiting: thread::current(),
        }
    }

    fn wait(&self, milestone: &Milestone, start: Instant) -> Figure {
        loop {
            if let Some(reached) = milestone.reached.get() {
                return Ok(milliseconds(*reached - start));
            }
            let left = LIMIT.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Unavailable(format!("not done after {} s", LIMIT.as_secs())));
            }
            thread::park_timeout(left);
        }
    }
}

impl Work for Runs {
    fn run(&self, service: usize) {
        let milestone = match self.counts[service].fetch_add(1, Ordering::Relaxed) {
            0 => &self.first,
            1 => &self.second,
            2.. => return,
        };
        if milestone.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let _ = milestone.reached.set(Instant::now());
            self.waiting.unpark();
        }
    }
}
