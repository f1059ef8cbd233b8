//! The claims of one service: turns, renewals, and how attempts end.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use tina4_service_queue::consumer::{
    Attempt, Consumer, ConsumerSettings, Delivery, Item, Settled, Settlement,
};
use tina4_service_queue::{
    BoundQueue, Capabilities, End, Engine, Feature, FinishError, MemoryEngine, Push, Queue,
    QueueListener, Queues, RetryPolicy, RetryRequest, Timestamp,
};

mod engine_faults;
mod locked;
mod moved;
mod polls;
mod slots;
mod suspects;

const WORDS: Queue<String> = Queue::new("words");

const SETTINGS: ConsumerSettings = ConsumerSettings {
    queue: WORDS.name(),
    concurrency: 2,
    lease: secs(30),
    policy: RetryPolicy { attempts: 3, ..RetryPolicy::DEFAULT },
    poll: secs(60),
    keep_dead: None,
    keep_done: None,
    reports_dead: false,
};

const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// A consumer, its queue, and their time.
struct Test {
    consumer: Consumer,
    words: BoundQueue<String>,
    now: Arc<AtomicI64>,
}

impl Test {
    fn new(engine: impl Engine + 'static, settings: ConsumerSettings) -> Self {
        let now = Arc::new(AtomicI64::new(0));
        let queues = Self::queues(engine, &now);
        let words = WORDS.on(&queues);
        Self { consumer: Consumer::new(queues, settings), words, now }
    }

    fn queues(engine: impl Engine + 'static, now: &Arc<AtomicI64>) -> Queues {
        let clock = Arc::clone(now);
        Queues::with_clock(engine, move || Timestamp::from_millis(clock.load(Ordering::Relaxed)))
    }

    fn with_jobs(settings: ConsumerSettings, count: usize) -> Self {
        let test = Self::new(MemoryEngine::new(), settings);
        for number in 0..count {
            test.words.push(&number.to_string()).unwrap();
        }
        test
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.load(Ordering::Relaxed).try_into().unwrap())
    }

    /// A turn, and the time to the next one.
    fn turn(&self) -> Option<Duration> {
        self.consumer.turn(self.elapsed(), true).unwrap().next
    }

    fn settled(&self, may_claim: bool) -> Vec<Settlement> {
        let report = self.consumer.turn(self.elapsed(), may_claim).unwrap();
        report.settled.into_iter().map(|Settled { settlement, .. }| settlement).collect()
    }

    fn take(&self) -> Delivery {
        match self.consumer.take() {
            Some(Item::Job(delivery)) => *delivery,
            other => panic!("{other:?}"),
        }
    }
}

fn failed() -> Attempt {
    Attempt::Failed { request: RetryRequest::Usual, error: "no".to_owned() }
}

#[test]
fn rule_132_a_turn_claims_what_may_begin_and_no_more() {
    let test = Test::with_jobs(SETTINGS, 3);
    // All slots are taken, so only the renewal needs a turn by itself.
    assert_eq!(test.turn(), Some(secs(10)));
    let (first, second) = (test.take(), test.take());
    assert!(test.consumer.take().is_none());
    test.turn();
    assert!(test.consumer.take().is_none());
    test.consumer.finish(first, Attempt::Done);
    test.turn();
    let third = test.take();
    test.consumer.finish(second, Attempt::Done);
    test.consumer.finish(third, Attempt::Done);
    // It is idle now: the poll is next.
    assert_eq!(test.turn(), Some(secs(60)));
    assert_eq!(test.words.stats().unwrap().counters.done, 3);
    // A delayed job is due earlier.
    test.words.push_with(&"late".to_owned(), &Push::new().delay(secs(7))).unwrap();
    assert_eq!(test.turn(), Some(secs(7)));
}

