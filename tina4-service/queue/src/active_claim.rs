//! [`ActiveClaim`]: the duty to end a claim.

use std::error::Error;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::async_executor::AsyncExecutor;
use crate::claim::Held;
use crate::end::{End, Ended};
use crate::engine_error::EngineError;
use crate::executor::Executor;
use crate::feature::Feature;
use crate::finish_error::FinishError;
use crate::outcome;
use crate::queues::Queues;
use crate::retry_policy::RetryPolicy;
use crate::shared_claim::{Progress, SharedClaim};

/// A claim that must end. If it is dropped, the job is given back; in a panic the attempt fails. If a
/// consumer has handed out the job, the consumer ends what the function has not ended.
#[derive(Debug)]
pub(crate) struct ActiveClaim {
    pub(crate) queues: Queues,
    pub(crate) queue: &'static str,
    pub(crate) held: Held,
    pub(crate) attempt: u32,
    pub(crate) lease: Duration,
    pub(crate) policy: RetryPolicy,
    /// Whether a copy of the job is kept once it is done.
    pub(crate) keeps_done: bool,
    /// Whether dropping it still has to end the claim.
    pub(crate) is_open: bool,
    /// What it shares with the consumer that has handed it out.
    pub(crate) shared: Option<Arc<SharedClaim>>,
}

impl ActiveClaim {
    /// How the claim ends after this error.
    pub(crate) fn end_after(&self, error: &(dyn Error + 'static)) -> End {
        outcome::end_after(error, self.attempt, &self.policy, variation(self.held))
    }

    /// Ends the claim as done.
    pub(crate) fn complete(self) -> Result<(), FinishError> {
        let end = End::done(self.keeps_done);
        self.finish(end)
    }

    /// Ends the claim.
    pub(crate) fn finish(mut self, end: End) -> Result<(), FinishError> {
        self.end(end)
    }

    fn end(&mut self, end: End) -> Result<(), FinishError> {
        self.is_open = false;
        self.leave_open(Progress::Finishing)?;
        let finishing = self.shared.as_deref().map(Finishing);
        let shared = self.shared.as_ref().filter(|_| !end.is_done());
        let recorded = shared.map(|shared| (shared, end.clone()));
        let result = self.end_on_engine(end);
        match (recorded, &result) {
            (Some((shared, end)), Ok(())) => shared.record(end),
            // The consumer ends the claim like this, even if the function returns as if the job was done.
            (Some((shared, end)), Err(FinishError::Engine(_))) => shared.intend(end),
            (Some(_) | None, _) => {}
        }
        if let (Some(shared), Err(FinishError::Engine(error))) = (&self.shared, &result)
            && !error.is_unchanged()
        {
            shared.doubt();
        }
        self.reopen_unless_refused(&result);
        drop(finishing);
        result
    }

    /// Claims the right to end a claim that is shared with a consumer.
    fn leave_open(&self, next: Progress) -> Result<(), FinishError> {
        match self.shared.as_ref().map(|shared| shared.leave_open(next)) {
            None | Some(Ok(())) => Ok(()),
            // The function has returned, and the consumer has ended the claim.
            Some(Err(_)) => Err(self.stale()),
        }
    }

    /// Leaves a claim that could not be ended to the consumer that has handed it out.
    fn reopen_unless_refused(&self, result: &Result<(), FinishError>) {
        let is_left =
            matches!(result, Err(FinishError::Engine(_) | FinishError::WrongEngine { .. }));
        if is_left && let Some(shared) = &self.shared {
            shared.reopen();
        }
    }

    fn end_on_engine(&self, end: End) -> Result<(), FinishError> {
        let (failed, dead, returned) = match end {
            End::Done | End::Kept => (0, 0, 0),
            End::Again { .. } => (1, 0, 0),
            End::Dead { .. } => (1, 1, 0),
            End::Back => (0, 0, 1),
        };
        let done = u64::from(end.is_done());
        let ended = Ended { held: self.held, end };
        let turn = self.queues.engine().turn(&[ended], &[], self.queues.now())?;
        if !turn.stale.is_empty() {
            return Err(self.stale());
        }
        if !turn.locked.is_empty() {
            let text = format!(
                "another transaction has locked job {} of the queue `{}` for long; find it, and end it",
                self.held.id, self.queue
            );
            let engine = self.queues.engine().name();
            return Err(EngineError::Unchanged { engine, source: text.into() }.into());
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
        self.leave_open(Progress::InTransaction)?;
        let result = self.complete_on(transaction);
        self.reopen_unless_refused(&result);
        result
    }

    fn complete_on<Db, E: Executor<Db>>(&self, transaction: &mut E) -> Result<(), FinishError> {
        self.check_transaction(E::ENGINE)?;
        let owner = self.queues.engine().owner();
        let was_held =
            transaction.complete(self.held, owner, self.keeps_done, self.queues.now())?;
        self.completed(was_held)
    }

    /// [`complete_in`](Self::complete_in) in an asynchronous driver.
    pub(crate) async fn complete_in_async<Db, E: AsyncExecutor<Db>>(
        mut self,
        transaction: &mut E,
    ) -> Result<(), FinishError> {
        self.is_open = false;
        self.leave_open(Progress::InTransaction)?;
        let result = self.complete_on_async(transaction).await;
        self.reopen_unless_refused(&result);
        result
    }

    async fn complete_on_async<Db, E: AsyncExecutor<Db>>(
        &self,
        transaction: &mut E,
    ) -> Result<(), FinishError> {
        self.check_transaction(E::ENGINE)?;
        let owner = self.queues.engine().owner();
        let completing = transaction.complete(self.held, owner, self.keeps_done, self.queues.now());
        let was_held = completing.await?;
        self.completed(was_held)
    }

    /// Refuses a transaction that cannot end the claim.
    fn check_transaction(&self, transaction: &'static str) -> Result<(), FinishError> {
        self.queues.require(Feature::Transactions)?;
        let engine = self.queues.engine().name();
        if engine != transaction {
            return Err(FinishError::WrongEngine { queue: self.queue, engine, transaction });
        }
        Ok(())
    }

    /// Counts a finish in a transaction.
    fn completed(&self, was_held: bool) -> Result<(), FinishError> {
        if !was_held {
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

/// The function is ending a claim. Also if the engine panics, nobody waits for it afterwards: how it has ended is
/// unknown then.
struct Finishing<'a>(&'a SharedClaim);

impl Drop for Finishing<'_> {
    fn drop(&mut self) {
        self.0.finished();
    }
}

impl Drop for ActiveClaim {
    fn drop(&mut self) {
        if !self.is_open || self.shared.is_some() {
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
pub(crate) fn variation(held: Held) -> u64 {
    // The mixing function of SplitMix64.
    let folded = held.id.get() ^ (held.id.get() >> 64);
    let mut z = u64::try_from(folded & u128::from(u64::MAX)).unwrap_or(0);
    z = z.wrapping_add(held.claim.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
