//! Queues by hand: push, pop, and each way to finish a job.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize, Serializer};
use tina4_service_queue::{
    Backlog, BoundQueue, Cancelled, Capabilities, Counters, DeadSelection, EngineError, Executor,
    Feature, FinishError, Held, Job, JobId, MemoryEngine, NewJob, Pop, Push, PushError, Pushed,
    Queue, Queues, Reject, Retry, RetryPolicy, Stats, Timestamp, Verdict,
};

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Email {
    to: String,
}

const EMAILS: Queue<Email> = Queue::new("emails");
const NUMBERS: Queue<u32> = Queue::new("numbers");

/// A queue in memory, and a clock in seconds.
struct World {
    emails: BoundQueue<Email>,
    queues: Queues,
    clock: Arc<AtomicI64>,
}

impl World {
    fn new() -> Self {
        Self::with(Capabilities::ALL)
    }

    fn with(capabilities: Capabilities) -> Self {
        let clock = Arc::new(AtomicI64::new(1_000_000));
        let now = Arc::clone(&clock);
        let engine = MemoryEngine::limited_to(capabilities);
        let queues = Queues::with_clock(engine, move || {
            Timestamp::from_millis(now.load(Ordering::SeqCst) * 1000)
        });
        Self { emails: EMAILS.on(&queues), queues, clock }
    }

    fn pass(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::SeqCst);
    }

    fn push(&self, to: &str) -> JobId {
        self.emails.push(&Email { to: to.to_owned() }).unwrap().id()
    }

    fn pop(&self) -> Job<Email> {
        self.emails.pop().unwrap().expect("a job is ready")
    }

    fn counters(&self) -> Counters {
        self.emails.stats().unwrap().counters
    }
}

#[test]
fn rule_131_a_job_by_hand() {
    let world = World::new();
    let id = world.push("ada");
    world.pass(3);
    let job = world.pop();
    assert_eq!(*job, Email { to: "ada".to_owned() });
    assert_eq!((job.id(), job.attempt(), job.last_error()), (id, 1, None));
    assert_eq!(job.pushed_at(), Timestamp::from_millis(1_000_000_000));
    assert!(world.emails.pop().unwrap().is_none());
    job.complete().unwrap();
    let expected = Counters { pushed: 1, done: 1, ..Counters::default() };
    assert_eq!(
        world.emails.stats().unwrap(),
        Stats { backlog: Backlog::default(), counters: expected }
    );
}

