//! A hand-written loop that a stop request can wake: it waits on a condition variable with a
//! timeout.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::threads;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable};

pub(crate) struct CondvarLoop;

/// The stop request of one thread.
#[derive(Default)]
struct StopFlag {
    stop: Mutex<bool>,
    changed: Condvar,
}

impl StopFlag {
    fn request_stop(&self) {
        *self.stop.lock().expect("no thread panics") = true;
        self.changed.notify_one();
    }

    fn is_stopping(&self) -> bool {
        *self.stop.lock().expect("no thread panics")
    }

    /// Sleeps until `next`; returns `false` if asked to stop.
    fn sleep_until(&self, next: Instant) -> bool {
        let mut stop = self.stop.lock().expect("no thread panics");
        loop {
            let wait = next.saturating_duration_since(Instant::now());
            if *stop || wait.is_zero() {
                return !*stop;
            }
            (stop, _) = self.changed.wait_timeout(stop, wait).expect("no thread panics");
        }
    }
}

struct CondvarThreads {
    flags: Arc<[StopFlag]>,
    threads: Vec<JoinHandle<()>>,
}

impl CondvarThreads {
    fn start(
        count: usize,
        body: impl Fn(usize, &StopFlag) + Clone + Send + 'static,
    ) -> Result<Box<dyn Running>, Unavailable> {
        let flags: Arc<[StopFlag]> = (0..count).map(|_| StopFlag::default()).collect();
        let mine = Arc::clone(&flags);
        let threads =
            threads::spawn_per_service(count, move |service| body(service, &mine[service]))?;
        Ok(Box::new(Self { flags, threads }))
    }
}

impl Running for CondvarThreads {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.flags.iter().for_each(StopFlag::request_stop);
        threads::join(&mut self.threads);
        Ok(())
    }
}

impl Peer for CondvarLoop {
    fn name(&self) -> &'static str {
        "condvar-loop"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `Condvar::wait_timeout` until the due time or stop"
    }

    fn periodic(&self, load: Load) -> StartResult {
        CondvarThreads::start(load.count, move |service, flag| {
            let mut next = Instant::now() + load.delay(service);
            load.work.report_grid(service, next);
            while flag.sleep_until(next) {
                load.work.run(service);
                next += load.period;
            }
        })
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        CondvarThreads::start(1, move |_, flag| while !flag.is_stopping() && work() {})
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        CondvarThreads::start(1, move |_, flag| {
            work();
            while flag.sleep_until(Instant::now() + backoff) {
                work();
            }
        })
    }
}
