//! [`ActiveClaim`]: the duty to end a claim.

use std::error::Error;
use std::thread;
use std::time::Duration;

use crate::claim::Held;
use crate::end::{End, Ended};
use crate::executor::Executor;
use crate::finish_error::FinishError;
use crate::outcome;
use crate::queues::Queues;
use crate::retry_policy::RetryPolicy;

/// A claim that must end. If it is dropped, the job is given back; in a panic the attempt fails.
#[derive(Debug)]
pub(crate) struct ActiveClaim {
    pub(crate) queues: Queues,
    pub(crate) queue: &'static str,
    pub(crate) held: Held,
    pub(crate) attempt: u32,
    pub(crate) lease: Duration,
    pub(crate) policy: RetryPolicy,
    /// Whether dropping it still has to end the claim.
    pub(crate) is_open: bool,
}

impl ActiveClaim {
    /// How the claim ends after this error.
    pub(crate) fn end_after(&self, error: &(dyn Error + 'static)) -> End {
        outcome::end_after(error, self.attempt, &self.policy, variation(self.held))
    }

    /// Ends the claim.
    pub(crate) fn finish(mut self, end: End) -> Result<(), FinishError> {
        self.end(end)
    }

    fn end(&mut self, end: End) -> Result<(), FinishError> {
        self.is_open = false;
        let (failed, dead, returned) = match end {
            End::Done => (0, 0, 0),
            End::Again { .. } => (1, 0, 0),
            End::Dead { .. } => (1, 1, 0),
            End::Back => (0, 0, 1),
        };
        let done = u64::from(matches!(end, End::Done));
        let ended = Ended { held: self.held, end };
        let turn = self.queues.engine().turn(&[ended], &[], self.queues.now())?;
        if !turn.stale.is_empty() {
            return Err(self.stale());
        }
        self.queues.count(self.queue, |counters| {
            counters.done += done;
            counters.failed += failed;
            counters.dead += dead;
            counters.returned += returned;
        });
        Ok(())
    }

    /// Ends the claim as done in a transaction.
    ///
    /// Whatever happens, the claim is not ended in any other way: the caller's transaction is open,
    /// and the engine would wait for it.
    pub(crate) fn complete_in<Db, E: Executor<Db>>(
        mut self,
        transaction: &mut E,
    ) -> Result<(), FinishError> {
        self.is_open = false;
        let engine = self.queues.engine();
        if engine.name() != E::ENGINE {
            return Err(FinishError::WrongEngine {
                queue: self.queue,
                engine: engine.name(),
                transaction: E::ENGINE,
            });
        }
        if !transaction.complete(self.held, engine.owner(), self.queues.now())? {
            return Err(self.stale());
        }
        self.queues.count(self.queue, |counters| counters.done += 1);
        Ok(())
    }

    /// Renews the claim.
    pub(crate) fn renew(&self) -> Result<(), FinishError> {
        let now = self.queues.now();
        let lost = self.queues.engine().renew(&[self.held], self.lease, now)?;
        if lost.is_empty() { Ok(()) } else { Err(self.stale()) }
    }

    /// Counts a refusal.
    fn stale(&self) -> FinishError {
        self.queues.count(self.queue, |counters| counters.stale += 1);
        FinishError::Stale { queue: self.queue, id: self.held.id }
    }
}

impl Drop for ActiveClaim {
    fn drop(&mut self) {
        if !self.is_open {
            return;
        }
        let end = if thread::panicking() { self.end_after(&Panicked) } else { End::Back };
        // A claim that cannot be ended now ends with its lease.
        let _ = self.end(end);
    }
}

/// The error of an attempt that panicked.
#[derive(Debug)]
struct Panicked;

impl std::fmt::Display for Panicked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the thread panicked")
    }
}

impl Error for Panicked {}

/// A number that varies the backoff: evenly distributed over claims, and the same for the same one.
fn variation(held: Held) -> u64 {
    // The mixing function of SplitMix64.
    let folded = held.id.get() ^ (held.id.get() >> 64);
    let mut z = u64::try_from(folded & u128::from(u64::MAX)).unwrap_or(0);
    z = z.wrapping_add(held.claim.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
