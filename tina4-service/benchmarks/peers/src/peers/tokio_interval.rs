//! A `tokio` task per service with an interval.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::yield_now;
use tokio::time::{Instant, Interval, interval, interval_at, sleep};

use super::runtime::Tasks;
use crate::peer::{Load, Peer, Phase, StartResult, Work};

pub(crate) struct TokioInterval;

impl Peer for TokioInterval {
    fn name(&self) -> &'static str {
        "tokio-interval"
    }

    fn about(&self) -> &'static str {
        "a task per service: `loop { interval.tick().await; work() }`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let mut tasks = Tasks::new();
        for service in 0..load.count {
            tasks.spawn(service_loop(&load, service));
        }
        Ok(Box::new(tasks))
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            while work() {
                yield_now().await;
            }
        });
        Ok(Box::new(tasks))
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let mut tasks = Tasks::new();
        tasks.spawn(async move {
            loop {
                work();
                sleep(backoff).await;
            }
        });
        Ok(Box::new(tasks))
    }
}

/// The loop of a service on `tokio`, which the peers that supervise tasks use as well.
pub(super) fn service_loop(load: &Load, service: usize) -> impl Future<Output = ()> + use<> {
    let (phase, period, delay) = (load.phase, load.period, load.delay(service));
    let start = Instant::now();
    let work = Arc::clone(&load.work);
    async move {
        let mut timer = match phase {
            Phase::Together => interval(period),
            Phase::Spread => interval_at(start + delay, period),
        };
        report_first_tick(&mut timer, &*work, service).await;
        work.run(service);
        loop {
            timer.tick().await;
            work.run(service);
        }
    }
}

/// Waits for the first tick and reports its due time as the grid.
pub(super) async fn report_first_tick(timer: &mut Interval, work: &dyn Work, service: usize) {
    let due = timer.tick().await;
    work.report_grid(service, due.into_std());
}
