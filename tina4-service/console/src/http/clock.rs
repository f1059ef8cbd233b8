//! Reads the clock of connections: the only file of this crate that does.

use std::time::{Duration, Instant};

/// The time until which something has to be done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// The time `limit` from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self(now() + limit)
    }

    /// How much time is left; `None`: none.
    pub(crate) fn remaining(self) -> Option<Duration> {
        Some(self.0.saturating_duration_since(now())).filter(|left| !left.is_zero())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this file is the one that reads the clock of connections"
)]
fn now() -> Instant {
    Instant::now()
}
