//! The response body of `GET /health`.

use serde::Serialize;
use tina4_service::ServiceInfo;

/// The response to `GET /health`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    pub(crate) healthy: bool,
    /// One line for each service that is not healthy.
    problems: Vec<String>,
    /// One line for each service whose runs have ended badly, or not at all, for longer than its schedule allows. That is a
    /// reason for somebody to look, but none to restart the shop.
    overdue: Vec<String>,
}

impl Health {
    /// Healthy if every service is.
    pub(crate) fn of(services: &[ServiceInfo]) -> Self {
        let lines = |is_listed: fn(&&ServiceInfo) -> bool| -> Vec<String> {
            services.iter().filter(is_listed).map(ToString::to_string).collect()
        };
        let problems = lines(|service| !service.is_healthy());
        let overdue = lines(|service| service.overdue.is_some());
        Self { healthy: problems.is_empty(), problems, overdue }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use tina4_service::{Change, Clock, Flow, Runner, Service};

    #[test]
    fn a_failed_service_is_unhealthy_and_is_named() {
        let runner = Runner::new();
        runner.register(Service::new("good", |_| Flow::Done)).unwrap();
        runner.start_all().expect("it has no faults");
        runner.wait();
        assert_eq!(
            Health::of(&runner.services()),
            Health { healthy: true, problems: vec![], overdue: vec![] }
        );

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

    #[test]
    fn a_service_without_success_for_two_due_times_is_overdue() {
        let fails = Service::new("upkeep", |_| Err::<(), _>("the disk is full"));
        let fails = fails.interval("10m").backoff("1h").max_backoff("1h");
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let runner = Runner::builder().only::<&str>([]).clock(clock.clone()).build();
        let events = runner.subscribe();
        runner.register(fails).unwrap();
        runner.start_all().expect("it has no faults");
        while !matches!(events.recv().expect("it crashes").change, Change::Crashed { .. }) {}
        clock.advance(Duration::from_secs(601));
        let health = Health::of(&runner.services());
        assert!(health.healthy && health.problems.is_empty(), "{health:?}");
        assert!(health.overdue[0].starts_with("upkeep: backing off"), "{health:?}");
        assert!(health.overdue[0].contains("overdue for 1s"), "{health:?}");
    }
}
