//! [`CallLimit`]: how long a call of the engine may take.

use std::time::Duration;

/// How many calls must fit into a lease, and into the time that the owner has to stop.
const CALLS: u32 = 3;

/// A call may take this long even if the lease, or the time to stop, is short: the store may be on another machine.
const MIN: Duration = Duration::from_millis(50);

/// What part of the usual limit a call gets at least, however soon a lease ends.
const LEAST: u32 = 4;

/// How long a call of the engine may take.
///
/// A claim must be renewed before it ends, also if the first attempts fail: while there are claims, a call takes a third of
/// the time that is left of their leases. And a stop must not have to wait for a call that was begun before, if the store does
/// not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CallLimit(Duration);

impl CallLimit {
    pub(super) fn new(lease: Duration, stop_timeout: Duration) -> Self {
        Self((lease.min(stop_timeout) / CALLS).max(MIN))
    }

    /// The limit of a call that begins now, if leases end at this time, and if the owner stops by this time: it leaves time
    /// for others.
    pub(super) fn at(
        self,
        now: Duration,
        leases_end: Option<Duration>,
        stops_by: Option<Duration>,
    ) -> Duration {
        // Once they have ended, there is nothing to be late for, and a slow store has to be able to say so.
        let lease = leases_end.map(|end| end.saturating_sub(now)).filter(|left| !left.is_zero());
        let lease = lease.map(|left| (left / CALLS).max(self.0 / LEAST).max(MIN));
        let stop = stops_by.map(|deadline| deadline.saturating_sub(now) / 2);
        lease.into_iter().chain(stop).fold(self.0, Duration::min)
    }

    /// The limit of a call that is not worth delaying a renewal, which is due after this time.
    pub(super) fn before_renewal(limit: Duration, renews_in: Option<Duration>) -> Duration {
        renews_in.map_or(limit, |wait| limit.min(wait.max(MIN)))
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
            assert_eq!(limit.at(secs(10), None, stops_by), secs(expected), "{stops_by:?}");
        }
    }

    #[test]
    fn rule_132_a_call_leaves_time_for_others_before_a_lease_ends() {
        let limit = CallLimit::new(secs(24), Duration::MAX);
        for (ends, expected) in [(34, 8), (28, 6), (22, 4), (13, 2), (11, 2), (10, 8), (9, 8)] {
            assert_eq!(limit.at(secs(10), Some(secs(ends)), None), secs(expected), "{ends}");
        }
        assert_eq!(limit.at(secs(10), Some(secs(28)), Some(secs(12))), secs(1));
        assert_eq!(CallLimit(MIN).at(secs(10), Some(secs(11)), None), MIN);
        let before = |renews_in| CallLimit::before_renewal(secs(2), renews_in);
        assert_eq!(
            [before(None), before(Some(secs(3))), before(Some(secs(1)))],
            [secs(2), secs(2), secs(1)]
        );
        assert_eq!(before(Some(Duration::ZERO)), MIN);
    }
}
