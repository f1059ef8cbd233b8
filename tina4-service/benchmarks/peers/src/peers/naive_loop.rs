//! The loop that most people write: it sleeps a full period after each run, so it drifts.

use std::thread;
use std::time::Instant;

use super::threads;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, unavailable};

pub(crate) struct NaiveLoop;

struct NaiveThreads;

impl Running for NaiveThreads {
    fn stop(&mut self) -> Result<(), Unavailable> {
        unavailable("same as `sleep-loop`")
    }
}

impl Peer for NaiveLoop {
    fn name(&self) -> &'static str {
        "naive-loop"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `loop { work(); sleep(period) }`; keeps no grid"
    }

    fn periodic(&self, load: Load) -> StartResult {
        if load.count > 1 {
            return unavailable("same as `sleep-loop`");
        }
        threads::spawn_per_service(load.count, move |service| {
            let mut next = Instant::now();
            loop {
                load.work.report_due(service, next);
                load.work.run(service);
                next = Instant::now() + load.period;
                thread::sleep(load.period);
            }
        })?;
        Ok(Box::new(NaiveThreads))
    }
}
