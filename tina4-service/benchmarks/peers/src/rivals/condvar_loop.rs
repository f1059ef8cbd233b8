//! A hand-written loop that can be woken: it waits on a condition variable with a timeout.

use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::threads;
use crate::rival::{Answer, Cannot, Load, Rival, Running};

pub(crate) struct CondvarLoop;

/// Whether to stop; each thread has one.
#[derive(Default)]
struct Bell {
    stop: Mutex<bool>,
    news: Condvar,
}

impl Bell {
    fn ring(&self) {
        *self.stop.lock().expect("nobody panics") = true;
        self.news.notify_one();
    }

    fn is_stopping(&self) -> bool {
        *self.stop.lock().expect("nobody panics")
    }

    /// `false`: stop.
    fn sleep_until(&self, next: Instant) -> bool {
        let mut stop = self.stop.lock().expect("nobody panics");
        loop {
            let wait = next.saturating_duration_since(Instant::now());
            if *stop || wait.is_zero() {
                return !*stop;
            }
            (stop, _) = self.news.wait_timeout(stop, wait).expect("nobody panics");
        }
    }
}

struct Threads {
    bells: Arc<[Bell]>,
    threads: Vec<JoinHandle<()>>,
}

impl Threads {
    fn start(
        count: usize,
        body: impl Fn(usize, &Bell) + Clone + Send + 'static,
    ) -> Result<Box<dyn Running>, Cannot> {
        let bells: Arc<[Bell]> = (0..count).map(|_| Bell::default()).collect();
        let mine = Arc::clone(&bells);
        let threads = threads::one_each(count, move |service| body(service, &mine[service]))?;
        Ok(Box::new(Self { bells, threads }))
    }
}

impl Running for Threads {
    fn stop(&mut self) -> Result<(), Cannot> {
        self.bells.iter().for_each(Bell::ring);
        threads::join(&mut self.threads);
        Ok(())
    }
}

impl Rival for CondvarLoop {
    fn name(&self) -> &'static str {
        "condvar-loop"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `Condvar::wait_timeout` until the due time or stop"
    }

    fn periodic(&self, load: Load) -> Answer {
        Threads::start(load.count, move |service, bell| {
            let mut next = Instant::now() + load.delay(service);
            load.work.grid(service, next);
            while bell.sleep_until(next) {
                load.work.run(service);
                next += load.period;
            }
        })
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> Answer {
        Threads::start(1, move |_, bell| while !bell.is_stopping() && work() {})
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> Answer {
        Threads::start(1, move |_, bell| {
            work();
            while bell.sleep_until(Instant::now() + backoff) {
                work();
            }
        })
    }
}
