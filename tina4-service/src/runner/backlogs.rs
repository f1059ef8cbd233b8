//! The numbers of jobs in the snapshots of services.

use tina4_service_queue::Queues;

use crate::observe::info::ServiceInfo;
use crate::runner::runner::Runner;

impl Runner {
    /// Adds the numbers of jobs, without holding a lock: the engine may block.
    pub(super) fn with_backlogs(&self, mut services: Vec<ServiceInfo>) -> Vec<ServiceInfo> {
        if !self.counts_jobs {
            return services;
        }
        let Some(queues) = self.shared.env.resources.get::<Queues>() else { return services };
        for queue in services.iter_mut().filter_map(|service| service.queue.as_mut()) {
            queue.backlog = queues.backlog(queue.name).ok();
        }
        services
    }

    /// The same for one service.
    pub(super) fn with_backlog(&self, mut service: ServiceInfo) -> ServiceInfo {
        if let Some(queue) = service.queue.as_mut().filter(|_| self.counts_jobs)
            && let Some(queues) = self.shared.env.resources.get::<Queues>()
        {
            queue.backlog = queues.backlog(queue.name).ok();
        }
        service
    }
}
