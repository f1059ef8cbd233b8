//! [`ConsumerSettings`]: how a consumer works.

use std::time::Duration;

use crate::retry_policy::RetryPolicy;

/// How a [`Consumer`](super::Consumer) works.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConsumerSettings {
    /// The name of the queue.
    pub queue: &'static str,
    /// How many jobs run at once.
    pub concurrency: usize,
    /// How long a job is claimed. Renewed after a third of it.
    pub lease: Duration,
    /// How often a job is attempted, and when.
    pub policy: RetryPolicy,
    /// How often the queue is looked at, in case another process has changed it.
    pub poll: Duration,
    /// How long dead jobs are kept; `None`: for ever.
    pub keep_dead: Option<Duration>,
    /// How long a copy of each done job is kept; `None`: there is none.
    pub keep_done: Option<Duration>,
    /// Whether dead jobs are handed out, see [`Item::Dead`](super::Item::Dead).
    pub reports_dead: bool,
}
