//! [`Unreceived`]: jobs that the store has claimed for an owner, and that nobody has received.

use std::mem;
use std::time::{Duration, Instant};

use crate::end::{End, Ended};
use crate::want::Turn;

/// For how long after a call without an answer the store may still carry it out.
const DOUBT: Duration = Duration::from_secs(60);

/// How often it is looked whether it did: that costs a look at all claims of the owner.
const PERIOD: Duration = Duration::from_secs(1);

/// What an owner does not know of its claims, because an answer of the store was lost, or its caller had left.
///
/// It is for a store that numbers claims by the time, and for turns that are made one after the other. The store gives back
/// the claims of this owner with numbers above [`known`](Self::known): only an answer that was lost can have had them. Then
/// they cost no attempt.
///
/// A lost claim can also have a lower number: if the clock of the store was set back, or if the store carries out a call so
/// late that the owner has received claims of a later one meanwhile. Such a claim is not found, and ends with its lease.
#[derive(Debug, Default)]
pub struct Unreceived {
    /// The highest number of a claim in the answers so far.
    highest: u64,
    doubt: Option<Doubt>,
    /// Jobs that were claimed for callers who had left.
    back: Vec<Ended>,
}

/// A time in which the store may carry out a call whose answer was lost.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    until: Instant,
    look_at: Instant,
}

impl Unreceived {
    /// The number above which the next call is to give back claims of this owner; `None`: no answer was lost lately, or a
    /// call has just done that.
    pub fn known(&mut self, now: Instant) -> Option<u64> {
        let doubt = self.doubt.take_if(|doubt| now >= doubt.look_at)?;
        let look_at = now.checked_add(PERIOD).unwrap_or(now);
        self.doubt = Some(Doubt { look_at, ..doubt }).filter(|doubt| now < doubt.until);
        self.doubt.map(|_| self.highest)
    }

    /// The store has answered with these turns. To be called before anybody gets them.
    pub fn received(&mut self, turns: &[Turn]) {
        let claims = turns.iter().flat_map(|turn| &turn.claims);
        self.highest = claims.map(|claim| claim.held.claim).fold(self.highest, u64::max);
    }

    /// It is not known what the store has done, or will do.
    pub fn answer_lost(&mut self, now: Instant) {
        self.doubt = Some(Doubt { until: now.checked_add(DOUBT).unwrap_or(now), look_at: now });
    }

    /// The call was not made, or changed nothing: the next one looks instead, if this one was to.
    pub fn unchanged(&mut self, now: Instant) {
        if let Some(doubt) = &mut self.doubt {
            doubt.look_at = now;
        }
    }

    /// Takes the jobs of a turn whose caller has left.
    pub fn left(&mut self, turn: Turn) {
        let back = turn.claims.into_iter().map(|claim| Ended { held: claim.held, end: End::Back });
        self.back.extend(back);
    }

    /// The claims to give back in the next call. If it fails, they are to be [kept](Self::keep).
    pub fn take(&mut self) -> Vec<Ended> {
        mem::take(&mut self.back)
    }

    /// Whether there are claims to give back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back.is_empty()
    }

    /// Keeps claims that could not be given back.
    pub fn keep(&mut self, back: Vec<Ended>) {
        self.back.extend(back);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::{Claim, Held};
    use crate::job_id::JobId;
    use crate::timestamp::Timestamp;

    fn turn(numbers: &[u64]) -> Turn {
        let claim = |number: &u64| Claim {
            held: Held { id: JobId::new(1), claim: *number },
            want: 0,
            payload: String::new(),
            attempt: 1,
            lost: 0,
            priority: 0,
            pushed_at: Timestamp::default(),
            last_error: None,
        };
        Turn { claims: numbers.iter().map(claim).collect(), ..Turn::default() }
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "instants have no other origin")]
    fn rule_131_claims_above_those_that_were_received_are_given_back_while_in_doubt() {
        let start = Instant::now();
        let mut unreceived = Unreceived::default();
        unreceived.received(&[turn(&[3, 7]), turn(&[]), turn(&[5])]);
        assert_eq!(unreceived.known(start), None);
        unreceived.answer_lost(start);
        assert_eq!(unreceived.known(start), Some(7));
        unreceived.received(&[turn(&[9])]);
        unreceived.received(&[turn(&[8])]);
        assert_eq!(unreceived.known(start), None, "it has just been done");
        unreceived.unchanged(start);
        assert_eq!(unreceived.known(start), Some(9), "it has not");
        assert_eq!(unreceived.known(start + PERIOD / 2), None);
        for seconds in 1..60 {
            assert_eq!(
                unreceived.known(start + PERIOD * seconds),
                Some(9),
                "the store may be late"
            );
        }
        assert_eq!(unreceived.known(start + DOUBT), None);
        unreceived.unchanged(start + DOUBT);
        assert_eq!(unreceived.known(start + DOUBT), None);
    }

    /// A claim that the store makes late, with the number 8, ends with its lease.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "instants have no other origin")]
    fn rule_132_a_claim_below_one_that_was_received_later_is_not_given_back() {
        let start = Instant::now();
        let mut unreceived = Unreceived::default();
        unreceived.received(&[turn(&[7])]);
        unreceived.answer_lost(start);
        assert_eq!(unreceived.known(start), Some(7));
        unreceived.received(&[turn(&[9])]);
        assert_eq!(
            unreceived.known(start + PERIOD),
            Some(9),
            "otherwise 9 would be given back, which runs"
        );
    }

    #[test]
    fn rule_137_claims_for_callers_that_have_left_are_kept_until_they_are_given_back() {
        let mut unreceived = Unreceived::default();
        unreceived.left(turn(&[3, 7]));
        let back = unreceived.take();
        assert!(unreceived.is_empty());
        unreceived.keep(back);
        let numbers =
            |back: Vec<Ended>| back.iter().map(|back| back.held.claim).collect::<Vec<_>>();
        assert_eq!(numbers(unreceived.take()), [3, 7]);
    }
}
