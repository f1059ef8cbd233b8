//! Queues in a test: their engine follows the clock of the test.

use std::sync::Arc;

use serde_core::Serialize;
use tina4_service_queue::{DeadJob, DeadSelection, DoneJob, JobId, Push, Queue, Queues, Stats};

use crate::service::instance::{InjectedFault, Instance};
use crate::testing::test_runner::TestRunner;

/// The most dead jobs, or copies of done ones, that a test can see.
const MAX_LISTED: usize = 100_000;

impl TestRunner {
    /// The queues that were provided with [`Builder::queues`](super::Builder::queues).
    ///
    /// # Panics
    ///
    /// There are none.
    #[track_caller]
    #[must_use]
    pub fn queues(&self) -> Queues {
        match self.runner.provided::<Queues>() {
            Some(queues) => Queues::clone(&*queues),
            None => {
                panic!("the test has no queues; call `queues(MemoryEngine::new())` on the builder")
            }
        }
    }

    /// Adds a job to a queue. It runs when time passes; `advance("0s")` is enough.
    ///
    /// # Panics
    ///
    /// The payload cannot be serialized.
    #[track_caller]
    pub fn push<T: Serialize>(&mut self, queue: Queue<T>, payload: &T) -> JobId {
        self.push_with(queue, payload, &Push::new())
    }

    /// Adds a job with options to a queue.
    ///
    /// # Panics
    ///
    /// The payload cannot be serialized, or the engine refuses an option.
    #[track_caller]
    pub fn push_with<T: Serialize>(
        &mut self,
        queue: Queue<T>,
        payload: &T,
        options: &Push,
    ) -> JobId {
        match queue.on(&self.queues()).push_with(payload, options) {
            Ok(pushed) => pushed.id(),
            Err(error) => panic!("{error}"),
        }
    }

    /// Makes the process of the next job of a service vanish, as if it had been killed.
    ///
    /// The function is not called, and nothing is settled. The job comes back when its lease ends.
    ///
    /// # Panics
    ///
    /// The service has no queue.
    #[track_caller]
    pub fn kill_next(&mut self, name: &str) {
        let has_queue = |instance: &Arc<Instance>| instance.queue().is_some();
        if !self.runner.instance(name).as_ref().is_none_or(has_queue) {
            panic!(
                "the service `{name}` has no queue; call `crash_next` to make its next run fail"
            );
        }
        self.inject(name, InjectedFault::Kill);
    }

    /// The dead jobs of a queue, sorted by id.
    ///
    /// # Panics
    ///
    /// The engine gives no access to dead jobs.
    #[track_caller]
    #[must_use]
    pub fn dead<T>(&self, queue: Queue<T>) -> Vec<DeadJob> {
        match queue.on(&self.queues()).dead(None, MAX_LISTED) {
            Ok(dead) => dead,
            Err(error) => panic!("{error}"),
        }
    }

    /// The copies of done jobs of a queue, sorted by id.
    ///
    /// # Panics
    ///
    /// The engine keeps no copies.
    #[track_caller]
    #[must_use]
    pub fn done<T>(&self, queue: Queue<T>) -> Vec<DoneJob> {
        match queue.on(&self.queues()).done(None, MAX_LISTED) {
            Ok(done) => done,
            Err(error) => panic!("{error}"),
        }
    }

    /// Puts the dead jobs of a queue back. They run when time passes. Returns their number.
    ///
    /// # Panics
    ///
    /// The engine gives no access to dead jobs.
    #[track_caller]
    pub fn redrive<T>(&mut self, queue: Queue<T>) -> u64 {
        match queue.on(&self.queues()).redrive(DeadSelection::All) {
            Ok(count) => count,
            Err(error) => panic!("{error}"),
        }
    }

    /// The jobs of a queue, and what was done with them.
    ///
    /// # Panics
    ///
    /// The engine cannot count.
    #[track_caller]
    #[must_use]
    pub fn jobs<T>(&self, queue: Queue<T>) -> Stats {
        match queue.on(&self.queues()).stats() {
            Ok(stats) => stats,
            Err(error) => panic!("{error}"),
        }
    }
}
