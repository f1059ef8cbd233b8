//! [`CallLimit`]: how long a call of the engine may take.

use std::time::Duration;

/// How many calls must fit into a lease, and into the time that the owner has to stop.
const CALLS: u32 = 3;

/// A call may take this long even if the lease, or the time to stop, is short: the store may be on another machine.
const MIN: Duration = Duration::from_millis(50);

/// How long a call of the engine may take.
///
/// A claim must be renewed before it ends, also if the first attempt fails. And a stop must not have to wait for a call that was
/// begun before, if the store does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallLimit(Duration);

impl CallLimit {
    pub(super) fn new(lease: Duration, stop_timeout: Duration) -> Self {
        Self((lease.min(stop_timeout) / CALLS).max(MIN))
    }

    /// The limit of a call that begins now, if the owner stops by this time: it leaves time for another one.
    pub(super) fn at(self, now: Duration, stops_by: Option<Duration>) -> Duration {
        let left = stops_by.map(|deadline| deadline.saturating_sub(now) / 2);
        left.map_or(self.0, |left| left.min(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn rule_137_a_call_is_shorter_than_a_lease_and_than_a_stop() {
        assert_eq!(CallLimit::new(secs(60), secs(9)), CallLimit(secs(3)));
        assert_eq!(CallLimit::new(secs(6), Duration::MAX), CallLimit(secs(2)));
        assert_eq!(CallLimit::new(secs(6), Duration::ZERO), CallLimit(MIN));
        let limit = CallLimit(secs(3));
        for (stops_by, expected) in
            [(None, 3), (Some(secs(100)), 3), (Some(secs(14)), 2), (Some(secs(9)), 0)]
        {
            assert_eq!(limit.at(secs(10), stops_by), secs(expected), "{stops_by:?}");
        }
    }
}
