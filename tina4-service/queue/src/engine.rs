//! [`Engine`]: what stores jobs and hands them out.

use std::time::Duration;

use crate::backlog::Backlog;
use crate::cancelled::Cancelled;
use crate::capabilities::Capabilities;
use crate::claim::Held;
use crate::dead_job::{DeadJob, DeadSelection};
use crate::end::Ended;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::job_id::JobId;
use crate::new_job::NewJob;
use crate::pushed::Pushed;
use crate::timestamp::Timestamp;
use crate::want::{Turn, Want};

/// Stores jobs and hands them out: a database, a broker, or memory.
///
/// The module `contract` (feature `contract`) has the tests of every engine. They say in detail what
/// the methods have to do; in short:
///
/// * A method either does all that it was asked, or returns an error. An option that the engine cannot
///   honour is [`EngineError::Unsupported`], and never ignored.
/// * The time is an argument, so that tests can control it. An engine whose server has a clock of its
///   own uses that for all decisions and ignores the argument. Delays and leases are durations for this
///   reason.
/// * Each engine value is one owner, with a name that no other one has. Only the owner of a claim can
///   finish or renew it.
/// * All methods may be called by many threads at once, and block until they are done.
///
/// The claim number is whatever fences best: a column of a table, the delivery count of a stream, or
/// the generation of a connection and a delivery tag. A broker that pushes messages keeps those that
/// were not asked for on the server (its prefetch is what `turn` asks for), and its client may be
/// asynchronous: the methods then wait for it on a runtime of the engine.
pub trait Engine: Send + Sync {
    /// The name of the engine in messages, such as `sqlite`.
    fn name(&self) -> &'static str;

    /// What the engine can do. It does not change.
    fn capabilities(&self) -> Capabilities;

    /// The name of this owner in its store.
    fn owner(&self) -> &str;

    /// Stores jobs, all or none, and returns one result for each, in their order.
    ///
    /// When it returns, the jobs are as durable as the engine promises.
    ///
    /// # Errors
    ///
    /// If a job is malformed or needs a feature that the engine does not have, or if the store fails.
    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError>;

    /// Ends claims, then claims jobs: both in one trip.
    ///
    /// 1. Ends each claim of `ended` that this owner holds, and reports the others as stale. A claim is
    ///    not held any more at the instant when its lease ends.
    /// 2. For each request: claims whose lease has ended are lost; so may be those of an owner that
    ///    is known to be gone. The job becomes ready after
    ///    [`RetryPolicy::delay_after_loss`](crate::RetryPolicy::delay_after_loss), or is dead if that was
    ///    its last attempt.
    /// 3. For each request: claims ready jobs by priority (highest first), then due time, then id.
    ///    With [`Feature::Losses`], a job whose claims were lost twice or more is claimed only while this owner holds no other
    ///    claim, and nothing else is claimed while it holds that one, so that a job that kills its process takes
    ///    no others with it. It is not overtaken: jobs after it wait.
    ///
    /// # Errors
    ///
    /// If the store fails. A claim may then be held by this owner without its knowledge; it ends with
    /// its lease.
    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError>;

    /// Renews claims: their leases end this long from now. Returns those that are no longer held.
    ///
    /// # Errors
    ///
    /// If the store fails.
    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError>;

    /// Counts the jobs of a queue.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::Backlog`], or the store fails.
    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        let _ = (queue, now);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::Backlog })
    }

    /// Deletes a waiting job of a queue.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::Cancel`], or the store fails.
    fn cancel(&self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        let _ = (queue, id);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::Cancel })
    }

    /// The dead jobs of a queue, sorted by id: at most `limit`, with ids after `after`.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::DeadLetters`], or the store fails.
    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        let _ = (queue, after, limit);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DeadLetters })
    }

    /// Puts dead jobs back: ready now, as before their first attempt, but without a unique key. Returns
    /// their number.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::DeadLetters`], or the store fails.
    fn redrive(
        &self,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        let _ = (queue, which, now);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DeadLetters })
    }

    /// Deletes dead jobs. Returns their number.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::DeadLetters`], or the store fails.
    fn purge(&self, queue: &str, which: DeadSelection) -> Result<u64, EngineError> {
        let _ = (queue, which);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DeadLetters })
    }
}
