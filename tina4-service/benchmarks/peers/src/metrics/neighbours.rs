//! The lateness of services while their neighbours block.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, amount, plain};
use crate::peer::{Load, Peer, Phase, Unavailable};
use crate::record::Recorder;

pub(crate) struct Neighbours;

const COUNT: usize = 100;
const PERIOD: Duration = Duration::from_millis(100);
const BLOCK: Duration = Duration::from_millis(50);
const SETTLE: Duration = Duration::from_millis(500);

impl Metric for Neighbours {
    fn name(&self) -> &'static str {
        "neighbours"
    }

    fn title(&self) -> &'static str {
        "Lateness of 50 services at 100 ms while 50 others block for 50 ms in each run"
    }

    fn columns(&self) -> &'static [Column] {
        const {
            &[
                amount("undisturbed p50, us"),
                amount("undisturbed p99, us"),
                amount("p50, us"),
                amount("p99, us"),
                plain("p99 / undisturbed"),
                plain("runs of 1,000 due"),
            ]
        }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let length = effort.pick(Duration::from_millis(1_200), Duration::from_millis(700));
        let blocking = Arc::new(AtomicBool::new(false));
        let block = Arc::clone(&blocking);
        let body = move |service: usize| {
            if !is_observed(&service) && block.load(Ordering::Relaxed) {
                thread::sleep(BLOCK);
            }
        };
        let capacity = 4 * (SETTLE + length).div_duration_f64(PERIOD) as usize;
        let recorder = Arc::new(Recorder::with_body(COUNT, capacity, body));
        let work = Arc::clone(&recorder) as _;
        let load = Load { count: COUNT, period: PERIOD, phase: Phase::Spread, work };
        let _running = peer.periodic(load)?;
        let observe = || {
            thread::sleep(SETTLE);
            let window = (Instant::now(), Instant::now() + length);
            thread::sleep(length + PERIOD);
            recorder.window_stats(window, PERIOD, (0..COUNT).filter(is_observed))
        };
        let undisturbed = observe();
        blocking.store(true, Ordering::Relaxed);
        let disturbed = observe();
        let none = || Unavailable("no due service ran".to_owned());
        let before = |part| undisturbed.quantile(part).ok_or_else(none);
        let then = |part| disturbed.quantile(part).ok_or_else(none);
        let ratio = then(0.99).and_then(|then| Ok(then / before(0.99)?));
        let ran = Ok(disturbed.per_thousand());
        Ok(vec![before(0.5), before(0.99), then(0.5), then(0.99), ratio, ran])
    }
}

/// Whether a service is observed; the others block.
fn is_observed(service: &usize) -> bool {
    service.is_multiple_of(2)
}
