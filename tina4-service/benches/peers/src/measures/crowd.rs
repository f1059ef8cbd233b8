//! Many services: how long they take to start, how much memory they need, how long to stop.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use crate::measure::{Column, Effort, Figure, Measure, amount};
use crate::rival::{Cannot, Load, Phase, Rival, Work};
use crate::usage::Memory;

pub(crate) struct Crowd {
    name: &'static str,
    title: &'static str,
    count: usize,
}

impl Crowd {
    pub(crate) const TEN: Self =
        Self { name: "crowd-10", title: "10 services: start and stop", count: 10 };
    pub(crate) const THOUSAND: Self =
        Self { name: "crowd-1000", title: "1,000 services: start and stop", count: 1_000 };
    pub(crate) const TEN_THOUSAND: Self = Self {
        name: "crowd-10000",
        title: "10,000 services: start, memory while idle, stop",
        count: 10_000,
    };
    pub(crate) const HUNDRED_THOUSAND: Self = Self {
        name: "crowd-100000",
        title: "100,000 services: start, memory while idle, stop",
        count: 100_000,
    };
}

/// Long enough that nothing is due twice.
const PERIOD: Duration = Duration::from_secs(3_600);
const LIMIT: Duration = Duration::from_secs(30);

/// Below this the fixed cost of a pool or a runtime is most of it.
const ENOUGH_FOR_MEMORY: usize = 10_000;

impl Measure for Crowd {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn columns(&self) -> &'static [Column] {
        if self.count < ENOUGH_FOR_MEMORY {
            const { &[amount("start until each ran, ms"), amount("stop while idle, ms")] }
        } else {
            const {
                &[
                    amount("start until each ran, ms"),
                    amount("stop while idle, ms"),
                    amount("resident bytes each"),
                    amount("with kernel stacks and page tables, bytes each"),
                ]
            }
        }
    }

    fn run(&self, rival: &dyn Rival, effort: Effort) -> Result<Vec<Figure>, Cannot> {
        let first_runs = Arc::new(FirstRuns::new(self.count));
        let work = Arc::clone(&first_runs) as _;
        let load = Load { count: self.count, period: PERIOD, phase: Phase::Together, work };
        let before = Memory::now();
        let start = Instant::now();
        let mut running = rival.periodic(load)?;
        let started = if rival.starts_at_once() {
            first_runs.wait(start)
        } else {
            Err(Cannot("first run at the next due time".to_owned()))
        };
        // Whoever was needed for the start only may go.
        thread::sleep(effort.pick(Duration::from_millis(200), Duration::from_millis(50)));
        let memory = Memory::now();
        let stop = Instant::now();
        let stopped = running.stop().map(|()| milliseconds(stop.elapsed()));
        let mut figures = vec![started, stopped];
        if self.count >= ENOUGH_FOR_MEMORY {
            let (resident, all) = memory.each_since(before, self.count);
            figures.extend([Ok(resident), Ok(all)]);
        }
        Ok(figures)
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// Notes when the last service ran for the first time.
struct FirstRuns {
    ran: Box<[AtomicBool]>,
    left: AtomicUsize,
    all: OnceLock<Instant>,
    waiting: Thread,
}

impl FirstRuns {
    fn new(services: usize) -> Self {
        Self {
            ran: (0..services).map(|_| AtomicBool::new(false)).collect(),
            left: services.into(),
            all: OnceLock::new(),
            waiting: thread::current(),
        }
    }

    fn wait(&self, start: Instant) -> Figure {
        loop {
            if let Some(all) = self.all.get() {
                return Ok(milliseconds(*all - start));
            }
            let left = LIMIT.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(Cannot(format!("not done after {} s", LIMIT.as_secs())));
            }
            thread::park_timeout(left);
        }
    }
}

impl Work for FirstRuns {
    fn run(&self, service: usize) {
        if !self.ran[service].swap(true, Ordering::Relaxed)
            && self.left.fetch_sub(1, Ordering::Relaxed) == 1
        {
            let _ = self.all.set(Instant::now());
            self.waiting.unpark();
        }
    }
}