#[test]
fn rule_132_all_claims_are_renewed_after_a_third_of_the_lease() {
    let test = Test::with_jobs(SETTINGS, 2);
    test.turn();
    let delivery = test.take();
    for _ in 0..10 {
        test.pass(secs(10));
        assert_eq!(test.turn(), Some(secs(10)));
    }
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(true), [Settlement::Ended(End::Done)]);
    let counters = test.words.stats().unwrap().counters;
    assert_eq!((counters.lost, counters.stale), (0, 0));
}

#[test]
fn rule_132_an_engine_without_leases_is_not_asked_to_renew() {
    let engine = MemoryEngine::limited_to(Capabilities::ALL.without(Feature::Lease));
    let test = Test::new(engine, SETTINGS);
    for word in ["a", "b"] {
        test.words.push(&word.to_owned()).unwrap();
    }
    assert_eq!(test.turn(), None, "the end of a job is next");
    test.pass(secs(3_600));
    assert_eq!(test.turn(), None);
    let delivery = test.take();
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(true), [Settlement::Ended(End::Done)]);
}

#[test]
fn rule_134_without_leave_to_claim_untaken_jobs_go_back() {
    let test = Test::with_jobs(SETTINGS, 3);
    test.turn();
    let delivery = test.take();
    assert!(test.consumer.is_unsettled());
    assert_eq!(test.settled(false), [Settlement::Ended(End::Back)]);
    assert!(test.consumer.take().is_none());
    test.consumer.finish(delivery, Attempt::Back);
    assert_eq!(test.settled(false), [Settlement::Ended(End::Back)]);
    assert!(!test.consumer.is_unsettled());
    let stats = test.words.stats().unwrap();
    assert_eq!((stats.backlog.ready, stats.counters.returned), (3, 2));
}

#[test]
fn rule_131_the_function_or_the_consumer_ends_a_job_but_not_both() {
    let test = Test::with_jobs(SETTINGS, 4);
    test.turn();
    // Finished by the function; its result does not matter.
    let delivery = test.take();
    delivery.job::<String>().unwrap().complete().unwrap();
    test.consumer.finish(delivery, failed());
    // Dropped by the function: the result decides.
    let delivery = test.take();
    drop(delivery.job::<String>().unwrap());
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(true), [Settlement::Ended(End::Done)]);
    // Kept by the function, and finished too late.
    let delivery = test.take();
    let job = delivery.job::<String>().unwrap();
    test.consumer.finish(delivery, failed());
    let late = job.complete().unwrap_err();
    assert!(matches!(late, FinishError::Stale { .. }), "{late}");
    assert!(matches!(test.settled(true)[..], [Settlement::Ended(End::Again { .. })]));
    let counters = test.words.stats().unwrap().counters;
    assert_eq!((counters.done, counters.failed, counters.stale), (2, 1, 1));
}

