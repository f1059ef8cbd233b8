//! How late runs start.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, amount, plain};
use crate::peer::{Load, Peer, Phase, Unavailable};
use crate::record::{Recorder, WindowStats};
use crate::usage::CpuUsage;

pub(crate) struct Lateness {
    name: &'static str,
    title: &'static str,
    count: usize,
    period: Duration,
    phase: Phase,
    /// How long to measure: a multiple of the period.
    length: Duration,
}

impl Lateness {
    pub(crate) const ONE: Self = Self {
        name: "lateness-1",
        title: "Lateness, 1 service at 10 ms",
        count: 1,
        period: Duration::from_millis(10),
        phase: Phase::Together,
        // At least a thousand runs, which a p99.9 needs.
        length: Duration::from_millis(10_100),
    };
    pub(crate) const HUNDRED_TOGETHER: Self = Self {
        name: "lateness-100",
        title: "Lateness, 100 services at 10 ms, started together",
        count: 100,
        period: Duration::from_millis(10),
        phase: Phase::Together,
        length: Duration::from_millis(1_800),
    };
    pub(crate) const HUNDRED_SPREAD: Self = Self {
        name: "lateness-100-spread",
        title: "Lateness, 100 services at 10 ms, evenly spread",
        count: 100,
        period: Duration::from_millis(10),
        phase: Phase::Spread,
        length: Duration::from_millis(1_800),
    };
    pub(crate) const TEN_THOUSAND: Self = Self {
        name: "lateness-10000",
        title: "Lateness, 10,000 services at 1 s, evenly spread (cron-like peers: all together)",
        count: 10_000,
        period: Duration::from_secs(1),
        phase: Phase::Spread,
        length: Duration::from_secs(10),
    };
}

impl Metric for Lateness {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn columns(&self) -> &'static [Column] {
        const {
            &[
                amount("p50, us"),
                amount("p99, us"),
                amount("p99.9, us"),
                amount("max, us"),
                plain("runs of 1,000 due"),
                amount("CPU per run, us"),
            ]
        }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let length = effort.pick(self.length, Duration::from_secs(1));
        // After this time all threads are running and have adapted to the first runs.
        let settle = self.period.max(Duration::from_millis(300));
        let capacity = (settle + length).div_duration_f64(self.period) * 2.0 + 20.0;
        let recorder = Arc::new(Recorder::new(self.count, capacity as usize));
        let work = Arc::clone(&recorder) as _;
        let Self { count, period, phase, .. } = *self;
        let _running = peer.periodic(Load { count, period, phase, work })?;
        thread::sleep(settle);
        let window = (Instant::now(), Instant::now() + length);
        let before = CpuUsage::now();
        thread::sleep(length);
        let cpu = CpuUsage::now().cpu_since(before);
        // The last due runs may start late.
        thread::sleep(settle.min(Duration::from_millis(200)));
        Ok(figures(&recorder.window_stats(window, self.period, 0..self.count), cpu))
    }
}

/// With fewer runs there is no p99.9.
const ENOUGH: usize = 1_000;

fn figures(seen: &WindowStats, cpu: f64) -> Vec<Figure> {
    let none = || Unavailable("nothing ran".to_owned());
    let quantile = |part| seen.quantile(part).ok_or_else(none);
    let thousandth = if seen.late.len() < ENOUGH {
        Err(Unavailable("too few runs".to_owned()))
    } else {
        quantile(0.999)
    };
    let each = if seen.began == 0 { Err(none()) } else { Ok(cpu / seen.began as f64) };
    let ran = Ok(seen.per_thousand());
    vec![quantile(0.5), quantile(0.99), thousandth, quantile(1.0), ran, each]
}
