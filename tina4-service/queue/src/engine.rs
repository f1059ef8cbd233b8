//! [`Engine`]: what stores jobs and hands them out.

use std::time::Duration;

use crate::backlog::Backlog;
use crate::cancelled::Cancelled;
use crate::capabilities::Capabilities;
use crate::claim::Held;
use crate::dead_job::{DeadJob, DeadSelection};
use crate::done_job::DoneJob;
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
/// * A method either does all that it was asked, or returns an error, which says whether it may have done some of it
///   ([`EngineError::is_unchanged`]). Only a turn may leave something for later: the ends of jobs that others have locked
///   ([`Turn::locked`]). An option that the engine cannot honour is [`EngineError::Unsupported`], and never ignored.
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
    ///    not held any more at the instant when its lease ends. If another transaction keeps a job locked, its claim is not
    ///    ended, and is reported in [`Turn::locked`].
    /// 2. For each request: claims whose lease has ended are lost; so may be those of an owner that
    ///    is known to be gone. The job becomes ready after
    ///    [`RetryPolicy::delay_after_loss`](crate::RetryPolicy::delay_after_loss), or is dead if that was
    ///    its last attempt.
    /// 3. For each request: claims ready jobs by priority (highest first), then due time, then id.
    ///    With [`Feature::Losses`], a job whose claims were lost twice or more is claimed only while this owner holds no other
    ///    claim, and nothing else is claimed while it holds that one, so that a job that kills its process takes
    ///    no others with it. It is not overtaken: jobs after it wait. If it has to wait, that is said, so that
    ///    the caller can claim nothing else meanwhile.
    ///
    /// # Errors
    ///
    /// If a job is done and its copy is to be kept ([`End::Kept`](crate::End::Kept)), and the engine does not have
    /// [`Feature::DoneJobs`]; nothing has been changed then.
    ///
    /// If the store fails. If it is on a server whose reply was lost, claims may then be held by this owner without
    /// its knowledge. An engine gives them back in its next turn if it can tell them
    /// ([`Unreceived`](crate::engine_parts::Unreceived)). Otherwise they end with their leases, and are lost like those of a
    /// killed process: that is counted, and costs each of the jobs an attempt.
    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError>;

    /// How long until a turn of each of these queues has something to do.
    ///
    /// That is when a job can be claimed, or the lease of a claim ends. Zero: now. `None`: not by itself. The answers are in
    /// the order of the queues; one may be too early, but not too late. This changes nothing in the store.
    ///
    /// So one request finds those of many idle queues that need a turn. Unless an engine overrides this, it cannot tell,
    /// and each queue gets a turn.
    ///
    /// # Errors
    ///
    /// If the store fails. Each queue gets a turn then.
    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let _ = now;
        Ok(vec![Some(Duration::ZERO); queues.len()])
    }

    /// [`next_due`](Self::next_due), for a caller that waits for the answer this long at most: then it is an error.
    ///
    /// Unless an engine overrides this, it takes as long as `next_due`.
    ///
    /// # Errors
    ///
    /// As [`next_due`](Self::next_due), and if the time is over.
    fn next_due_within(
        &self,
        limit: Duration,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let _ = limit;
        self.next_due(queues, now)
    }

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

    /// [`turn`](Self::turn), for a caller that waits for the answer this long at most: then it is an error. What the
    /// store does later is as if the answer had been lost, but an engine gives back the jobs that it has claimed, if it
    /// can.
    ///
    /// It need not wait for transactions of others that have locked a job to be ended: it does the rest, and says which ends
    /// are to be asked for again, in [`Turn::locked`].
    ///
    /// Unless an engine overrides this, it takes as long as `turn`.
    ///
    /// # Errors
    ///
    /// As [`turn`](Self::turn), and if the time is over.
    fn turn_within(
        &self,
        limit: Duration,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let _ = limit;
        self.turn(ended, wants, now)
    }

    /// [`renew`](Self::renew), for a caller that waits for the answer this long at most: then it is an error.
    ///
    /// Unless an engine overrides this, it takes as long as `renew`.
    ///
    /// # Errors
    ///
    /// As [`renew`](Self::renew), and if the time is over.
    fn renew_within(
        &self,
        limit: Duration,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        let _ = limit;
        self.renew(held, lease, now)
    }

    /// Looks at the store, for checks before the start of a program: `Runner::check` of `tina4-service` reports the error
    /// with the services that have a queue. Returns remarks, such as settings of a server under which a power cut
    /// loses jobs; each is a sentence with a remedy.
    ///
    /// # Errors
    ///
    /// If the store cannot be used, or fails.
    fn check(&self) -> Result<Vec<String>, EngineError> {
        Ok(Vec::new())
    }

    /// Calls `wake` with the name of a queue whenever another process has made a job of it ready.
    ///
    /// This is a hint, which can be lost, and an engine whose store tells nothing never calls it: whoever waits
    /// for jobs also polls. `wake` is called on a thread of the engine and must not call the engine.
    fn watch(&self, wake: Box<dyn Fn(&str) + Send + Sync>) {
        drop(wake);
    }

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
    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        let _ = (queue, which, now);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DeadLetters })
    }

    /// [`purge`](Self::purge), for a caller that waits this long at most: then it is an error, and some of the jobs may be
    /// deleted.
    ///
    /// Unless an engine overrides this, it takes as long as `purge`.
    ///
    /// # Errors
    ///
    /// As [`purge`](Self::purge), and if the time is over.
    fn purge_within(
        &self,
        limit: Duration,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        let _ = limit;
        self.purge(queue, which, now)
    }

    /// The copies of done jobs of a queue, sorted by id: at most `limit`, with ids after `after`.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::DoneJobs`], or the store fails.
    fn done(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DoneJob>, EngineError> {
        let _ = (queue, after, limit);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DoneJobs })
    }

    /// Deletes the copies of jobs that were done this long ago or longer. Returns their number.
    ///
    /// # Errors
    ///
    /// If the engine does not have [`Feature::DoneJobs`], or the store fails.
    fn purge_done(&self, queue: &str, age: Duration, now: Timestamp) -> Result<u64, EngineError> {
        let _ = (queue, age, now);
        Err(EngineError::Unsupported { engine: self.name(), feature: Feature::DoneJobs })
    }

    /// [`purge_done`](Self::purge_done), for a caller that waits this long at most: then it is an error, and some of the
    /// copies may be deleted.
    ///
    /// Unless an engine overrides this, it takes as long as `purge_done`.
    ///
    /// # Errors
    ///
    /// As [`purge_done`](Self::purge_done), and if the time is over.
    fn purge_done_within(
        &self,
        limit: Duration,
        queue: &str,
        age: Duration,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        let _ = limit;
        self.purge_done(queue, age, now)
    }
}
