//! What the engine of the queues says of its store, for [`Runner::check`].

use tina4_service_queue::Queues;

use crate::plan::fault::Fault;
use crate::plan::plan::Plan;
use crate::plan::start_error::StartError;
use crate::runner::runner::Runner;
use crate::sys::panics;

/// A fault, or remarks.
pub(super) struct EngineCheck(Result<Vec<String>, Fault>);

impl Runner {
    /// Asks the engine, without holding a lock: it may block, and be code of others.
    pub(super) fn check_engine(&self) -> EngineCheck {
        let services = self.shared.engine.with(|supervisor, _| supervisor.queue_users());
        // If there is none, that is reported as a missing value.
        let queues = self.shared.env.resources.get::<Queues>().filter(|_| !services.is_empty());
        let Some(queues) = queues else { return EngineCheck(Ok(Vec::new())) };
        let checked = panics::catch(|| queues.engine().check().map_err(|error| error.to_string()));
        let checked = checked.unwrap_or_else(|panic| Err(format!("its engine {panic}")));
        EngineCheck(checked.map_err(|problem| Fault::QueueEngine { services, problem }))
    }
}

impl EngineCheck {
    /// Adds it to the result of the other checks.
    pub(super) fn add_to(self, plan: Result<Plan, StartError>) -> Result<Plan, StartError> {
        match (plan, self.0) {
            (Ok(plan), Ok(remarks)) => Ok(plan.with_remarks(remarks)),
            (Ok(_), Err(fault)) => Err(StartError::Faults(vec![fault])),
            (Err(StartError::Faults(mut faults)), Err(fault)) => {
                faults.push(fault);
                Err(StartError::Faults(faults))
            }
            (Err(error), Ok(_) | Err(_)) => Err(error),
        }
    }
}
