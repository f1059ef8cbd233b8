//! CPU time and context switches while nothing is due.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::counter::Counter;
use crate::metric::{Column, Effort, Figure, Metric, amount, plain};
use crate::peer::{Load, Peer, Phase, Unavailable};
use crate::usage::CpuUsage;

pub(crate) struct Idle;

const COUNT: usize = 100;
const PERIOD: Duration = Duration::from_secs(30);
/// The idle threads of this crate exit during this time (after 5 s), but those of the blocking pool
/// of `tokio` do not (10 s).
const SETTLE: Duration = Duration::from_secs(8);

impl Metric for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn title(&self) -> &'static str {
        "100 services at 30 s, over 20 s in which none is due (cron-like peers: due once)"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("CPU, us"), plain("switches"), plain("runs")] }
    }

    fn can_share_the_machine(&self) -> bool {
        true
    }

    fn run(&self, peer: &dyn Peer, effort: Effort) -> Result<Vec<Figure>, Unavailable> {
        let counter = Arc::new(Counter::new(COUNT));
        let work = Arc::clone(&counter) as _;
        let load = Load { count: COUNT, period: PERIOD, phase: Phase::Together, work };
        let _running = peer.periodic(load)?;
        thread::sleep(effort.pick(SETTLE, SETTLE / 8));
        let (before, runs) = (CpuUsage::now(), counter.total());
        thread::sleep(effort.pick(Duration::from_secs(20), Duration::from_secs(3)));
        let after = CpuUsage::now();
        Ok(vec![
            Ok(after.cpu_since(before)),
            Ok(after.switches_since(before)),
            Ok((counter.total() - runs) as f64),
        ])
    }
}
