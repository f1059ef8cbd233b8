//! [`Job`]: a claimed job and its payload.

use std::error::Error;
use std::ops::Deref;
use std::time::Duration;

use crate::active_claim::ActiveClaim;
use crate::async_executor::AsyncExecutor;
use crate::claim::Claim;
use crate::end::End;
use crate::executor::Executor;
use crate::finish_error::FinishError;
use crate::job_id::JobId;
use crate::outcome::Retry;
use crate::timestamp::Timestamp;

/// A job of a queue, with its payload.
///
/// It dereferences to the payload. Each way to finish it consumes it, so that a second finish does not
/// compile:
///
/// ```compile_fail,E0382
/// # use tina4_service_queue::Job;
/// let job = Job::new(42);
/// job.complete()?;
/// job.release()?; // use of moved value: `job`
/// # Ok::<(), tina4_service_queue::FinishError>(())
/// ```
///
/// A job that is dropped is given back as [`release`](Self::release) does; if it is dropped in a panic,
/// the attempt fails.
#[derive(Debug)]
pub struct Job<T> {
    payload: T,
    id: JobId,
    attempt: u32,
    pushed_at: Timestamp,
    last_error: Option<String>,
    /// `None` for a job that was made by [`Job::new`].
    claim: Option<ActiveClaim>,
}

/// What becomes of a job after an attempt has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is attempted again after this time.
    Again(Duration),
    /// It is dead.
    Dead,
}

impl<T> Job<T> {
    /// A job that belongs to no queue, for tests of a function that takes one.
    ///
    /// Its id is 0 and its attempt is 1. It can be finished in every way, without an effect.
    ///
    /// ```
    /// use tina4_service_queue::Job;
    ///
    /// let job = Job::new("hello");
    /// assert_eq!((job.len(), job.attempt()), (5, 1));
    /// ```
    #[must_use]
    pub fn new(payload: T) -> Self {
        Self {
            payload,
            id: JobId::new(0),
            attempt: 1,
            pushed_at: Timestamp::default(),
            last_error: None,
            claim: None,
        }
    }

    /// A job that was claimed.
    pub(crate) fn claimed(payload: T, claim: Claim, active: ActiveClaim) -> Self {
        Self {
            payload,
            id: claim.held.id,
            attempt: claim.attempt,
            pushed_at: claim.pushed_at,
            last_error: claim.last_error,
            claim: Some(active),
        }
    }

    /// The id of the job.
    #[must_use]
    pub const fn id(&self) -> JobId {
        self.id
    }

    /// Which attempt this is; the first is 1.
    ///
    /// If it is higher, an attempt before may have had an effect already.
    #[must_use]
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    /// When the job was pushed.
    #[must_use]
    pub const fn pushed_at(&self) -> Timestamp {
        self.pushed_at
    }

    /// Why the attempt before this one failed.
    #[must_use]
    pub fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }

    /// The number of this claim, which is higher than that of all claims of the job before.
    ///
    /// A store that remembers the highest number can refuse writes of a process that has lost its
    /// claim without knowing it.
    #[must_use]
    pub fn fence(&self) -> u64 {
        self.claim.as_ref().map_or(0, |claim| claim.held.claim)
    }

    /// The job is done, and forgotten, unless a copy is kept (`keep_done`).
    ///
    /// # Errors
    ///
    /// If the lease has ended or the engine fails. The job then runs again, unless the engine failed
    /// after it had stored the result.
    pub fn complete(self) -> Result<(), FinishError> {
        self.claim.map_or(Ok(()), ActiveClaim::complete)
    }

    /// The job is done when a transaction commits: its effects in that transaction happen exactly
    /// once.
    ///
    /// The transaction must be in the store of the queue. Until it ends, other methods of the queue may
    /// have to wait for it. If it is rolled back, the job runs again when its lease ends.
    ///
    /// # Errors
    ///
    /// If the lease has ended: roll back then. If the engine takes part in no transactions
    /// ([`Feature::Transactions`](crate::Feature::Transactions)), or the transaction is of another engine, or fails.
    pub fn complete_in<Db, E: Executor<Db>>(self, transaction: &mut E) -> Result<(), FinishError> {
        self.claim.map_or(Ok(()), |claim| claim.complete_in(transaction))
    }

    /// [`complete_in`](Self::complete_in) for a transaction of an asynchronous driver, such as `sqlx`.
    ///
    /// If the future is dropped before it is ready, roll the transaction back.
    ///
    /// # Errors
    ///
    /// As [`complete_in`](Self::complete_in).
    pub fn complete_in_async<'a, Db, E: AsyncExecutor<Db>>(
        self,
        transaction: &'a mut E,
    ) -> impl Future<Output = Result<(), FinishError>> + Send + use<'a, T, Db, E> {
        // Without the payload, which perhaps cannot be sent to other threads.
        let claim = self.claim;
        async move {
            match claim {
                Some(claim) => claim.complete_in_async(transaction).await,
                None => Ok(()),
            }
        }
    }

    /// The attempt has failed. The job is attempted again after a backoff, or is dead if this was the
    /// last attempt.
    ///
    /// With [`Reject`](crate::Reject) it is dead at once; with [`Retry`] the backoff is
    /// another one.
    ///
    /// # Errors
    ///
    /// If the lease has ended or the engine fails. The job then runs again.
    pub fn fail(
        self,
        error: impl Into<Box<dyn Error + Send + Sync>>,
    ) -> Result<Verdict, FinishError> {
        let error = error.into();
        let Some(claim) = &self.claim else { return Ok(Verdict::Dead) };
        let end = claim.end_after(&*error);
        let verdict = match end {
            End::Again { delay, .. } => Verdict::Again(delay),
            End::Done | End::Kept | End::Dead { .. } | End::Back => Verdict::Dead,
        };
        self.finish(end)?;
        Ok(verdict)
    }

    /// The attempt has failed, and the next one follows after this delay. If this was the last one, the
    /// job is dead.
    ///
    /// # Errors
    ///
    /// If the lease has ended or the engine fails. The job then runs again.
    pub fn retry(self, delay: Duration) -> Result<Verdict, FinishError> {
        self.fail(Retry::after(delay))
    }

    /// Gives the job back: it is ready again at once, and the attempt does not count.
    ///
    /// # Errors
    ///
    /// If the lease has ended or the engine fails. The job then runs again anyway.
    pub fn release(self) -> Result<(), FinishError> {
        self.finish(End::Back)
    }

    /// Renews the lease: it ends as long from now as it was at first.
    ///
    /// # Errors
    ///
    /// If the lease has ended already: stop working on the job, because another process has it, or
    /// will. If the engine fails: the lease may be as before.
    pub fn renew(&self) -> Result<(), FinishError> {
        self.claim.as_ref().map_or(Ok(()), ActiveClaim::renew)
    }

    fn finish(self, end: End) -> Result<(), FinishError> {
        self.claim.map_or(Ok(()), |claim| claim.finish(end))
    }
}

impl<T> Deref for Job<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.payload
    }
}