#[test]
fn rule_131_a_job_that_fails_is_attempted_again_and_then_dead() {
    let world = World::new();
    world.push("ada");
    let policy = RetryPolicy { attempts: 3, ..RetryPolicy::DEFAULT };
    let pop = Pop::new().policy(policy);
    for attempt in 1..=2 {
        let job = world.emails.pop_with(&pop).unwrap().expect("it is due");
        assert_eq!(job.attempt(), attempt);
        let Verdict::Again(delay) = job.fail("refused").unwrap() else { panic!("not the last") };
        let usual = policy.backoff_after(attempt);
        assert!(delay >= usual * 4 / 5 && delay <= usual * 6 / 5, "{delay:?}");
        assert!(world.emails.pop().unwrap().is_none(), "it waits");
        world.pass(6);
    }
    let job = world.emails.pop_with(&pop).unwrap().expect("it is due");
    assert_eq!((job.attempt(), job.last_error()), (3, Some("refused")));
    assert_eq!(job.fail("refused again").unwrap(), Verdict::Dead);
    let dead = world.emails.dead(None, 9).unwrap();
    assert_eq!((dead.len(), dead[0].attempts, &*dead[0].error), (1, 3, "refused again"));
    assert_eq!(dead[0].payload, r#"{"to":"ada"}"#);
    let expected = Counters { pushed: 1, failed: 3, dead: 1, ..Counters::default() };
    assert_eq!(world.counters(), expected);
}

#[test]
fn rule_131_reject_and_retry() {
    let world = World::new();
    world.push("ada");
    let delay = Duration::from_secs(300);
    let error = Retry::after(delay).because("busy");
    assert_eq!(world.pop().fail(error).unwrap(), Verdict::Again(delay));
    world.pass(299);
    assert!(world.emails.pop().unwrap().is_none());
    world.pass(1);
    let job = world.pop();
    assert_eq!(job.last_error(), Some("busy"));
    assert_eq!(job.retry(Duration::ZERO).unwrap(), Verdict::Again(Duration::ZERO));
    assert_eq!(world.pop().fail(Reject::new("no such address")).unwrap(), Verdict::Dead);
    assert_eq!(world.emails.dead(None, 9).unwrap()[0].error, "no such address");
    assert_eq!(world.counters().failed, 3);
}

#[test]
fn rule_131_dead_jobs_are_put_back_and_deleted() {
    let world = World::new();
    let ids = ["ada", "bob"].map(|to| world.push(to));
    for _ in 0..2 {
        world.pop().fail(Reject::new("no")).unwrap();
    }
    assert_eq!(world.emails.redrive(DeadSelection::One(ids[1])).unwrap(), 1);
    let job = world.pop();
    assert_eq!((&*job.to, job.attempt(), job.last_error()), ("bob", 1, Some("no")));
    assert_eq!(world.emails.purge(DeadSelection::All).unwrap(), 1);
    assert_eq!(world.emails.dead(None, 9).unwrap(), []);
}

#[test]
fn rule_134_a_job_that_is_released_or_dropped_is_given_back() {
    let world = World::new();
    world.push("ada");
    world.pop().release().unwrap();
    drop(world.pop());
    let job = world.pop();
    assert_eq!((job.attempt(), job.fence()), (1, 3));
    assert_eq!(world.counters().returned, 2);
}

#[test]
fn rule_131_a_job_that_is_dropped_in_a_panic_has_failed() {
    let world = World::new();
    world.push("ada");
    #[expect(clippy::disallowed_methods, reason = "this test is about a panic")]
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _job = world.pop();
        panic!("planted");
    }));
    assert!(result.is_err());
    assert!(world.emails.pop().unwrap().is_none(), "it waits");
    world.pass(3);
    let job = world.pop();
    assert_eq!((job.attempt(), job.last_error()), (2, Some("the thread panicked")));
    assert_eq!(world.counters().failed, 1);
}

#[test]
fn rule_132_a_finish_after_the_lease_is_refused_and_counted() {
    let world = World::new();
    type Finish = fn(Job<Email>) -> Result<(), FinishError>;
    let finishes: [Finish; 4] = [
        Job::complete,
        Job::release,
        |job| job.fail("late").map(drop),
        |job| job.retry(Duration::ZERO).map(drop),
    ];
    for finish in finishes {
        let id = world.push("ada");
        let late = world.pop();
        world.pass(30);
        let error = finish(late).unwrap_err();
        assert!(matches!(error, FinishError::Stale { queue: "emails", id: found } if found == id));
        let job = world.pop();
        assert_eq!((job.id(), job.attempt()), (id, 2));
        job.complete().unwrap();
    }
    let Counters { done, stale, lost, failed, returned, .. } = world.counters();
    assert_eq!((done, stale, lost, failed, returned), (4, 4, 4, 0, 0));
}

#[test]
fn rule_132_a_lease_is_as_long_as_asked_and_can_be_renewed() {
    let world = World::new();
    world.push("ada");
    let pop = Pop::new().lease(Duration::from_secs(100));
    let job = world.emails.pop_with(&pop).unwrap().expect("a job is ready");
    world.pass(99);
    job.renew().unwrap();
    world.pass(99);
    assert!(world.emails.pop().unwrap().is_none());
    job.renew().unwrap();
    world.pass(100);
    assert!(matches!(job.renew(), Err(FinishError::Stale { .. })));
    assert_eq!(world.counters().stale, 1);
    drop(job);
    assert_eq!(world.counters().stale, 2, "giving it back is refused, too");
    assert_eq!(world.pop().attempt(), 2);
}

