//! The CPU time of a run with an empty body.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::counter::Counter;
use crate::metric::{Column, Effort, Figure, Metric, amount, plain};
use crate::peer::{Load, Peer, Phase, Unavailable};
use crate::usage::CpuUsage;

pub(crate) struct Cpu {
    name: &'static str,
    title: &'static str,
    count: usize,
}

impl Cpu {
    pub(crate) const ONE: Self =
        Self { name: "cpu-1", title: "CPU time, 1 service at 1 ms, empty body", count: 1 };
    pub(crate) const TEN: Self =
        Self { name: "cpu-10", title: "CPU time, 10 services at 1 ms, empty bodies", count: 10 };
    pub(crate) const HUNDRED: Self =
        Self { name: "cpu-100", title: "CPU time, 100 services at 1 ms, empty bodies", count: 100 };
}

const PERIOD: Duration = Duration::from_millis(1);
const SETTLE: Duration = Duration::from_millis(300);

impl Metric for Cpu {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("CPU per run, us"), plain("switches per run"), plain("runs of 1,000 due")] }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let length = effort.pick(Duration::from_millis(800), Duration::from_millis(400));
        let counter = Arc::new(Counter::new(self.count));
        let work = Arc::clone(&counter) as _;
        let load = Load { count: self.count, period: PERIOD, phase: Phase::Together, work };
        let _running = peer.periodic(load)?;
        thread::sleep(SETTLE);
        let (before, runs, start) = (CpuUsage::now(), counter.total(), Instant::now());
        thread::sleep(length);
        let (after, runs, took) = (CpuUsage::now(), counter.total() - runs, start.elapsed());
        if runs == 0 {
            return Err(Unavailable("nothing ran".to_owned()));
        }
        let due = took.div_duration_f64(PERIOD) * self.count as f64;
        let runs = runs as f64;
        Ok(vec![
            Ok(after.cpu_since(before) / runs),
            Ok(after.switches_since(before) / runs),
            Ok(1_000.0 * runs / due),
        ])
    }
}
