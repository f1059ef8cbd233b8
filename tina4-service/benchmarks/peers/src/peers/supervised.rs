//! `supervised`: a task per service with an interval, kept alive by a supervisor.

use std::sync::Arc;
use std::time::Duration;

use supervised::{
    Context, Error, RestartPolicy, RunSummary, ServiceExt, ServiceOutcome, SupervisorBuilder,
    service_fn,
};
use tokio::runtime::Runtime;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, yield_now};

use super::runtime;
use super::tokio_interval::service_loop;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, service_name};

pub(crate) struct Supervised;

/// An extra service requests the shutdown, as its documentation shows.
struct Supervisor {
    runtime: Runtime,
    stop: Arc<Notify>,
    task: Option<JoinHandle<Result<RunSummary, Error>>>,
}

impl Running for Supervisor {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.stop.notify_one();
        let task = self.task.take().expect("stopped once");
        match self.runtime.block_on(task).expect("the supervisor does not panic") {
            Ok(_) => Ok(()),
            Err(error) => Err(Unavailable(error.to_string())),
        }
    }
}

fn start(supervisor: SupervisorBuilder<()>) -> StartResult {
    let (runtime, stop) = (runtime::new(), Arc::new(Notify::new()));
    let asked = Arc::clone(&stop);
    let shutdown = service_fn("shutdown", move |_: Context<()>| {
        let asked = Arc::clone(&asked);
        async move {
            asked.notified().await;
            ServiceOutcome::requested_shutdown()
        }
    });
    let task = runtime.spawn(supervisor.add(shutdown).build().run());
    Ok(Box::new(Supervisor { runtime, stop, task: Some(task) }))
}

impl Peer for Supervised {
    fn name(&self) -> &'static str {
        "supervised"
    }

    fn about(&self) -> &'static str {
        "`service_fn(..).until_cancelled()` per service; the loop inside is that of `tokio-interval`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let mut supervisor = SupervisorBuilder::new(());
        for service in 0..load.count {
            let load = load.clone();
            // Names must be static.
            let name = service_name(service).leak();
            let body = move |_: Context<()>| service_loop(&load, service);
            supervisor = supervisor.add(service_fn(name, body).until_cancelled());
        }
        start(supervisor)
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        let body = move |ctx: Context<()>| {
            let work = Arc::clone(&work);
            async move {
                while !ctx.token().is_cancelled() && work() {
                    yield_now().await;
                }
            }
        };
        start(SupervisorBuilder::new(()).add(service_fn("again", body)))
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let body = move |_: Context<()>| {
            let work = Arc::clone(&work);
            async move {
                work();
                ServiceOutcome::failed("crashed")
            }
        };
        let supervisor = SupervisorBuilder::new(())
            .default_restart_policy(RestartPolicy::always(backoff))
            .add(service_fn("crash", body));
        start(supervisor)
    }
}