#[test]
fn rule_132_a_dropped_job_whose_lease_has_ended_is_left_to_its_owner() {
    let world = World::new();
    world.push("ada");
    let late = world.pop();
    world.pass(30);
    let job = world.pop();
    drop(late);
    assert!(world.emails.pop().unwrap().is_none());
    job.complete().unwrap();
}

#[test]
fn rule_131_a_payload_of_another_type_is_a_failed_attempt() {
    const OTHER: Queue<Vec<u8>> = Queue::new("emails");
    let world = World::new();
    OTHER.on(&world.queues).push(&vec![1, 2]).unwrap();
    world.pass(1);
    world.push("ada");
    let job = world.pop();
    assert_eq!(job.to, "ada", "the next job is not held up");
    assert!(world.emails.pop().unwrap().is_none(), "and the first one waits");
    job.complete().unwrap();
    let policy = RetryPolicy { attempts: 2, ..RetryPolicy::DEFAULT };
    world.pass(3);
    world.emails.pop_with(&Pop::new().policy(policy)).unwrap();
    let dead = world.emails.dead(None, 9).unwrap();
    assert_eq!(dead.len(), 1);
    assert!(
        dead[0].error.starts_with("the payload does not fit the type of the queue: "),
        "{dead:?}"
    );
    assert_eq!(dead[0].payload, "[1,2]");
}

#[test]
fn rule_133_options_of_a_push() {
    let world = World::new();
    let push = |to: &str, options: &Push| {
        world.emails.push_with(&Email { to: to.to_owned() }, options).unwrap()
    };
    push("usual", &Push::new());
    push("urgent", &Push::new().priority(9));
    push("later", &Push::new().priority(9).delay(Duration::from_secs(60)));
    let first = push("once", &Push::new().unique("k"));
    assert_eq!(push("twice", &Push::new().unique("k")), Pushed::Known(first.id()));
    let window = Push::new().unique_for("w", Duration::from_secs(60));
    assert!(push("hourly", &window).is_new());
    assert!(!push("hourly", &window).is_new());
    assert_eq!(world.counters().pushed, 5);
    let mut order = Vec::new();
    while let Some(job) = world.emails.pop().unwrap() {
        order.push(job.to.clone());
        job.complete().unwrap();
    }
    assert_eq!(order, ["urgent", "usual", "once", "hourly"]);
    assert_eq!(world.emails.stats().unwrap().backlog.delayed, 1);
    world.pass(60);
    assert_eq!(world.pop().to, "later");
}

#[test]
fn rule_131_a_waiting_job_can_be_cancelled() {
    let world = World::new();
    let id = world.push("ada");
    assert_eq!(world.emails.cancel(id).unwrap(), Cancelled::Deleted);
    assert!(world.emails.pop().unwrap().is_none());
}

#[test]
fn rule_138_an_option_that_the_engine_does_not_have_is_refused() {
    let world = World::with(Capabilities::NONE);
    let minute = Duration::from_secs(60);
    for (options, expected) in [
        (Push::new().delay(minute), Feature::Delay),
        (Push::new().priority(1), Feature::Priority),
        (Push::new().unique("k"), Feature::UniqueWhileLive),
        (Push::new().unique_for("k", minute), Feature::UniqueFor),
    ] {
        let error = world.emails.push_with(&Email { to: "ada".to_owned() }, &options).unwrap_err();
        assert!(
            matches!(error, PushError::Engine(EngineError::Unsupported { engine: "memory", feature }) if feature == expected),
            "{error}"
        );
    }
    let unsupported = "the engine `memory` does not support ";
    let backlog = world.emails.stats().unwrap_err().to_string();
    assert_eq!(
        backlog,
        format!("{unsupported}counts of jobs; ask the server itself, or another engine")
    );
    world.emails.dead(None, 1).unwrap_err();
    world.emails.redrive(DeadSelection::All).unwrap_err();
    world.emails.purge(DeadSelection::All).unwrap_err();
    world.emails.cancel(JobId::new(1)).unwrap_err();
    for feature in Feature::ALL {
        assert!(world.queues.require(feature).is_err(), "{feature}");
    }
    assert!(world.emails.pop().unwrap().is_none());
}

