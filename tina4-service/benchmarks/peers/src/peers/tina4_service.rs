//! This crate with its defaults, including statistics, panic handling and supervision.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tina4_service::{Context, Flow, Runner, Service};

use crate::peer::{Load, Peer, Phase, Running, StartResult, Unavailable, service_name};

pub(crate) struct Tina4Service;

struct Services(Runner);

impl Running for Services {
    fn stop(&mut self) -> Result<(), Unavailable> {
        let report = self.0.stop_all();
        match report.abandoned().next() {
            None => Ok(()),
            Some(late) => Err(Unavailable(format!("`{}` did not stop", late.name))),
        }
    }
}

fn start(runner: Runner) -> StartResult {
    match runner.start_all() {
        Ok(_) => Ok(Box::new(Services(runner))),
        Err(error) => Err(Unavailable(error.to_string())),
    }
}

impl Peer for Tina4Service {
    fn name(&self) -> &'static str {
        "tina4-service"
    }

    fn about(&self) -> &'static str {
        "`Service::new(..).interval(..)`, one `Runner`, defaults"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let runner = Runner::new();
        for number in 0..load.count {
            let work = Arc::clone(&load.work);
            let mut service = Service::new(service_name(number), move |ctx| {
                if work.wants_grid(number) {
                    work.report_grid(number, due(ctx));
                }
                work.run(number);
            })
            .interval(load.period);
            if load.phase == Phase::Spread {
                service = service.initial_delay(load.delay(number));
            }
            runner.register(service).unwrap();
        }
        start(runner)
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let runner = Runner::new();
        runner.register(Service::new(
            "again",
            move |_| {
                if work() { Flow::Again } else { Flow::Done }
            },
        )).unwrap();
        start(runner)
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let runner = Runner::new();
        let body = move |_: &Context| {
            work();
            Err::<(), _>("crashed")
        };
        runner.register(Service::new("crash", body).backoff(backoff).max_backoff(backoff)).unwrap();
        start(runner)
    }
}

/// The due time of this run as an `Instant`, which is what the metrics use.
fn due(ctx: &Context) -> Instant {
    // Read this clock first: the time between the two readings then counts as lateness.
    let now = Instant::now();
    let late = SystemTime::now().duration_since(ctx.tick().due).unwrap_or_default();
    now - late
}
