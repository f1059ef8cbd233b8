//! [`BoundQueue`]: a queue on an engine.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::active_claim::ActiveClaim;
use crate::cancelled::Cancelled;
use crate::counters::Stats;
use crate::dead_job::{DeadJob, DeadSelection};
use crate::end::End;
use crate::engine_error::EngineError;
use crate::executor::Executor;
use crate::feature::Feature;
use crate::finish_error::FinishError;
use crate::job::Job;
use crate::job_id::JobId;
use crate::pop::Pop;
use crate::push::Push;
use crate::push_error::PushError;
use crate::pushed::Pushed;
use crate::queues::Queues;
use crate::want::Want;

/// A queue on an engine, from [`Queue::on`](crate::Queue::on).
pub struct BoundQueue<T> {
    name: &'static str,
    queues: Queues,
    payload: PhantomData<fn(T) -> T>,
}

impl<T> BoundQueue<T> {
    pub(crate) const fn new(name: &'static str, queues: Queues) -> Self {
        Self { name, queues, payload: PhantomData }
    }

    /// The name of the queue.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Deletes a job that waits: one that is ready or delayed.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn cancel(&self, id: JobId) -> Result<Cancelled, EngineError> {
        self.queues.engine().cancel(self.name, id)
    }

    /// The dead jobs, sorted by id: at most `limit`, with ids after `after`.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn dead(&self, after: Option<JobId>, limit: usize) -> Result<Vec<DeadJob>, EngineError> {
        self.queues.engine().dead(self.name, after, limit)
    }

    /// Puts dead jobs back: ready now, as before their first attempt. Returns their number.
    ///
    /// They keep their id, priority and last error, but not their unique key.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn redrive(&self, which: DeadSelection) -> Result<u64, EngineError> {
        self.queues.engine().redrive(self.name, which, self.queues.now())
    }

    /// Deletes dead jobs for good. Returns their number.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn purge(&self, which: DeadSelection) -> Result<u64, EngineError> {
        self.queues.engine().purge(self.name, which)
    }

    /// The statistics of the queue, and the counters of this process.
    ///
    /// # Errors
    ///
    /// If the engine cannot count, or fails.
    pub fn stats(&self) -> Result<Stats, EngineError> {
        let backlog = self.queues.engine().backlog(self.name, self.queues.now())?;
        Ok(Stats { backlog, counters: self.queues.counters(self.name) })
    }
}

impl<T: Serialize> BoundQueue<T> {
    /// Adds a job. When this returns, it is as durable as the engine promises.
    ///
    /// It waits for the engine, so do not call it on a thread of an asynchronous runtime that must not
    /// block.
    ///
    /// # Errors
    ///
    /// If the payload cannot be serialized, or the engine fails. In the second case the job may have
    /// been stored.
    pub fn push(&self, payload: &T) -> Result<Pushed, PushError> {
        self.push_with(payload, &Push::new())
    }

    /// Adds a job with options.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and if the engine cannot honour an option.
    pub fn push_with(&self, payload: &T, options: &Push) -> Result<Pushed, PushError> {
        let payload = self.serialize(payload)?;
        let job = options.job(self.name, &payload);
        let pushed = self.queues.engine().push(&[job], self.queues.now())?;
        self.count(&pushed);
        pushed.first().copied().ok_or_else(|| {
            let engine = self.queues.engine().name();
            PushError::Engine(EngineError::Failed {
                engine,
                source: "no result for the job".into(),
            })
        })
    }

    /// Adds a job when a transaction of the caller commits, with everything else in it.
    ///
    /// It is as durable as the transaction. The transaction must be in the store of the queue.
    ///
    /// # Errors
    ///
    /// As [`push_with`](Self::push_with), and if the transaction is of another engine.
    pub fn push_in<Db, E: Executor<Db>>(
        &self,
        transaction: &mut E,
        payload: &T,
        options: &Push,
    ) -> Result<Pushed, PushError> {
        self.queues.require(Feature::Transactions)?;
        let engine = self.queues.engine().name();
        if engine != E::ENGINE {
            let transaction = E::ENGINE;
            return Err(PushError::WrongEngine { queue: self.name, engine, transaction });
        }
        let payload = self.serialize(payload)?;
        let pushed = transaction.push(&options.job(self.name, &payload), self.queues.now())?;
        self.count(&[pushed]);
        Ok(pushed)
    }

    fn serialize(&self, payload: &T) -> Result<String, PushError> {
        serde_json::to_string(payload)
            .map_err(|source| PushError::Payload { queue: self.name, source })
    }

    fn count(&self, pushed: &[Pushed]) {
        let new = pushed.iter().filter(|pushed| pushed.is_new()).count() as u64;
        self.queues.count(self.name, |counters| counters.pushed += new);
    }
}

impl<T: DeserializeOwned> BoundQueue<T> {
    /// Claims the next job for 30 seconds; `None` if none is ready.
    ///
    /// # Errors
    ///
    /// If the engine fails.
    pub fn pop(&self) -> Result<Option<Job<T>>, EngineError> {
        self.pop_with(&Pop::new())
    }

    /// Claims the next job, with options.
    ///
    /// A payload that is not a `T` is a failed attempt of its job, and the next job is claimed: a later
    /// version of the program may understand it.
    ///
    /// # Errors
    ///
    /// If the engine fails.
    pub fn pop_with(&self, options: &Pop) -> Result<Option<Job<T>>, EngineError> {
        let Pop { lease, policy } = *options;
        let want = Want { queue: self.name, count: 1, lease, policy: &policy };
        loop {
            let turn = self.queues.engine().turn(&[], &[want], self.queues.now())?;
            self.queues.count(self.name, |counters| {
                counters.lost += turn.lost;
                counters.dead += turn.dead.len() as u64;
            });
            let Some(claim) = turn.claims.into_iter().next() else { return Ok(None) };
            let active = ActiveClaim {
                queues: self.queues.clone(),
                queue: self.name,
                held: claim.held,
                attempt: claim.attempt,
                lease,
                policy,
                is_open: true,
            };
            match serde_json::from_str(&claim.payload) {
                Ok(payload) => return Ok(Some(Job::claimed(payload, claim, active))),
                Err(error) => refuse(active, error)?,
            }
        }
    }
}

/// Ends the claim of a job whose payload cannot be read.
fn refuse(active: ActiveClaim, error: serde_json::Error) -> Result<(), EngineError> {
    let end = match active.end_after(&error) {
        End::Again { delay, error } => End::Again { delay, error: wrong_payload(&error) },
        End::Dead { error } => End::Dead { error: wrong_payload(&error) },
        end @ (End::Done | End::Back) => end,
    };
    match active.finish(end) {
        // Somebody else has the job now.
        Ok(()) | Err(FinishError::Stale { .. } | FinishError::WrongEngine { .. }) => Ok(()),
        Err(FinishError::Engine(error)) => Err(error),
    }
}

fn wrong_payload(error: &str) -> String {
    format!("the payload does not fit the type of the queue: {error}")
}

impl<T> Clone for BoundQueue<T> {
    fn clone(&self) -> Self {
        Self::new(self.name, self.queues.clone())
    }
}

impl<T> fmt::Debug for BoundQueue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundQueue").field("name", &self.name).field("on", &self.queues).finish()
    }
}
