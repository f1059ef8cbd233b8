//! What `GET /health` and `GET /services` say of the services.

use serde::Serialize;
use tina4_service::ServiceInfo;

/// The answer of `GET /health`.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    pub(crate) healthy: bool,
    /// One line for each service that needs attention.
    troubles: Vec<String>,
}

impl Health {
    /// Everything is well as long as every service is.
    pub(crate) fn of(services: &[ServiceInfo]) -> Self {
        let troubles: Vec<_> = services
            .iter()
            .filter(|service| !service.is_healthy())
            .map(ToString::to_string)
            .collect();
        Self { healthy: troubles.is_empty(), troubles }
    }
}

/// One service in the answer of `GET /services`.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    name: String,
    state: String,
    schedule: String,
    runs: u64,
    crashes: u64,
    restarts: u64,
    last_error: Option<String>,
}

impl From<ServiceInfo> for Listed {
    fn from(service: ServiceInfo) -> Self {
        Self {
            name: service.name.into_owned(),
            state: service.state.to_string(),
            schedule: service.schedule.to_string(),
            runs: service.runs,
            crashes: service.crashes,
            restarts: service.restarts,
            last_error: service.last_error.map(|error| (*error).to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tina4_service::{Flow, Runner, Service};

    #[test]
    fn a_failed_service_is_trouble_and_is_named() {
        let runner = Runner::new();
        runner.register(Service::new("good", |_| Flow::Done));
        runner.start_all().expect("nothing is wrong with it");
        runner.wait();
        assert_eq!(Health::of(&runner.services()), Health { healthy: true, troubles: vec![] });

        runner.register(Service::new("bad", |_| Err::<(), _>("no ink")).max_restarts(0));
        runner.start("bad").expect("nothing is wrong with it");
        runner.wait();
        let health = Health::of(&runner.services());
        assert!(!health.healthy);
        assert_eq!(health.troubles.len(), 1);
        assert!(health.troubles[0].contains("bad: failed"), "{health:?}");
        assert!(health.troubles[0].contains("no ink"), "{health:?}");
    }
}
