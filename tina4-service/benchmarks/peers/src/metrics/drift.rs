//! Whether runs drift off their grid or get lost: one service at 10 ms is due 1,000 times in 10 s.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, plain};
use crate::peer::{Load, Peer, Phase, Unavailable};
use crate::record::Recorder;

pub(crate) struct Drift;

const PERIOD: Duration = Duration::from_millis(10);

impl Metric for Drift {
    fn name(&self) -> &'static str {
        "drift"
    }

    fn title(&self) -> &'static str {
        "Drift, 1 service at 10 ms for 10 s"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[plain("drift, ms"), plain("runs of 1,000 due")] }
    }

    fn can_share_the_machine(&self) -> bool {
        true
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let length = effort.pick(Duration::from_secs(10), Duration::from_secs(2));
        let recorder = Arc::new(Recorder::new(1, 2_000));
        let work = Arc::clone(&recorder) as _;
        let load = Load { count: 1, period: PERIOD, phase: Phase::Together, work };
        let _running = peer.periodic(load)?;
        // The window starts and ends between two due times, so that a late run still counts.
        thread::sleep(PERIOD * 10 + PERIOD / 2);
        let window = (Instant::now(), Instant::now() + length);
        thread::sleep(length);
        let ran = recorder.window_stats(window, PERIOD, 0..1).per_thousand();
        Ok(vec![Ok(recorder.drift(0, PERIOD)), Ok(ran)])
    }
}
