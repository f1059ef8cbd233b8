//! CPU time and context switches while nothing is due.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::counter::Counter;
use crate::measure::{Column, Effort, Figure, Measure, amount, plain};
use crate::rival::{Cannot, Load, Phase, Rival};
use crate::usage::CpuUsage;

pub(crate) struct Idle;

const COUNT: usize = 100;
const PERIOD: Duration = Duration::from_secs(30);
/// Threads that were only needed for the start exit during this time.
const SETTLE: Duration = Duration::from_secs(8);

impl Measure for Idle {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn title(&self) -> &'static str {
        "100 services at 30 s, over 20 s in which none is due (cron-like rivals: due once)"
    }

    fn columns(&self) -> &'static [Column] {
        const { &[amount("CPU, us"), plain("switches"), plain("runs")] }
    }

    fn can_share_the_machine(&self) -> bool {
        true
    }

    fn run(&self, rival: &dyn Rival, effort: Effort) -> Result<Vec<Figure>, Cannot> {
        let counter = Arc::new(Counter::new(COUNT));
        let work = Arc::clone(&counter) as _;
        let load = Load { count: COUNT, period: PERIOD, phase: Phase::Together, work };
        let _running = rival.periodic(load)?;
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
