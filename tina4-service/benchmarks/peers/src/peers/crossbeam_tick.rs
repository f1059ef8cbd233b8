//! A thread per service that selects on a `tick` channel and a stop channel.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, after, at, bounded, select, tick};

use super::threads;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable};

pub(crate) struct CrossbeamTick;

/// Dropping the sender asks all threads to stop.
struct TickThreads {
    stop: Option<Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

impl TickThreads {
    fn start(
        count: usize,
        body: impl Fn(usize, &Receiver<()>) + Clone + Send + 'static,
    ) -> Result<Box<dyn Running>, Unavailable> {
        let (stop, stopping) = bounded(0);
        let threads = threads::spawn_per_service(count, move |service| body(service, &stopping))?;
        Ok(Box::new(Self { stop: Some(stop), threads }))
    }
}

impl Running for TickThreads {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.stop = None;
        threads::join(&mut self.threads);
        Ok(())
    }
}

impl Peer for CrossbeamTick {
    fn name(&self) -> &'static str {
        "crossbeam-tick"
    }

    fn about(&self) -> &'static str {
        "a thread per service: `select!` of `tick(period)` and a stop channel; keeps no grid"
    }

    fn periodic(&self, load: Load) -> StartResult {
        TickThreads::start(load.count, move |service, stop| {
            let first = Instant::now() + load.delay(service);
            select! {
                recv(at(first)) -> _ => {}
                recv(stop) -> _ => return,
            }
            let ticks = tick(load.period);
            load.work.report_due(service, first);
            load.work.run(service);
            loop {
                select! {
                    recv(ticks) -> due => load.work.report_due(service, due.expect("ticks go on")),
                    recv(stop) -> _ => return,
                }
                load.work.run(service);
            }
        })
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        TickThreads::start(1, move |_, stop| {
            loop {
                select! {
                    recv(stop) -> _ => return,
                    default => if !work() { return },
                }
            }
        })
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        TickThreads::start(1, move |_, stop| {
            loop {
                work();
                select! {
                    recv(after(backoff)) -> _ => {}
                    recv(stop) -> _ => return,
                }
            }
        })
    }
}
