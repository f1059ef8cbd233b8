//! The time to stop a service during its backoff.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use std::sync::Arc;

use crate::metric::{Column, Effort, Figure, Metric, amount};
use crate::peer::{Peer, Unavailable};

pub(crate) struct StopBackoff;

const BACKOFF: Duration = Duration::from_secs(60);
const SETTLE: Duration = Duration::from_millis(50);

impl Metric for StopBackoff {
    fn name(&self) -> &'static str {
        "stop-backoff"
    }

    fn title(&self) -> &'static str {
        "Stop of a service in a backoff of 60 s"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("stop, us")] }
    }

    fn run(&self, peer: &dyn Peer, _: Effort) -> Result<Vec<Figure>, Unavailable> {
        let (crashed, crash) = mpsc::channel();
        let mut running = peer.crashing(
            BACKOFF,
            Arc::new(move || {
                let _ = crashed.send(());
            }),
        )?;
        crash.recv().map_err(|_| Unavailable("it never ran".to_owned()))?;
        thread::sleep(SETTLE);
        let stop = Instant::now();
        Ok(vec![running.stop().map(|()| stop.elapsed().as_nanos() as f64 / 1e3)])
    }
}
