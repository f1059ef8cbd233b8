//! The response bodies of `GET /health` and `GET /services`.

use serde::Serialize;
use tina4_service::{QueueInfo, ServiceInfo};

/// The response to `GET /health`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    pub(crate) healthy: bool,
    /// One line for each service that needs attention.
    problems: Vec<String>,
}

impl Health {
    /// Healthy if every service is.
    pub(crate) fn of(services: &[ServiceInfo]) -> Self {
        let problems: Vec<_> = services
            .iter()
            .filter(|service| !service.is_healthy())
            .map(ToString::to_string)
            .collect();
        Self { healthy: problems.is_empty(), problems }
    }
}

/// One service in the response to `GET /services`.
#[derive(Debug, Serialize)]
pub(crate) struct ServiceSummary {
    name: String,
    state: String,
    /// Why it is disabled or blocked.
    reason: Option<String>,
    schedule: String,
    runs: u64,
    crashes: u64,
    restarts: u64,
    last_error: Option<String>,
    /// The jobs of a service that has a queue.
    queue: Option<QueueSummary>,
}

/// The jobs of a queue: those in the store, and those that this process has worked on.
#[derive(Debug, Serialize)]
struct QueueSummary {
    ready: Option<u64>,
    delayed: Option<u64>,
    claimed: Option<u64>,
    dead: Option<u64>,
    done: u64,
    failed_attempts: u64,
}

impl From<QueueInfo> for QueueSummary {
    fn from(queue: QueueInfo) -> Self {
        // `None` if the store cannot be reached.
        let backlog = queue.backlog;
        Self {
            ready: backlog.map(|backlog| backlog.ready),
            delayed: backlog.map(|backlog| backlog.delayed),
            claimed: backlog.map(|backlog| backlog.claimed),
            dead: backlog.map(|backlog| backlog.dead),
            done: queue.counters.done,
            failed_attempts: queue.counters.failed,
        }
    }
}

impl From<ServiceInfo> for ServiceSummary {
    fn from(service: ServiceInfo) -> Self {
        Self {
            name: service.name.into_owned(),
            state: service.state.to_string(),
            reason: service.reason.map(|reason| (*reason).to_owned()),
            schedule: service.schedule.to_string(),
            runs: service.runs,
            crashes: service.crashes,
            restarts: service.restarts,
            last_error: service.last_error.map(|error| (*error).to_owned()),
            queue: service.queue.map(QueueSummary::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tina4_service::{Flow, Runner, Service};

    #[test]
    fn a_failed_service_is_unhealthy_and_is_named() {
        let runner = Runner::new();
        runner.register(Service::new("good", |_| Flow::Done)).unwrap();
        runner.start_all().expect("it has no faults");
        runner.wait();
        assert_eq!(Health::of(&runner.services()), Health { healthy: true, problems: vec![] });

        let bad = Service::new("bad", |_| Err::<(), _>("connection refused")).max_restarts(0);
        runner.register(bad).unwrap();
        runner.start("bad").expect("it has no faults");
        runner.wait();
        let health = Health::of(&runner.services());
        assert!(!health.healthy);
        assert_eq!(health.problems.len(), 1);
        assert!(health.problems[0].contains("bad: failed"), "{health:?}");
        assert!(health.problems[0].contains("connection refused"), "{health:?}");
    }
}
