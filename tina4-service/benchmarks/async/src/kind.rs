//! The two ways to run something at an interval on a tokio runtime.

use std::time::{Duration, Instant, SystemTime};

use tina4_service::{Runner, Service, Tick};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use tokio::time::interval_at;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An async service of one runner.
    Service,
    /// A task: `loop { interval.tick().await; work() }`.
    Tokio,
}

/// The kind of periodic work.
pub(crate) trait Work: Sync {
    /// Called at the beginning of each run of the service or task with this number. `due`: computes when
    /// the run was due.
    fn run(&self, number: usize, due: impl FnOnce() -> Instant);
}

pub(crate) struct Load {
    pub(crate) count: usize,
    pub(crate) period: Duration,
    /// Whether their due times are spread evenly over the period.
    pub(crate) is_spread: bool,
    /// Services only; a task has none.
    pub(crate) tolerance: Option<Duration>,
}

impl Load {
    /// When the first run of this service or task is due, from the start.
    fn delay(&self, number: usize) -> Duration {
        if !self.is_spread {
            return Duration::ZERO;
        }
        // An `initial_delay` has a minimum.
        self.period + self.period.mul_f64(number as f64 / self.count as f64)
    }
}

pub(crate) enum Running {
    Services(Runner),
    Tasks(JoinSet<()>),
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Service, Self::Tokio];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Tokio => "tokio",
        }
    }

    /// Starts all of them; unless they are spread, each runs once immediately. Also returns when the services
    /// had been registered; tasks need no registration.
    pub(crate) fn start<W: Work>(
        self,
        on: &Runtime,
        load: &Load,
        work: &'static W,
    ) -> (Running, Instant) {
        let Load { count, period, tolerance, .. } = *load;
        match self {
            Self::Service => {
                let runner = Runner::builder().runtime(on.handle().clone()).build();
                for number in 0..count {
                    let run = move |tick: Tick| async move { work.run(number, || due(tick)) };
                    let service = Service::of(format!("service-{number}"), run).interval(period);
                    let service = match load.delay(number) {
                        Duration::ZERO => service,
                        delay => service.initial_delay(delay),
                    };
                    let service = match tolerance {
                        Some(tolerance) => service.tolerance(tolerance),
                        None => service,
                    };
                    runner.register(service).expect("the name is new, and the settings are right");
                }
                let registered = Instant::now();
                runner.start_all().expect("nothing is wrong with the services");
                (Running::Services(runner), registered)
            }
            Self::Tokio => {
                let mut tasks = JoinSet::new();
                let start = tokio::time::Instant::now();
                for number in 0..count {
                    let first = start + load.delay(number);
                    let task = async move {
                        let mut interval = interval_at(first, period);
                        loop {
                            let due = interval.tick().await;
                            work.run(number, || due.into_std());
                        }
                    };
                    tasks.spawn_on(task, on.handle());
                }
                (Running::Tasks(tasks), start.into_std())
            }
        }
    }
}

impl Running {
    pub(crate) fn stop(self, on: &Runtime) {
        match self {
            Self::Services(runner) => {
                let report = runner.stop_all();
                assert_eq!(report.abandoned().count(), 0, "{report}");
            }
            Self::Tasks(mut tasks) => on.block_on(tasks.shutdown()),
        }
    }
}

/// The runtime of both kinds, with the default number of threads.
pub(crate) fn runtime() -> Runtime {
    Builder::new_multi_thread().enable_all().build().expect("threads can be started")
}

/// The due time of a run as an [`Instant`].
fn due(tick: Tick) -> Instant {
    // Read this clock first: the time between the two readings then counts as lateness.
    let now = Instant::now();
    now - SystemTime::now().duration_since(tick.due).unwrap_or_default()
}
