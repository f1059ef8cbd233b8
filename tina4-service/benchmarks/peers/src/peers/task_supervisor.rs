//! `task-supervisor`: a task per service with an interval, kept alive by a supervisor.

use std::sync::Arc;
use std::time::Duration;

use task_supervisor::{
    CancellationToken, SupervisedTask, SupervisorBuilder, SupervisorHandle, TaskResult,
};
use tokio::runtime::Runtime;
use tokio::task::yield_now;

use super::runtime;
use super::tokio_interval::service_loop;
use crate::peer::{Load, Peer, Running, StartResult, Unavailable, service_name};

pub(crate) struct TaskSupervisor;

#[derive(Clone)]
struct Periodic {
    load: Load,
    service: usize,
}

impl SupervisedTask for Periodic {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        cancel.run_until_cancelled(service_loop(&self.load, self.service)).await;
        Ok(())
    }
}

#[derive(Clone)]
struct BackToBack(Arc<dyn Fn() -> bool + Send + Sync>);

impl SupervisedTask for BackToBack {
    async fn run(self, cancel: CancellationToken) -> TaskResult {
        while !cancel.is_cancelled() && (self.0)() {
            yield_now().await;
        }
        Ok(())
    }
}

#[derive(Clone)]
struct Crashing(Arc<dyn Fn() + Send + Sync>);

impl SupervisedTask for Crashing {
    async fn run(self, _cancel: CancellationToken) -> TaskResult {
        (self.0)();
        Err("crashed".into())
    }
}

struct StartedSupervisor {
    runtime: Runtime,
    handle: SupervisorHandle,
}

impl Running for StartedSupervisor {
    fn stop(&mut self) -> Result<(), Unavailable> {
        self.runtime
            .block_on(self.handle.shutdown())
            .map_err(|error| Unavailable(error.to_string()))
    }
}

fn start(supervisor: SupervisorBuilder) -> StartResult {
    let runtime = runtime::new();
    let handle = {
        let _inside = runtime.enter();
        supervisor.spawn()
    };
    Ok(Box::new(StartedSupervisor { runtime, handle }))
}

impl Peer for TaskSupervisor {
    fn name(&self) -> &'static str {
        "task-supervisor"
    }

    fn about(&self) -> &'static str {
        "`with_task` per service; the loop inside is that of `tokio-interval`"
    }

    fn periodic(&self, load: Load) -> StartResult {
        let mut supervisor = SupervisorBuilder::new();
        for service in 0..load.count {
            let task = Periodic { load: load.clone(), service };
            supervisor = supervisor.with_task(&service_name(service), task);
        }
        start(supervisor)
    }

    fn back_to_back(&self, work: Arc<dyn Fn() -> bool + Send + Sync>) -> StartResult {
        start(SupervisorBuilder::new().with_task("again", BackToBack(work)))
    }

    fn crashing(&self, backoff: Duration, work: Arc<dyn Fn() + Send + Sync>) -> StartResult {
        let supervisor = SupervisorBuilder::new()
            .with_base_restart_delay(backoff)
            .with_max_restart_delay(backoff)
            .with_restart_jitter(0.0)
            .with_unlimited_restarts();
        start(supervisor.with_task("crash", Crashing(work)))
    }
}
