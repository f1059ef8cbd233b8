//! The loop that most people write: it sleeps a full period after each run, so it drifts.

use std::thread;
use std::time::Instant;

use super::threads;
use crate::rival::{Cannot, Load, Rival, Running, StartResult, cannot};

pub(crate) struct NaiveLoop;

struct Threads;

impl Running for Threads {
    fn stop(&mut self) -> Result<(), Cannot> {
        cannot("same as `sleep-loop`")
    }
}

impl Rival for NaiveLoop {
    fn name(&self) -> &'static str {
        "naive-loop"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `loop { work(); sleep(period) }`; keeps no grid"
    }

    fn periodic(&self, load: Load) -> StartResult {
        if load.count > 1 {
            return cannot("same as `sleep-loop`");
        }
        threads::one_each(load.count, move |service| {
            let mut next = Instant::now();
            loop {
                load.work.due(service, next);
                load.work.run(service);
                next = Instant::now() + load.period;
                thread::sleep(load.period);
            }
        })?;
        Ok(Box::new(Threads))
    }
}
