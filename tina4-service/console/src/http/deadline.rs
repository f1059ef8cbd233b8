//! The time until which something has to be done.

use std::time::{Duration, Instant};

use crate::sys::clock;

/// The time until which something has to be done, such as to receive a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// The time `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(clock::now() + limit)
    }

    /// How much time is left; `None`: none.
    pub(crate) fn remaining(self) -> Option<Duration> {
        Some(self.0.saturating_duration_since(clock::now())).filter(|left| !left.is_zero())
    }
}
