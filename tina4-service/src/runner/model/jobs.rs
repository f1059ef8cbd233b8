//! Queue services: pushes, turns, jobs, stops and pauses at once. Time stands still, so nothing is polled: a
//! push that is missed is a job that never runs, and the schedule has no end.

use tina4_service_queue::{
    Backlog, BoundQueue, Capabilities, Ended, Engine, EngineError, Held, Job, MemoryEngine, NewJob,
    Pushed, Queue, Queues, Stats, Timestamp, Turn, Want,
};

use super::*;

const NUMBERS: Queue<u32> = Queue::new("numbers");

/// Lets others act for a while. With a single switch, the checker hardly ever finds the schedules in which a
/// push and a turn of the engine overlap.
fn take_time() {
    for _ in 0..8 {
        yield_now();
    }
}

/// An engine that takes time: before it stores a job, and after it has looked for jobs.
struct Slow(MemoryEngine);

impl Engine for Slow {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    fn owner(&self) -> &str {
        self.0.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        take_time();
        self.0.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        let turn = self.0.turn(ended, wants, now);
        take_time();
        turn
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        let next = self.0.next_due(queues, now);
        take_time();
        next
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

/// What the jobs of one schedule have done.
#[derive(Default)]
struct Seen {
    counters: Counters,
    /// How often each job has run.
    runs: Mutex<Vec<u32>>,
}

impl Seen {
    fn run(&self, number: u32) {
        let entered = EnteredGuard::new(&self.counters);
        lock(&self.runs).push(number);
        yield_now();
        drop(entered);
    }

    /// The jobs that have run, in ascending order.
    fn numbers(&self) -> Vec<u32> {
        let mut numbers = lock(&self.runs).clone();
        numbers.sort_unstable();
        numbers
    }
}

impl Scenario {
    /// Adds a queue service, and returns its queue.
    fn add_queue(&mut self, seen: &Arc<Seen>, concurrency: u32) -> BoundQueue<u32> {
        let queues = Queues::with_clock(Slow(MemoryEngine::new()), Timestamp::default);
        self.runner.provide(queues.clone());
        let seen = Arc::clone(seen);
        let body = move |job: Job<u32>| seen.run(*job);
        let service = Service::of("jobs", body).queue(NUMBERS).concurrency(concurrency);
        self.runner.register(service).expect("the name is free");
        NUMBERS.on(&queues)
    }
}

fn stats(queue: &BoundQueue<u32>) -> Stats {
    queue.stats().expect("the engine can count")
}

/// Waits until so many jobs are done.
fn until_done(queue: &BoundQueue<u32>, count: u64) {
    while stats(queue).counters.done < count {
        yield_now();
    }
}

#[test]
fn rule_132_no_push_is_missed_and_no_more_jobs_run_at_once_than_allowed() {
    // With one job for each producer, a schedule is short, and the checker tries more of the rare ones.
    for (concurrency, jobs) in [(1, 1), (2, 2)] {
        explore(move || {
            let mut scenario = Scenario::new();
            let seen = Arc::new(Seen::default());
            let queue = scenario.add_queue(&seen, concurrency);
            scenario.spawn(|runner, _| {
                runner.start_all().expect("nothing is wrong with it");
            });
            for producer in 0..2 {
                let queue = queue.clone();
                scenario.spawn(move |_, _| {
                    for number in 0..jobs {
                        queue.push(&(jobs * producer + number)).expect("the push succeeds");
                    }
                });
            }
            until_done(&queue, 2 * u64::from(jobs));
            assert_eq!(seen.numbers(), (0..2 * jobs).collect::<Vec<_>>());
            let most = seen.counters.max_active.load(Ordering::SeqCst);
            assert!(most <= concurrency as usize, "{most} jobs at once");
            scenario.end();
        });
    }
}

#[test]
fn rule_134_a_stop_leaves_no_claim_whenever_it_comes() {
    explore(|| {
        let mut scenario = Scenario::new();
        let seen = Arc::new(Seen::default());
        let queue = scenario.add_queue(&seen, 2);
        scenario.runner.start_all().expect("nothing is wrong with it");
        let producer = queue.clone();
        scenario.spawn(move |_, _| {
            for number in 0..3 {
                producer.push(&number).expect("the push succeeds");
            }
        });
        scenario.spawn(|runner, _| {
            // Refused while the service is stopping or stopped.
            let _ = runner.pause("jobs");
            let _ = runner.resume("jobs");
        });
        let checked = queue.clone();
        scenario.spawn(move |runner, _| {
            runner.stop("jobs").expect("it is known");
            let stats = stats(&checked);
            // Nobody starts it before this thread does.
            assert_eq!((stats.backlog.claimed, stats.counters.stale), (0, 0), "{stats:?}");
            runner.start("jobs").expect("it may start");
        });
        scenario.join();
        // A pause that came before the stop is over, but one may have come after the start.
        scenario.runner.resume("jobs").expect("it is active");
        until_done(&queue, 3);
        assert_eq!(seen.numbers(), [0, 1, 2], "no job is lost, and none runs twice");
        scenario.end();
    });
}

#[test]
fn rule_132_a_push_during_a_turn_is_not_missed() {
    explore(|| {
        let mut scenario = Scenario::new();
        let seen = Arc::new(Seen::default());
        let queue = scenario.add_queue(&seen, 1);
        scenario.runner.start_all().expect("nothing is wrong with it");
        let producer = queue.clone();
        scenario.spawn(move |_, _| {
            // Each begins a turn that may find nothing.
            for number in 0..3 {
                producer.wake();
                producer.push(&number).expect("the push succeeds");
            }
        });
        until_done(&queue, 3);
        scenario.end();
    });
}
