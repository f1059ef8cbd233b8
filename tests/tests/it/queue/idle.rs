//! Queue services that have nothing to do.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tests::virtual_time_builder;
use tina4_service::queue::{
    Capabilities, DeadSelection, Ended, Engine, Held, NewJob, Timestamp, Turn, Want,
};
use tina4_service::testing::TestRunner;
use tina4_service::{EngineError, Job, MemoryEngine, Push, Pushed, Queue, Service};

/// Counts the requests to an engine.
struct Counting {
    engine: MemoryEngine,
    requests: Arc<AtomicU64>,
}

impl Counting {
    fn count(&self) -> &MemoryEngine {
        self.requests.fetch_add(1, Ordering::Relaxed);
        &self.engine
    }
}

impl Engine for Counting {
    fn name(&self) -> &'static str {
        "counting"
    }

    fn capabilities(&self) -> Capabilities {
        self.engine.capabilities()
    }

    fn owner(&self) -> &str {
        self.engine.owner()
    }

    fn push(&self, jobs: &[NewJob<'_>], now: Timestamp) -> Result<Vec<Pushed>, EngineError> {
        self.engine.push(jobs, now)
    }

    fn turn(
        &self,
        ended: &[Ended],
        wants: &[Want<'_>],
        now: Timestamp,
    ) -> Result<Turn, EngineError> {
        self.count().turn(ended, wants, now)
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        self.count().next_due(queues, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.count().renew(held, lease, now)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.count().purge(queue, which, now)
    }
}

fn queue(number: u32) -> Queue<u32> {
    Queue::new(format!("idle-{number}").leak())
}

fn name(number: u32) -> String {
    format!("idle-{number}")
}

/// A hundred queue services on one engine that start one after the other, 7 ms apart; another process of the store; and
/// the number of requests.
fn hundred() -> (TestRunner, MemoryEngine, Arc<AtomicU64>) {
    let (engine, requests) = (MemoryEngine::new(), Arc::<AtomicU64>::default());
    let other = engine.sibling();
    let builder = virtual_time_builder();
    let builder = builder.queues(Counting { engine, requests: Arc::clone(&requests) });
    let services = (0..100).map(|number| {
        Service::of(name(number), |job: Job<u32>| drop(job)).queue(queue(number)).autostart(false)
    });
    let mut t =
        services.fold(builder, |builder, service| builder.service(service)).build().unwrap();
    for number in 0..100 {
        t.start(&name(number)).unwrap();
        t.advance("7ms");
    }
    // Until they have found each other.
    t.advance("3s");
    requests.store(0, Ordering::Relaxed);
    (t, other, requests)
}

#[test]
fn rule_8_a_hundred_idle_queues_cost_one_request_in_each_poll() {
    let (mut t, _, requests) = hundred();
    t.advance("60s");
    assert_eq!(requests.load(Ordering::Relaxed), 60);
}

#[test]
fn rule_8_a_job_in_one_of_many_idle_queues_is_found_as_if_it_were_the_only_one() {
    let (mut t, other, requests) = hundred();
    // Of another process: within one poll.
    other.push(&[NewJob::new("idle-57", "1")], Timestamp::default()).unwrap();
    t.advance("1s");
    assert_eq!(t.runs("idle-57"), 1);
    // Of this one: at once, whenever it is pushed.
    t.advance("300ms");
    t.push(queue(58), &2);
    t.advance("1ms");
    assert_eq!(t.runs("idle-58"), 1);
    // A delayed one: when it is due.
    t.push_with(queue(59), &3, &Push::new().delay(Duration::from_millis(2500)));
    t.advance("2499ms");
    assert_eq!(t.runs("idle-59"), 0);
    t.advance("1ms");
    assert_eq!(t.runs("idle-59"), 1);
    // The polls of all are together again.
    t.advance("3s");
    requests.store(0, Ordering::Relaxed);
    t.advance("60s");
    assert_eq!(requests.load(Ordering::Relaxed), 60);
}

#[test]
fn a_busy_queue_beside_idle_ones_needs_no_more_requests_than_alone() {
    let (mut t, _, requests) = hundred();
    for number in 0..50 {
        t.push(queue(7), &number);
    }
    t.advance("1ms");
    assert_eq!(t.runs("idle-7"), 50);
    // Each turn ends a job and claims the next; the first one claims, and the last one finds nothing.
    assert_eq!(requests.load(Ordering::Relaxed), 51);
}

#[test]
fn rule_8_services_that_stop_and_start_leave_the_others_to_their_polls() {
    let (mut t, other, requests) = hundred();
    for number in 0..99 {
        t.stop(&name(number)).unwrap();
    }
    requests.store(0, Ordering::Relaxed);
    t.advance("10s");
    assert_eq!(requests.load(Ordering::Relaxed), 10);
    other.push(&[NewJob::new("idle-99", "1")], Timestamp::default()).unwrap();
    other.push(&[NewJob::new("idle-0", "1")], Timestamp::default()).unwrap();
    t.advance("1s");
    assert_eq!((t.runs("idle-99"), t.runs("idle-0")), (1, 0));
    t.start("idle-0").unwrap();
    t.advance("1ms");
    assert_eq!(t.runs("idle-0"), 1);
}

#[test]
fn rule_8_a_push_is_seen_at_once_although_another_service_has_just_looked() {
    let (engine, requests) = (MemoryEngine::new(), Arc::<AtomicU64>::default());
    let builder = virtual_time_builder();
    let service = |number, poll| {
        Service::of(name(number), |job: Job<u32>| drop(job)).queue(queue(number)).poll(poll)
    };
    let builder = builder.queues(Counting { engine, requests: Arc::clone(&requests) });
    let mut t = builder.service(service(1, "1s")).service(service(2, "10s")).build().unwrap();
    // The first one looks at both queues after six seconds.
    t.advance("6500ms");
    requests.store(0, Ordering::Relaxed);
    t.push(queue(2), &1);
    t.advance("1ms");
    assert_eq!(t.runs("idle-2"), 1);
    assert_eq!(requests.load(Ordering::Relaxed), 2, "a claim, and a finish");
}