#[test]
fn rule_138_an_option_that_is_not_valid_is_refused() {
    let world = World::new();
    let push = |options: &Push| {
        let pushed = world.emails.push_with(&Email { to: "ada".to_owned() }, options);
        pushed.unwrap_err().to_string()
    };
    assert_eq!(push(&Push::new().priority(10)), "the priority 10 is out of range; use -9 to 9");
    let key = "the unique key is empty; name what must exist only once";
    assert_eq!(push(&Push::new().unique("")), key);
}

#[test]
fn rule_131_a_popped_job_leaves_a_copy_if_that_is_asked_for() {
    let numbers = NUMBERS.on(&Queues::new(MemoryEngine::new()));
    for (number, keeps) in [(1, false), (2, true), (3, true)] {
        numbers.push(&number).unwrap();
        let pop = if keeps { Pop::new().keep_done() } else { Pop::new() };
        let job = numbers.pop_with(&pop).unwrap().expect("it was pushed");
        if number == 3 {
            job.fail(Reject::new("no")).unwrap();
        } else {
            job.complete().unwrap();
        }
    }
    let done = numbers.done(None, 9).unwrap();
    assert_eq!(done.iter().map(|job| &*job.payload).collect::<Vec<_>>(), ["2"]);
    assert_eq!(numbers.stats().unwrap().counters.done, 2);
    assert_eq!(numbers.purge_done(Duration::from_secs(60)).unwrap(), 0);
    assert_eq!(numbers.purge_done(Duration::ZERO).unwrap(), 1);
    assert_eq!(numbers.done(None, 9).unwrap(), []);
}

#[test]
fn rule_138_a_copy_that_the_engine_cannot_keep_is_refused_before_the_claim() {
    let engine = MemoryEngine::limited_to(Capabilities::ALL.without(Feature::DoneJobs));
    let numbers = NUMBERS.on(&Queues::new(engine));
    numbers.push(&1).unwrap();
    let refused = numbers.pop_with(&Pop::new().keep_done());
    assert!(matches!(refused, Err(EngineError::Unsupported { feature: Feature::DoneJobs, .. })));
    assert_eq!(numbers.pop().unwrap().expect("nobody has claimed it").attempt(), 1);
}

/// A transaction of a store that does not exist.
struct Elsewhere;

impl Executor<Self> for Elsewhere {
    const ENGINE: &'static str = "elsewhere";

    fn push(&mut self, _: &NewJob<'_>, _: Timestamp) -> Result<Pushed, EngineError> {
        panic!("nothing is pushed elsewhere")
    }

    fn complete(&mut self, _: Held, _: &str, _: bool, _: Timestamp) -> Result<bool, EngineError> {
        panic!("nothing is finished elsewhere")
    }
}

#[test]
fn a_payload_that_cannot_be_written_is_not_pushed() {
    struct Broken;

    impl Serialize for Broken {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("planted"))
        }
    }

    const BROKEN: Queue<Broken> = Queue::new("broken");
    let world = World::new();
    let error = BROKEN.on(&world.queues).push(&Broken).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the payload for the queue `broken` cannot be written as JSON: planted; change its type, or how it is serialized"
    );
}

#[test]
fn a_job_without_a_queue_can_be_finished_in_every_way() {
    let job = || Job::new(Email { to: "ada".to_owned() });
    assert_eq!((job().id(), job().attempt(), job().fence()), (JobId::new(0), 1, 0));
    job().renew().unwrap();
    job().complete().unwrap();
    job().complete_in(&mut Elsewhere).unwrap();
    job().release().unwrap();
    job().fail("no").unwrap();
    job().retry(Duration::ZERO).unwrap();
}

#[test]
fn counters_are_kept_for_each_queue() {
    const OTHER: Queue<u8> = Queue::new("other");
    let world = World::new();
    world.push("ada");
    let other = OTHER.on(&world.queues);
    assert_eq!(other.stats().unwrap(), Stats::default());
    other.push(&1).unwrap();
    assert_eq!((other.stats().unwrap().counters.pushed, world.counters().pushed), (1, 1));
    assert_eq!((other.name(), OTHER.name()), ("other", "other"));
}
