//! A `tokio` task per service that runs its body on the blocking pool.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, interval_at, sleep};

use super::runtime::Tasks;
use super::tokio_interval::report_first_tick;
use crate::peer::{Load, Peer, Phase, StartResult};

pub(crate) struct TokioBlocking;

impl Peer for TokioBlocking {
    fn name(&self) -> &'static str {
        "tokio-blocking"
    }

    fn about(&self) -> &'static str {
        "a task per service: `loop { interval.tick().await; spawn_blocking(work).await }`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let mut tasks = Tasks::new();
        let start = Instant::now();
        for service in 0..load.count {
            let load = load.clone();
            tasks.spawn(async move {
                let mut timer = match load.phase {
                    Phase::Together => interval(load.period),
                    Phase::Spread => interval_at(start + load.delay(service), load.period),
                };
                report_first_tick(&mut timer, &*load.work, service).await;
                loop {
                    let work = Arc::clone(&load.work);
                    if spawn_blocking(move || work.run(service)).await.is_err() {
                        // The runtime is shutting down.
                        return;
                    }
                    timer.tick().await;
                }
            });
        }
        Ok(Box::new(tasks))
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            loop {
                let work = Arc::clone(&work);
                if !spawn_blocking(move || work()).await.unwrap_or(false) {
                    return;
                }
            }
        });
        Ok(Box::new(tasks))
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            loop {
                let work = Arc::clone(&work);
                if spawn_blocking(move || work()).await.is_err() {
                    return;
                }
                sleep(backoff).await;
            }
        });
        Ok(Box::new(tasks))
    }
}
