//! Transactions of the caller: which are refused, and what a finish that is abandoned half way leaves.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tina4_service_queue::{
    AsyncExecutor, Backlog, BoundQueue, Capabilities, Ended, Engine, EngineError, Executor,
    Feature, FinishError, Held, Job, MemoryEngine, NewJob, Push, PushError, Pushed, Queue, Queues,
    Timestamp, Turn, Want,
};

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// An engine in memory that takes part in transactions: those of [`Finishing`].
struct Transactional(MemoryEngine);

impl Engine for Transactional {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities().with(Feature::Transactions)
    }

    fn owner(&self) -> &str {
        self.0.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.0.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.0.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.0.renew(held, lease, now)
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.0.backlog(queue, now)
    }
}

/// A transaction that must not be used: of the engine in memory, or of another one.
struct Untouched<const OF_MEMORY: bool>;

impl<const OF_MEMORY: bool> Executor<Self> for Untouched<OF_MEMORY> {
    const ENGINE: &'static str = if OF_MEMORY { "memory" } else { "elsewhere" };

    fn push(&mut self, _: &NewJob<'_>, _: Timestamp) -> Result<Pushed, EngineError> {
        panic!("it was used")
    }

    fn complete(&mut self, _: Held, _: &str, _: bool, _: Timestamp) -> Result<bool, EngineError> {
        panic!("it was used")
    }
}

impl<const OF_MEMORY: bool> AsyncExecutor<Self> for Untouched<OF_MEMORY> {
    const ENGINE: &'static str = <Self as Executor<Self>>::ENGINE;

    async fn push(&mut self, _: &NewJob<'_>, _: Timestamp) -> Result<Pushed, EngineError> {
        panic!("it was used")
    }

    async fn complete(
        &mut self,
        _: Held,
        _: &str,
        _: bool,
        _: Timestamp,
    ) -> Result<bool, EngineError> {
        panic!("it was used")
    }
}

/// A transaction whose driver never answers.
struct Silent;

impl AsyncExecutor<Self> for Silent {
    const ENGINE: &'static str = "memory";

    async fn push(&mut self, _: &NewJob<'_>, _: Timestamp) -> Result<Pushed, EngineError> {
        std::future::pending().await
    }

    async fn complete(
        &mut self,
        _: Held,
        _: &str,
        _: bool,
        _: Timestamp,
    ) -> Result<bool, EngineError> {
        std::future::pending().await
    }
}

/// A queue on an engine, and a clock in seconds.
struct World {
    numbers: BoundQueue<u32>,
    clock: Arc<AtomicI64>,
}

impl World {
    fn new(engine: impl Engine + 'static) -> Self {
        let clock = Arc::new(AtomicI64::new(1_000_000));
        let now = Arc::clone(&clock);
        let queues = Queues::with_clock(engine, move || {
            Timestamp::from_millis(now.load(Ordering::SeqCst) * 1000)
        });
        Self { numbers: NUMBERS.on(&queues), clock }
    }

    /// A claimed job.
    fn job(&self) -> Job<u32> {
        self.numbers.push(&1).unwrap();
        self.numbers.pop().unwrap().expect("it was pushed")
    }

    /// The errors of a push and a finish in each kind of transaction.
    fn refusals<const OF_MEMORY: bool>(&self) -> (Vec<PushError>, Vec<FinishError>) {
        let (mut tx, options) = (Untouched::<OF_MEMORY>, Push::new());
        let mut pushes = vec![self.numbers.push_in(&mut tx, &1, &options).unwrap_err()];
        pushes.push(ready(self.numbers.push_in_async(&mut tx, &1, &options)).unwrap_err());
        let mut finishes = vec![self.job().complete_in(&mut tx).unwrap_err()];
        finishes.push(ready(self.job().complete_in_async(&mut tx)).unwrap_err());
        (pushes, finishes)
    }
}

/// The result of a future that waits for nothing.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("it waits"),
    }
}

#[test]
fn rule_138_an_engine_without_transactions_refuses_them() {
    let world = World::new(MemoryEngine::new());
    let (pushes, finishes) = world.refusals::<true>();
    let expected = "the engine `memory` does not support transactions of the caller; push after the commit, or another engine";
    for error in pushes {
        let is_refusal = matches!(
            error,
            PushError::Engine(EngineError::Unsupported { feature: Feature::Transactions, .. })
        );
        assert!(is_refusal, "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    for error in finishes {
        let is_refusal = matches!(
            error,
            FinishError::Engine(EngineError::Unsupported { feature: Feature::Transactions, .. })
        );
        assert!(is_refusal, "{error:?}");
    }
    assert_eq!(world.numbers.stats().unwrap().counters.done, 0);
}

#[test]
fn rule_138_a_transaction_of_another_engine_is_refused() {
    let world = World::new(Transactional(MemoryEngine::new()));
    let (pushes, finishes) = world.refusals::<false>();
    let expected = "the queue `numbers` is on the engine `memory`, and the transaction belongs to `elsewhere`; \
                    use a transaction of the queue's own store";
    for error in pushes {
        assert!(matches!(error, PushError::WrongEngine { .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    for error in finishes {
        assert!(matches!(error, FinishError::WrongEngine { .. }), "{error:?}");
        assert_eq!(error.to_string(), expected);
    }
    // The jobs of the two finishes come back when their leases have ended.
    assert!(world.numbers.pop().unwrap().is_none());
    world.clock.fetch_add(30, Ordering::SeqCst);
    assert_eq!(world.numbers.pop().unwrap().expect("its lease has ended").attempt(), 2);
}

/// The transaction may be about to finish the job, so that nothing else may end its claim.
#[test]
fn rule_136_a_finish_that_is_abandoned_half_way_leaves_the_job_to_its_lease() {
    let world = World::new(Transactional(MemoryEngine::new()));
    let job = world.job();
    {
        let mut silent = Silent;
        let mut finishing = pin!(job.complete_in_async(&mut silent));
        let polled = finishing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    }
    assert!(world.numbers.pop().unwrap().is_none(), "it was not given back");
    let stats = world.numbers.stats().unwrap();
    assert_eq!((stats.counters.done, stats.counters.returned, stats.backlog.claimed), (0, 0, 1));
    world.clock.fetch_add(30, Ordering::SeqCst);
    assert_eq!(world.numbers.pop().unwrap().expect("its lease has ended").attempt(), 2);
}

#[test]
fn rule_134_a_finish_that_never_began_gives_the_job_back() {
    let world = World::new(Transactional(MemoryEngine::new()));
    let mut silent = Silent;
    drop(world.job().complete_in_async(&mut silent));
    assert_eq!(world.numbers.pop().unwrap().expect("it was given back").attempt(), 1);
}

#[test]
fn a_job_without_a_queue_can_be_finished_in_an_asynchronous_transaction() {
    ready(Job::new(1).complete_in_async(&mut Silent)).unwrap();
}