#[test]
fn rule_131_attempts_end_as_the_error_says() {
    let policy = RetryPolicy { attempts: 2, ..RetryPolicy::DEFAULT };
    let test = Test::with_jobs(ConsumerSettings { policy, reports_dead: true, ..SETTINGS }, 2);
    test.turn();
    let (first, second) = (test.take(), test.take());
    assert!(second.job::<Vec<u8>>().unwrap_err().starts_with("the payload does not fit"));
    let after = RetryRequest::After(secs(5));
    test.consumer.finish(first, Attempt::Failed { request: after, error: "busy".to_owned() });
    let reject = RetryRequest::Reject;
    test.consumer.finish(second, Attempt::Failed { request: reject, error: "bad".to_owned() });
    let again = End::Again { delay: secs(5), error: "busy".to_owned() };
    let dead = End::Dead { error: "bad".to_owned() };
    assert_eq!(test.settled(true), [Settlement::Ended(again), Settlement::Ended(dead)]);
    let Some(Item::Dead(dead)) = test.consumer.take() else { panic!("a job has died") };
    assert_eq!((dead.payload.as_str(), dead.attempts, dead.error.as_str()), (r#""1""#, 1, "bad"));
    // The last attempt is the second.
    test.pass(secs(5));
    test.turn();
    let last = test.take();
    test.consumer.finish(last, failed());
    let dead = End::Dead { error: "no".to_owned() };
    assert_eq!(test.settled(true), [Settlement::Ended(dead)]);
}

#[test]
fn rule_132_a_forgotten_claim_ends_with_its_lease() {
    let test = Test::with_jobs(SETTINGS, 1);
    test.turn();
    let delivery = test.take();
    test.consumer.forget(delivery);
    test.pass(secs(29));
    test.turn();
    assert!(test.consumer.take().is_none());
    test.pass(secs(1));
    test.turn();
    assert_eq!(test.take().claim().attempt, 2);
}

#[test]
fn rule_131_old_dead_jobs_are_deleted_once_an_hour() {
    let policy = RetryPolicy { attempts: 1, ..RetryPolicy::DEFAULT };
    let settings = ConsumerSettings { policy, keep_dead: Some(secs(7_200)), ..SETTINGS };
    let test = Test::with_jobs(settings, 1);
    test.turn();
    let delivery = test.take();
    test.consumer.finish(delivery, failed());
    test.turn();
    let dead = || test.words.dead(None, 10).unwrap().len();
    test.pass(secs(7_199));
    test.turn();
    assert_eq!(dead(), 1);
    test.pass(secs(1));
    test.turn();
    assert_eq!(dead(), 1, "it was looked at a second ago");
    test.pass(secs(3_600));
    test.turn();
    assert_eq!(dead(), 0);
}

#[test]
fn rule_131_a_copy_is_kept_however_the_job_is_done() {
    let settings = ConsumerSettings { keep_done: Some(secs(7_200)), concurrency: 3, ..SETTINGS };
    let test = Test::with_jobs(settings, 3);
    test.turn();
    let by_result = test.take();
    test.consumer.finish(by_result, Attempt::Done);
    let by_function = test.take();
    by_function.job::<String>().unwrap().complete().unwrap();
    test.consumer.finish(by_function, Attempt::Done);
    let failing = test.take();
    test.consumer.finish(failing, failed());
    let settled = test.settled(false);
    assert_eq!(settled[0], Settlement::Ended(End::Kept));
    assert!(matches!(settled[1..], [Settlement::Ended(End::Again { .. })]), "{settled:?}");
    let payloads: Vec<_> =
        test.words.done(None, 10).unwrap().into_iter().map(|job| job.payload).collect();
    assert_eq!(payloads, ["\"0\"", "\"1\""]);
    assert_eq!(test.consumer.counters().done, 2);
}

#[test]
fn listeners_are_told_of_pushes_until_they_are_dropped() {
    #[derive(Default)]
    struct Count(AtomicUsize);

    impl QueueListener for Count {
        fn jobs_may_be_ready(&self) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    let test = Test::with_jobs(SETTINGS, 0);
    let count = Arc::new(Count::default());
    let weak: std::sync::Weak<Count> = Arc::downgrade(&count);
    test.consumer.queues().listen(WORDS.name(), weak);
    test.words.push(&"a".to_owned()).unwrap();
    test.words.wake();
    Queue::<String>::new("others").on(test.consumer.queues()).push(&"b".to_owned()).unwrap();
    assert_eq!(count.0.load(Ordering::Relaxed), 2);
    drop(count);
    test.words.push(&"c".to_owned()).unwrap();
}

#[test]
fn a_queue_without_a_global_engine_says_so() {
    let error = WORDS.push(&"a".to_owned()).unwrap_err().to_string();
    assert!(error.starts_with("the queue `words` has no engine; call `provide("), "{error}");
    let queues = Queues::new(MemoryEngine::new());
    assert!(queues.make_global());
    assert!(!Queues::new(MemoryEngine::new()).make_global());
    assert!(WORDS.push(&"a".to_owned()).unwrap().is_new());
    assert_eq!(WORDS.on(&queues).stats().unwrap().backlog.ready, 1);
}
