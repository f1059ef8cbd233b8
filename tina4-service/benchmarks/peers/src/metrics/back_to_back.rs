//! The time per run of one service that runs back to back and does nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::metric::{Column, Effort, Figure, Metric, amount};
use crate::peer::{Peer, Unavailable};

pub(crate) struct BackToBack;

const SETTLE: Duration = Duration::from_millis(100);

impl Metric for BackToBack {
    fn name(&self) -> &'static str {
        "back-to-back"
    }

    fn title(&self) -> &'static str {
        "Back-to-back runs of one service, empty body"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("ns per run")] }
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let runs = Arc::new(AtomicU64::new(0));
        let enough = Arc::new(AtomicBool::new(false));
        let (count, ended) = (Arc::clone(&runs), Arc::clone(&enough));
        let _running = peer.back_to_back(Arc::new(move || {
            // There is only one writer, so no atomic addition is needed.
            count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
            !ended.load(Ordering::Relaxed)
        }))?;
        thread::sleep(SETTLE);
        let (before, start) = (runs.load(Ordering::Relaxed), Instant::now());
        thread::sleep(effort.pick(Duration::from_millis(400), Duration::from_millis(100)));
        let (after, took) = (runs.load(Ordering::Relaxed), start.elapsed());
        enough.store(true, Ordering::Relaxed);
        Ok(vec![Ok(took.as_nanos() as f64 / (after - before) as f64)])
    }
}
