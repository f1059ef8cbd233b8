//! This crate with its defaults, including statistics, panic handling and supervision, and the same with
//! a tolerance.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tina4_service::{Context, Flow, Runner, Service};

use crate::peer::{Load, Peer, Phase, Running, StartResult, Unavailable, service_name, unavailable};

pub(crate) struct Tina4Service {
    name: &'static str,
    about: &'static str,
    tolerance: Option<Duration>,
}

impl Tina4Service {
    pub(crate) const EXACT: Self = Self {
        name: "tina4-service",
        about: "`Service::new(..).interval(..)`, one `Runner`, defaults",
        tolerance: None,
    };
    pub(crate) const TOLERANT: Self = Self {
        name: "tina4-service-tolerance",
        about: "the same with `tolerance(\"1ms\")`",
        tolerance: Some(Duration::from_millis(1)),
    };
}

/// The figure of a metric without due times, to which a tolerance does not apply.
const AS_EXACT: &str = "as without a tolerance";

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
        self.name
    }

    fn about(&self) -> &'static str {
        self.about
    }

    fn periodic(&self, load: Load) -> StartResult {
        if self.tolerance.is_some_and(|tolerance| tolerance >= load.period) {
            return unavailable("the tolerance is shorter than the period");
        }
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
            if let Some(tolerance) = self.tolerance {
                service = service.tolerance(tolerance);
            }
            if load.phase == Phase::Spread {
                service = service.initial_delay(load.delay(number));
            }
            runner.register(service).unwrap();
        }
        start(runner)
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        if self.tolerance.is_some() {
            return unavailable(AS_EXACT);
        }
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
        if self.tolerance.is_some() {
            return unavailable(AS_EXACT);
        }
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
