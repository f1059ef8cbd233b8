//! [`AwaitedTurns`] and [`GivingBack`]: turns whose answer may be lost, also in a panic.

use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::unreceived::Unreceived;
use crate::claim::Held;
use crate::end::Ended;
use crate::want::Turn;

/// Each change is complete before anything can panic.
fn lock(unreceived: &Mutex<Unreceived>) -> MutexGuard<'_, Unreceived> {
    unreceived.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Turns that the store is asked to take, until its answer is read. If this is dropped before, also in a panic, the answer was
/// lost.
#[derive(Debug)]
pub struct AwaitedTurns<'a> {
    unreceived: &'a Mutex<Unreceived>,
    clock: fn() -> Instant,
    known: Option<u64>,
    is_settled: bool,
}

impl<'a> AwaitedTurns<'a> {
    /// To be called before the store is asked.
    pub fn new(unreceived: &'a Mutex<Unreceived>, clock: fn() -> Instant) -> Self {
        let known = lock(unreceived).known(clock());
        Self { unreceived, clock, known, is_settled: false }
    }

    /// As [`Unreceived::known`]: what to send with the request.
    #[must_use]
    pub fn known(&self) -> Option<u64> {
        self.known
    }

    /// The store has answered with these turns. To be called before anybody gets them.
    pub fn received(mut self, turns: &[Turn]) {
        self.is_settled = true;
        lock(self.unreceived).received(turns);
    }

    /// The store was not asked, or has changed nothing.
    pub fn unchanged(mut self) {
        self.is_settled = true;
        lock(self.unreceived).unchanged((self.clock)());
    }
}

impl Drop for AwaitedTurns<'_> {
    fn drop(&mut self) {
        if !self.is_settled {
            lock(self.unreceived).answer_lost((self.clock)());
        }
    }
}

/// Claims that are being given back, because the callers for whom they were made have left. If this is dropped before that
/// is done, also in a panic, they are kept.
#[derive(Debug)]
pub struct GivingBack<'a> {
    unreceived: &'a Mutex<Unreceived>,
    back: Vec<Ended>,
}

impl<'a> GivingBack<'a> {
    /// Takes all of them.
    pub fn take(unreceived: &'a Mutex<Unreceived>) -> Self {
        Self { unreceived, back: lock(unreceived).take() }
    }

    /// The ends for the store.
    #[must_use]
    pub fn ends(&self) -> &[Ended] {
        &self.back
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.back.is_empty()
    }

    /// The store has done it, except for these, which others have locked.
    pub fn given(mut self, except: &[Held]) {
        self.back.retain(|ended| except.contains(&ended.held));
    }
}

impl Drop for GivingBack<'_> {
    fn drop(&mut self) {
        if !self.back.is_empty() {
            lock(self.unreceived).keep(mem::take(&mut self.back));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::claim::Claim;
    use crate::job_id::JobId;
    use crate::timestamp::Timestamp;

    #[expect(clippy::disallowed_methods, reason = "instants have no other origin")]
    fn clock() -> Instant {
        Instant::now()
    }

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

    fn is_in_doubt(unreceived: &Mutex<Unreceived>) -> bool {
        lock(unreceived).known(clock()).is_some()
    }

    #[test]
    fn rule_131_an_answer_that_is_not_read_is_lost_also_in_a_panic() {
        let unreceived = Mutex::default();
        AwaitedTurns::new(&unreceived, clock).received(&[turn(&[7])]);
        AwaitedTurns::new(&unreceived, clock).unchanged();
        assert!(!is_in_doubt(&unreceived));
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                let _awaited = AwaitedTurns::new(&unreceived, clock);
                panic!("planted");
            });
            assert!(panics.join().is_err());
        });
        let next = AwaitedTurns::new(&unreceived, clock);
        assert_eq!(next.known(), Some(7));
        drop(next);
        assert!(is_in_doubt(&unreceived));
    }

    #[test]
    fn rule_137_claims_that_are_not_given_back_are_kept_also_in_a_panic() {
        let unreceived = Mutex::default();
        lock(&unreceived).left(turn(&[3, 7]));
        thread::scope(|scope| {
            let panics = scope.spawn(|| {
                let _back = GivingBack::take(&unreceived);
                panic!("planted");
            });
            assert!(panics.join().is_err());
        });
        drop(GivingBack::take(&unreceived));
        let back = GivingBack::take(&unreceived);
        assert!(lock(&unreceived).is_empty());
        let numbers = |back: &GivingBack<'_>| -> Vec<u64> {
            back.ends().iter().map(|back| back.held.claim).collect()
        };
        assert_eq!(numbers(&back), [3, 7]);
        let locked = back.ends()[1].held;
        back.given(&[locked]);
        let back = GivingBack::take(&unreceived);
        assert_eq!(numbers(&back), [7]);
        back.given(&[]);
        assert!(GivingBack::take(&unreceived).is_empty());
    }
}
