//! A well-written manual loop: it sleeps until the next due time, so it keeps its grid.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::threads;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, unavailable};

pub(crate) struct SleepLoop;

pub(super) struct Flag(Arc<AtomicBool>);

impl Running for Flag {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.0.store(true, Ordering::Relaxed);
        unavailable("a sleep cannot be interrupted")
    }
}

impl Peer for SleepLoop {
    fn name(&self) -> &'static str {
        "sleep-loop"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `loop { sleep(next - now); work(); next += period }`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        threads::spawn_per_service(load.count, move |service| {
            let mut next = Instant::now() + load.delay(service);
            load.work.report_grid(service, next);
            loop {
                thread::sleep(next.saturating_duration_since(Instant::now()));
                if stopping.load(Ordering::Relaxed) {
                    return;
                }
                load.work.run(service);
                next += load.period;
            }
        })?;
        Ok(Box::new(Flag(stop)))
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        threads::spawn_per_service(
            1,
            move |_| while !stopping.load(Ordering::Relaxed) && work() {},
        )?;
        Ok(Box::new(Flag(stop)))
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let stop = Arc::new(AtomicBool::new(false));
        let stopping = Arc::clone(&stop);
        threads::spawn_per_service(1, move |_| {
            while !stopping.load(Ordering::Relaxed) {
                work();
                thread::sleep(backoff);
            }
        })?;
        Ok(Box::new(Flag(stop)))
    }
}
