//! How a service works on the jobs of a queue.

use std::time::Duration;

/// How a service works on the jobs of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSpec {
    /// How often a job is attempted before it is dead.
    pub attempts: u32,
    /// The wait after the first failed attempt; it doubles with each further one.
    pub backoff: Duration,
    /// The longest wait between two attempts.
    pub max_backoff: Duration,
    /// How many jobs run at once.
    pub concurrency: u32,
    /// How long a job is claimed, unless that is renewed; `None`: [`QueueSpec::DEFAULT_LEASE`], if the
    /// engine has leases.
    pub lease: Option<Duration>,
    /// How often the queue is looked at, in case something else than this process has changed it.
    pub poll: Duration,
    /// How long dead jobs are kept; `None`: [`QueueSpec::DEFAULT_KEEP_DEAD`], if the engine gives access
    /// to them.
    pub keep_dead: Option<Duration>,
    /// How long a copy of each done job is kept; `None`: there is none.
    pub keep_done: Option<Duration>,
    /// Whether other services may work on the same queue.
    pub shared: bool,
}

impl QueueSpec {
    /// The shortest lease: it is renewed after a third of it.
    pub const MIN_LEASE: Duration = Duration::from_secs(1);

    /// How long a job is claimed without the key `lease`.
    pub const DEFAULT_LEASE: Duration = Duration::from_secs(30);

    /// How long dead jobs are kept without the key `keep_dead`.
    pub const DEFAULT_KEEP_DEAD: Duration = Duration::from_secs(30 * 86_400);

    /// The most jobs that can run at once.
    pub const MAX_CONCURRENCY: u32 = 1024;

    /// The settings of a queue service that sets no other key.
    pub const DEFAULT: Self = Self {
        attempts: 10,
        backoff: Duration::from_secs(2),
        max_backoff: Duration::from_secs(3_600),
        concurrency: 1,
        lease: None,
        poll: Duration::from_secs(1),
        keep_dead: None,
        keep_done: None,
        shared: false,
    };

    /// How long a job is claimed, unless that is renewed.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.lease.unwrap_or(Self::DEFAULT_LEASE)
    }
}
