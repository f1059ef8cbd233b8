//! [`MemoryEngine`]: jobs in memory, for tests.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

#[cfg(all(test, shuttle))]
mod model;
mod row;
mod shelf;
mod table;

use self::table::Table;
use crate::backlog::Backlog;
use crate::cancelled::Cancelled;
use crate::capabilities::Capabilities;
use crate::claim::Held;
use crate::dead_job::{DeadJob, DeadSelection};
use crate::done_job::DoneJob;
use crate::end::{End, Ended};
use crate::engine::Engine;
use crate::engine_error::EngineError;
use crate::feature::Feature;
use crate::job_id::JobId;
use crate::new_job::NewJob;
use crate::pushed::Pushed;
use crate::timestamp::Timestamp;
use crate::want::{Turn, Want};

/// The name of the engine.
const NAME: &str = "memory";

/// Keeps jobs in memory: for tests, because they are gone with the process.
///
/// It behaves as the engines with a database do, except for durability and transactions.
///
/// ```
/// use tina4_service_queue::{MemoryEngine, Queue, Queues};
///
/// const NUMBERS: Queue<u32> = Queue::new("numbers");
///
/// let numbers = NUMBERS.on(&Queues::new(MemoryEngine::new()));
/// numbers.push(&42)?;
/// let job = numbers.pop()?.expect("it was pushed");
/// assert_eq!(*job, 42);
/// job.complete()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct MemoryEngine {
    table: Arc<Mutex<Table>>,
    capabilities: Capabilities,
    owner: String,
}

impl MemoryEngine {
    /// What it can do.
    const CAPABILITIES: Capabilities = Capabilities::ALL.without(Feature::Transactions);

    /// An engine without jobs.
    #[must_use]
    pub fn new() -> Self {
        Self::limited_to(Self::CAPABILITIES)
    }

    /// An engine that can do no more than this, as a stand-in for another one.
    ///
    /// Without [`Feature::Lease`], claims never end by themselves. [`Feature::Losses`] makes no difference.
    #[must_use]
    pub fn limited_to(capabilities: Capabilities) -> Self {
        Self {
            table: Arc::default(),
            capabilities: capabilities.without(Feature::Transactions),
            owner: next_owner(),
        }
    }

    /// Another owner of the same jobs, as if in another process.
    #[must_use]
    pub fn sibling(&self) -> Self {
        Self {
            table: Arc::clone(&self.table),
            capabilities: self.capabilities,
            owner: next_owner(),
        }
    }

    /// No caller's code runs while the lock is held, and no method panics halfway.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn require(&self, feature: Feature) -> Result<(), EngineError> {
        self.capabilities.require(NAME, feature)
    }

    /// When a claim ends.
    fn lease_end(&self, lease: Duration, now: Timestamp) -> Timestamp {
        if self.capabilities.has(Feature::Lease) {
            now.plus(lease)
        } else {
            now.plus(Duration::MAX)
        }
    }
}

fn next_owner() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    format!("owner-{}", LAST.fetch_add(1, Ordering::Relaxed))
}

impl Default for MemoryEngine {
    fn default() -> Self {
        Self::new()
    }
}

impl Engine for MemoryEngine {
    fn name(&self) -> &'static str {
        NAME
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    fn owner(&self) -> &str {
        &self.owner
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        for job in jobs {
            job.check(NAME, self.capabilities)?;
        }
        let mut table = self.table();
        Ok(jobs.iter().map(|job| table.push(job, now)).collect())
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        if ended.iter().any(|ended| ended.end == End::Kept) {
            self.require(Feature::DoneJobs)?;
        }
        let mut table = self.table();
        let mut turn = Turn::default();
        for ended in ended {
            if !table.end(ended, &self.owner, now) {
                turn.stale.push(ended.held);
            }
        }
        for (index, want) in wants.iter().enumerate() {
            table.recover(want, now, &mut turn);
            let until = self.lease_end(want.lease, now);
            table.claim(index, want, &self.owner, now, until, &mut turn);
        }
        let next = wants.iter().filter_map(|want| table.next_change(want.queue)).min();
        turn.next = next.map(|at| at.since(now));
        Ok(turn)
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let table = self.table();
        Ok(queues.iter().map(|queue| table.next_due(queue, now)).collect())
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        let mut table = self.table();
        let until = self.lease_end(lease, now);
        let lost = held.iter().filter(|held| !table.renew(**held, &self.owner, now, until));
        Ok(lost.copied().collect())
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.require(Feature::Backlog)?;
        Ok(self.table().backlog(queue, now))
    }

    fn cancel(&self, queue: &str, id: JobId) -> Result<Cancelled, EngineError> {
        self.require(Feature::Cancel)?;
        Ok(self.table().cancel(queue, id))
    }

    fn dead(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DeadJob>, EngineError> {
        self.require(Feature::DeadLetters)?;
        Ok(self.table().dead(queue, after, limit))
    }

    fn redrive(
        &self,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        self.require(Feature::DeadLetters)?;
        Ok(self.table().redrive(queue, which, now))
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.require(Feature::DeadLetters)?;
        Ok(self.table().purge(queue, which, now))
    }

    fn done(
        &self,
        queue: &str,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<DoneJob>, EngineError> {
        self.require(Feature::DoneJobs)?;
        Ok(self.table().done(queue, after, limit))
    }

    fn purge_done(&self, queue: &str, age: Duration, now: Timestamp) -> Result<u64, EngineError> {
        self.require(Feature::DoneJobs)?;
        Ok(self.table().purge_done(queue, age, now))
    }
}
