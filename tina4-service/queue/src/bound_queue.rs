//! [`BoundQueue`]: a queue on an engine.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::active_claim::ActiveClaim;
use crate::async_executor::AsyncExecutor;
use crate::cancelled::Cancelled;
use crate::counters::Stats;
use crate::dead_job::{DeadJob, DeadSelection};
use crate::done_job::DoneJob;
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
        let count = self.queues.engine().redrive(self.name, which, self.queues.now())?;
        self.queues.notify(self.name);
        Ok(count)
    }

    /// Deletes dead jobs for good. Returns their number.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn purge(&self, which: DeadSelection) -> Result<u64, EngineError> {
        self.queues.engine().purge(self.name, which, self.queues.now())
    }

    /// The copies of done jobs, sorted by id: at most `limit`, with ids after `after`.
    ///
    /// Copies are kept by services with `keep_done`, and with [`Pop::keep_done`].
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn done(&self, after: Option<JobId>, limit: usize) -> Result<Vec<DoneJob>, EngineError> {
        self.queues.engine().done(self.name, after, limit)
    }

    /// Deletes the copies of jobs that were done this long ago or longer, by the clock of the engine. Returns their
    /// number.
    ///
    /// # Errors
    ///
    /// If the engine cannot do this, or fails.
    pub fn purge_done(&self, age: Duration) -> Result<u64, EngineError> {
        self.queues.engine().purge_done(self.name, age, self.queues.now())
    }

    /// Tells the consumers in this process that there may be something to do, so that they need not find out
    /// by polling: after the commit of a transaction with [`push_in`](Self::push_in), or a notification of
    /// another process.
    pub fn wake(&self) {
        self.queues.notify(self.name);
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
    /// block. The consumers of the queue in this process are told at once.
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
        self.push_text(&payload, options)
    }

    /// Adds a job with this payload, which is JSON.
    fn push_text(&self, payload: &str, options: &Push) -> Result<Pushed, PushError> {
        let job = options.job(self.name, payload);
        let pushed = self.queues.engine().push(&[job], self.queues.now())?;
        self.count(&pushed);
        self.queues.notify(self.name);
        pushed.first().copied().ok_or_else(|| {
            let engine = self.queues.engine().name();
            PushError::Engine(EngineError::Failed {
                engine,
                source: "no result for the job".into(),
            })
        })
    }

    /// [`push`](Self::push) that does not block the executor: a thread of the current tokio runtime waits.
    ///
    /// If the future is dropped, the job may have been pushed or not.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push), and if the runtime shuts down meanwhile.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn push_async(
        &self,
        payload: &T,
    ) -> impl Future<Output = Result<Pushed, PushError>> + Send + 'static + use<T>
    where
        T: 'static,
    {
        self.push_with_async(payload, Push::new())
    }

    /// [`push_with`](Self::push_with) that does not block the executor, as [`push_async`](Self::push_async).
    ///
    /// # Errors
    ///
    /// As [`push_with`](Self::push_with), and if the runtime shuts down meanwhile.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn push_with_async(
        &self,
        payload: &T,
        options: Push,
    ) -> impl Future<Output = Result<Pushed, PushError>> + Send + 'static + use<T>
    where
        T: 'static,
    {
        let (payload, queue, name) = (self.serialize(payload), self.clone(), self.name);
        let pushing = payload.map(|payload| {
            tokio::task::spawn_blocking(move || queue.push_text(&payload, &options))
        });
        async move { pushing?.await.unwrap_or(Err(PushError::Interrupted { queue: name })) }
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
        self.check_transaction(E::ENGINE)?;
        let payload = self.serialize(payload)?;
        let pushed = transaction.push(&options.job(self.name, &payload), self.queues.now())?;
        self.count(&[pushed]);
        Ok(pushed)
    }

    /// [`push_in`](Self::push_in) for a transaction of an asynchronous driver, such as `sqlx`.
    ///
    /// If the future is dropped before it is ready, roll the transaction back.
    ///
    /// # Errors
    ///
    /// As [`push_in`](Self::push_in).
    pub fn push_in_async<'a, Db, E: AsyncExecutor<Db>>(
        &'a self,
        transaction: &'a mut E,
        payload: &T,
        options: &'a Push,
    ) -> impl Future<Output = Result<Pushed, PushError>> + Send + use<'a, T, Db, E> {
        // Not in the future, so that it can be sent to other threads even if a `&T` cannot.
        let payload = self.check_transaction(E::ENGINE).and_then(|()| self.serialize(payload));
        async move {
            let payload = payload?;
            let job = options.job(self.name, &payload);
            let pushed = transaction.push(&job, self.queues.now()).await?;
            self.count(&[pushed]);
            Ok(pushed)
        }
    }

    /// Refuses a transaction that cannot store a job of this queue.
    fn check_transaction(&self, transaction: &'static str) -> Result<(), PushError> {
        self.queues.require(Feature::Transactions)?;
        let engine = self.queues.engine().name();
        if engine != transaction {
            return Err(PushError::WrongEngine { queue: self.name, engine, transaction });
        }
        Ok(())
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
    /// Claims the next job for 30 seconds; `None` if none is ready, or if a job of another queue has to run
    /// alone first, because its process was killed twice.
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
    /// If the engine cannot honour an option, or fails.
    pub fn pop_with(&self, options: &Pop) -> Result<Option<Job<T>>, EngineError> {
        let Pop { lease, policy, keeps_done } = *options;
        if keeps_done {
            self.queues.require(Feature::DoneJobs)?;
        }
        let want = Want { queue: self.name, count: 1, lease, policy: &policy };
        loop {
            if !self.queues.draining().may_claim(self.name, self.queues.now()) {
                return Ok(None);
            }
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
                keeps_done,
                is_open: true,
                shared: None,
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
        end @ (End::Done | End::Kept | End::Back) => end,
    };
    match active.finish(end) {
        // Somebody else has the job now.
        Ok(()) | Err(FinishError::Stale { .. } | FinishError::WrongEngine { .. }) => Ok(()),
        Err(FinishError::Engine(error)) => Err(error),
    }
}

pub(crate) fn wrong_payload(error: &str) -> String {
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
