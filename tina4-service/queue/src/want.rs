//! [`Want`] and [`Turn`]: one trip to an engine.

use std::time::Duration;

use crate::claim::{Claim, Held};
use crate::dead_job::DeadJob;
use crate::retry_policy::RetryPolicy;

/// A request for jobs of one queue.
#[derive(Clone, Copy, Debug)]
pub struct Want<'a> {
    /// The name of the queue.
    pub queue: &'a str,
    /// How many jobs to claim at most. An engine never holds more jobs than were asked for.
    pub count: usize,
    /// How long a claim lasts unless it is renewed.
    pub lease: Duration,
    /// What happens to jobs whose claims were lost: the process that claims decides.
    pub policy: &'a RetryPolicy,
}

/// The result of [`Engine::turn`](crate::Engine::turn).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The claimed jobs: for each request those of its queue, in their order.
    pub claims: Vec<Claim>,
    /// The ends that were refused, because the claim was no longer held. Nothing was changed by them.
    pub stale: Vec<Held>,
    /// The ends that were not made yet, because another transaction has locked the job. Nothing was changed by them: ask
    /// for them again. [`Engine::turn`](crate::Engine::turn) waits for some seconds before.
    pub locked: Vec<Held>,
    /// Jobs that are dead now because their claims were lost too often.
    pub dead: Vec<DeadJob>,
    /// The number of claims that were found lost, including those of `dead`.
    pub lost: u64,
    /// Whether the next job of a request runs alone, see [`Engine::turn`](crate::Engine::turn), and has to wait
    /// because this owner holds other claims.
    pub waits_to_be_alone: bool,
    /// How long from now the next job of the requested queues becomes ready by itself: a delay or a
    /// lease ends. `None` if there is none, or the engine cannot tell.
    pub next: Option<Duration>,
}
