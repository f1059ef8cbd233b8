//! [`OwnedWant`].

use tina4_service_queue::Want;

use crate::numbers::{limit, micros};

/// A [`Want`] that another thread can ask for.
#[derive(Clone, Debug)]
pub(crate) struct OwnedWant {
    pub(crate) queue: String,
    pub(crate) count: i64,
    pub(crate) lease: i64,
    pub(crate) attempts: i64,
    pub(crate) backoff: i64,
    pub(crate) max_backoff: i64,
}

impl OwnedWant {
    pub(crate) fn new(want: &Want<'_>) -> Self {
        Self {
            queue: storable(want.queue),
            count: limit(want.count),
            lease: micros(want.lease),
            attempts: i64::from(want.policy.attempts),
            // As `RetryPolicy::delay_after_loss`: the SQL function doubles the one up to the other.
            backoff: micros(want.policy.backoff.min(want.policy.max_backoff)),
            max_backoff: micros(want.policy.max_backoff),
        }
    }

    /// Whether it differs only in its count.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        let Self { queue, count: _, lease, attempts, backoff, max_backoff } = self;
        *queue == other.queue
            && (lease, attempts, backoff, max_backoff)
                == (&other.lease, &other.attempts, &other.backoff, &other.max_backoff)
    }
}

/// A text as PostgreSQL can store it.
pub(crate) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}
