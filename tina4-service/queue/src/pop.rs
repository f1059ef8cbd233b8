//! [`Pop`]: the options of a pop.

use std::time::Duration;

use crate::retry_policy::RetryPolicy;

/// The options of a pop: for how long the job is claimed, how often it is attempted, and whether a
/// copy is kept of it.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_queue::{Pop, RetryPolicy};
///
/// let pop = Pop::new()
///     .lease(Duration::from_secs(120))
///     .policy(RetryPolicy { attempts: 3, ..RetryPolicy::DEFAULT });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pop {
    pub(crate) lease: Duration,
    pub(crate) policy: RetryPolicy,
    pub(crate) keeps_done: bool,
}

impl Pop {
    /// How long a claim lasts without [`Pop::lease`].
    pub const LEASE: Duration = Duration::from_secs(30);

    /// A lease of 30 seconds and [`RetryPolicy::DEFAULT`].
    #[must_use]
    pub const fn new() -> Self {
        Self { lease: Self::LEASE, policy: RetryPolicy::DEFAULT, keeps_done: false }
    }

    /// The job must be finished within this time, or renewed with [`Job::renew`](crate::Job::renew).
    #[must_use]
    pub const fn lease(mut self, lease: Duration) -> Self {
        self.lease = lease;
        self
    }

    /// How often the job is attempted, and when.
    #[must_use]
    pub const fn policy(mut self, policy: RetryPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Keeps a copy of the job once it is done. [`BoundQueue::done`](crate::BoundQueue::done) lists the copies, and
    /// [`BoundQueue::purge_done`](crate::BoundQueue::purge_done) deletes them; nothing else does.
    #[must_use]
    pub const fn keep_done(mut self) -> Self {
        self.keeps_done = true;
        self
    }
}

impl Default for Pop {
    fn default() -> Self {
        Self::new()
    }
}
