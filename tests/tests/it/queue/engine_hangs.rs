//! A queue service whose engine does not answer, in real time.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use tests::Stopwatch;
use tina4_service::queue::{Capabilities, Ended, Engine, Held, NewJob, Timestamp, Turn, Want};
use tina4_service::{
    Backlog, Context, EngineError, Job, MemoryEngine, Pushed, Queue, Queues, Runner, Service,
    Stopped,
};

const WORDS: Queue<String> = Queue::new("words");

/// Whether the function was called.
static BEGAN: AtomicBool = AtomicBool::new(false);

/// Answers until it hangs.
#[derive(Default)]
struct Hanging {
    hangs: AtomicBool,
    /// Whether it hangs when it is asked which queues need a turn.
    hangs_in_looks: AtomicBool,
    renewals: AtomicU32,
    /// How many calls have begun to hang.
    calls: Mutex<u32>,
    changed: Condvar,
}

impl Hanging {
    /// Waits as long as a caller does.
    fn answer(&self, limit: Duration) -> Result<(), EngineError> {
        if self.hangs.load(Ordering::SeqCst) { self.no_answer(limit) } else { Ok(()) }
    }

    fn no_answer(&self, limit: Duration) -> Result<(), EngineError> {
        let mut calls = self.calls.lock().unwrap();
        *calls += 1;
        self.changed.notify_all();
        let limit = limit.min(Duration::from_secs(3_600));
        let never = |_: &mut u32| true;
        drop(self.changed.wait_timeout_while(calls, limit, never).unwrap());
        Err(EngineError::Failed { engine: "hanging", source: "no answer".into() })
    }

    fn hang(&self) {
        self.hangs.store(true, Ordering::SeqCst);
        let calls = self.calls.lock().unwrap();
        drop(self.changed.wait_while(calls, |calls| *calls == 0).unwrap());
    }
}

struct Store(MemoryEngine, Arc<Hanging>);

impl Engine for Store {
    fn name(&self) -> &'static str {
        "hanging"
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
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
        self.turn_within(Duration::MAX, ended, wants, now)
    }

    fn turn_within(
        &self,
        limit: Duration,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.1.answer(limit)?;
        self.0.turn(ended, wants, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.renew_within(Duration::MAX, held, lease, now)
    }

    fn renew_within(
        &self,
        limit: Duration,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.1.answer(limit)?;
        self.1.renewals.fetch_add(1, Ordering::SeqCst);
        self.0.renew(held, lease, now)
    }

    fn backlog(&self, queue: &str, now: Timestamp) -> Result<Backlog, EngineError> {
        self.0.backlog(queue, now)
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        self.next_due_within(Duration::MAX, queues, now)
    }

    fn next_due_within(
        &self,
        limit: Duration,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        if self.1.hangs_in_looks.load(Ordering::SeqCst) {
            self.1.no_answer(limit)?;
        }
        self.1.answer(limit)?;
        self.0.next_due(queues, now)
    }
}

/// The store hangs in a turn when the service is stopped, and in those that follow. A busy machine may take what the
/// calls leave of a short time.
fn stop_while_it_hangs(take: fn(&tina4_service::Context, Job<String>)) {
    let mut stops = Vec::new();
    while !stops.last().is_some_and(|(limit, (stopped, took))| {
        matches!(stopped, Stopped::Ended { .. }) && took < limit
    }) {
        assert!(stops.len() < 3, "{stops:?}");
        let limit = Duration::from_secs([3, 9, 27][stops.len()]);
        stops.push((limit, stop_within(limit, take)));
    }
}

/// Stops within this time, and measures how long that takes.
fn stop_within(
    limit: Duration,
    take: fn(&tina4_service::Context, Job<String>),
) -> (Stopped, Duration) {
    let hanging = Arc::new(Hanging::default());
    let queues = Queues::new(Store(MemoryEngine::new(), Arc::clone(&hanging)));
    let service = Service::of("words", take).queue(WORDS).poll("100ms").stop_timeout(limit);
    let runner = Runner::new();
    runner.provide(queues.clone());
    runner.register(service.concurrency(2)).unwrap();
    runner.start_all().unwrap();
    WORDS.on(&queues).push(&"hello".to_owned()).unwrap();
    tests::until("the job has begun", || BEGAN.swap(false, Ordering::SeqCst));
    hanging.hang();
    let stopwatch = Stopwatch::start();
    let stopped = runner.stop("words").unwrap();
    let took = stopwatch.elapsed();
    let report = runner.stop_all();
    assert!(report.is_clean() || !matches!(stopped, Stopped::Ended { .. }), "{report}");
    (stopped, took)
}

#[test]
fn rule_137_a_stop_ends_in_time_although_the_engine_does_not_answer() {
    stop_while_it_hangs(|_, _| BEGAN.store(true, Ordering::SeqCst));
    // There is a job to be settled when it stops.
    stop_while_it_hangs(|ctx, _| {
        BEGAN.store(true, Ordering::SeqCst);
        let _ = ctx.sleep(Duration::from_secs(600));
    });
}

/// The service has a job in progress and a free slot, so it looks at its queue in each poll.
#[test]
fn rule_132_claims_are_renewed_although_the_engine_does_not_say_which_queues_need_a_turn() {
    static MAY_END: AtomicBool = AtomicBool::new(false);
    static ATTEMPTS: AtomicU32 = AtomicU32::new(0);
    let hanging = Arc::new(Hanging::default());
    let queues = Queues::new(Store(MemoryEngine::new(), Arc::clone(&hanging)));
    let service = Service::of("words", |_: &Context, _: Job<String>| {
        ATTEMPTS.fetch_add(1, Ordering::SeqCst);
        tests::until("it may end", || MAY_END.load(Ordering::SeqCst));
    });
    let runner = Runner::new();
    runner.provide(queues.clone());
    runner.register(service.queue(WORDS).concurrency(2).poll("100ms").lease("2s")).unwrap();
    runner.start_all().unwrap();
    WORDS.on(&queues).push(&"hello".to_owned()).unwrap();
    tests::until("the job has begun", || ATTEMPTS.load(Ordering::SeqCst) > 0);
    hanging.hangs_in_looks.store(true, Ordering::SeqCst);
    drop(hanging.changed.wait_while(hanging.calls.lock().unwrap(), |calls| *calls == 0).unwrap());
    let before = hanging.renewals.load(Ordering::SeqCst);
    // For more than two leases.
    tests::until("it was renewed", || hanging.renewals.load(Ordering::SeqCst) >= before + 7);
    MAY_END.store(true, Ordering::SeqCst);
    let counters = || WORDS.on(&queues).stats().unwrap().counters;
    tests::until("the job is done", || counters().done > 0);
    assert_eq!((counters().stale, ATTEMPTS.load(Ordering::SeqCst)), (0, 1));
    assert!(runner.stop_all().is_clean());
}
