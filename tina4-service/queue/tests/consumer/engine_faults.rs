//! Engines that fail or panic halfway through a turn.

use std::sync::Mutex;
use std::sync::atomic::AtomicU8;
use std::thread;

use tina4_service_queue::{DeadSelection, Ended, EngineError, Held, NewJob, Pushed, Turn, Want};

use super::*;

/// Which call fails.
#[derive(Clone, Default)]
struct Faults(Arc<AtomicU8>);

impl Faults {
    const NONE: u8 = 0;
    const TURN_FAILS: u8 = 1;
    const TURN_PANICS: u8 = 2;
    const PURGE_PANICS: u8 = 3;
    const PURGE_FAILS: u8 = 4;
    const REPLY_IS_LOST: u8 = 5;
    const NOTHING_IS_SENT: u8 = 6;
    const RENEWAL_FAILS: u8 = 7;

    fn set(&self, fault: u8) {
        self.0.store(fault, Ordering::Relaxed);
    }

    fn get(&self) -> u8 {
        self.0.load(Ordering::Relaxed)
    }
}

fn failed() -> EngineError {
    EngineError::Failed { engine: "faulty", source: "the server is gone".into() }
}

struct Faulty {
    engine: MemoryEngine,
    faults: Faults,
    purges: Arc<AtomicUsize>,
    /// The limits of renewals and purges.
    limits: Arc<Mutex<Vec<Duration>>>,
}

impl Engine for Faulty {
    fn name(&self) -> &'static str {
        "faulty"
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
        assert_ne!(self.faults.get(), Faults::TURN_PANICS, "the engine panicked");
        if self.faults.get() == Faults::TURN_FAILS {
            return Err(failed());
        }
        if self.faults.get() == Faults::NOTHING_IS_SENT {
            let source = "no connection".into();
            return Err(EngineError::Unchanged { engine: "faulty", source });
        }
        let turn = self.engine.turn(ended, wants, now);
        if self.faults.get() == Faults::REPLY_IS_LOST {
            return Err(failed());
        }
        turn
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        if self.faults.get() == Faults::RENEWAL_FAILS {
            return Err(failed());
        }
        self.engine.renew(held, lease, now)
    }

    fn renew_within(
        &self,
        limit: Duration,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.limits.lock().unwrap().push(limit);
        self.renew(held, lease, now)
    }

    fn backlog(
        &self,
        queue: &str,
        now: Timestamp,
    ) -> Result<tina4_service_queue::Backlog, EngineError> {
        self.engine.backlog(queue, now)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.purges.fetch_add(1, Ordering::Relaxed);
        assert_ne!(self.faults.get(), Faults::PURGE_PANICS, "the engine panicked");
        if self.faults.get() == Faults::PURGE_FAILS {
            return Err(failed());
        }
        self.engine.purge(queue, which, now)
    }

    fn purge_within(
        &self,
        limit: Duration,
        queue: &str,
        which: DeadSelection,
        now: Timestamp,
    ) -> Result<u64, EngineError> {
        self.limits.lock().unwrap().push(limit);
        self.purge(queue, which, now)
    }
}

fn faulty(settings: ConsumerSettings) -> (Test, Faults, Arc<AtomicUsize>) {
    let (test, faults, purges, _) = faulty_with_limits(settings);
    (test, faults, purges)
}

/// Also returns the limits of renewals and purges.
fn faulty_with_limits(
    settings: ConsumerSettings,
) -> (Test, Faults, Arc<AtomicUsize>, Arc<Mutex<Vec<Duration>>>) {
    let (faults, purges, limits) = (Faults::default(), Arc::default(), Arc::default());
    let engine = Faulty {
        engine: MemoryEngine::new(),
        faults: faults.clone(),
        purges: Arc::clone(&purges),
        limits: Arc::clone(&limits),
    };
    (Test::new(engine, settings), faults, purges, limits)
}

/// A turn that fails or panics.
fn failing_turn(test: &Test) {
    thread::scope(|scope| {
        let turn = scope.spawn(|| test.consumer.turn(test.elapsed(), true)).join();
        assert!(!matches!(turn, Ok(Ok(_))), "{turn:?}");
    });
}

#[test]
fn rule_137_what_has_ended_is_settled_after_a_turn_that_fails_or_panics() {
    for fault in [Faults::TURN_FAILS, Faults::TURN_PANICS] {
        let (test, faults, _) = faulty(SETTINGS);
        test.words.push(&"a".to_owned()).unwrap();
        test.turn();
        let delivery = test.take();
        test.consumer.finish(delivery, Attempt::Done);
        faults.set(fault);
        for _ in 0..2 {
            failing_turn(&test);
            assert!(test.consumer.is_unsettled());
        }
        faults.set(Faults::NONE);
        assert_eq!(test.settled(false), [Settlement::Ended(End::Done)]);
        assert!(!test.consumer.is_unsettled());
        let counters = test.words.stats().unwrap().counters;
        assert_eq!((counters.done, counters.stale), (1, 0));
    }
}

/// The engine has done what it was asked, but nobody knows.
#[test]
fn rule_131_an_end_whose_answer_was_lost_is_reported_all_the_same() {
    let policy = RetryPolicy { attempts: 1, ..RetryPolicy::DEFAULT };
    let settings = ConsumerSettings { policy, reports_dead: true, ..SETTINGS };
    let (test, faults, _) = faulty(settings);
    test.words.push(&"a".to_owned()).unwrap();
    test.words.push(&"b".to_owned()).unwrap();
    test.turn();
    let (done, dead) = (test.take(), test.take());
    test.consumer.finish(done, Attempt::Done);
    test.consumer.finish(dead, super::failed());
    faults.set(Faults::REPLY_IS_LOST);
    let lost = test.consumer.turn(test.elapsed(), false);
    assert!(lost.is_err());
    faults.set(Faults::NONE);
    let settled = test.settled(true);
    assert!(
        matches!(settled[..], [Settlement::Ended(End::Done), Settlement::Ended(End::Dead { .. })]),
        "{settled:?}"
    );
    let counters = test.words.stats().unwrap().counters;
    assert_eq!((counters.done, counters.dead, counters.stale), (1, 1, 0));
    assert!(matches!(test.consumer.take(), Some(Item::Dead(_))), "`on_dead` is told");
}

#[test]
fn rule_132_a_panic_while_dead_jobs_are_deleted_loses_no_claim_and_no_report() {
    let settings = ConsumerSettings { keep_dead: Some(secs(3_600)), ..SETTINGS };
    let (test, faults, purges) = faulty(settings);
    test.words.push(&"a".to_owned()).unwrap();
    faults.set(Faults::PURGE_PANICS);
    failing_turn(&test);
    // Not again at once, so that the queue goes on.
    test.turn();
    assert_eq!(purges.load(Ordering::Relaxed), 1);
    let delivery = test.take();
    faults.set(Faults::NONE);
    // A claim does not wait for it.
    for _ in 0..400 {
        test.pass(secs(10));
        test.turn();
    }
    assert_eq!(purges.load(Ordering::Relaxed), 1);
    test.consumer.finish(delivery, super::failed());
    faults.set(Faults::PURGE_PANICS);
    // What has ended is settled first.
    let settled = test.settled(true);
    assert!(matches!(settled[..], [Settlement::Ended(End::Again { .. })]), "{settled:?}");
    failing_turn(&test);
    assert_eq!(purges.load(Ordering::Relaxed), 2);
    test.pass(secs(10));
    test.turn();
    assert_eq!(test.take().claim().attempt, 2);
}

/// Otherwise the dead jobs of a queue that is never idle would be kept for ever.
#[test]
fn rule_131_old_dead_jobs_are_deleted_once_a_day_even_if_there_is_always_a_claim() {
    let settings = ConsumerSettings { keep_dead: Some(secs(3_600)), ..SETTINGS };
    let (test, _, purges) = faulty(settings);
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let _delivery = test.take();
    for purged in [1, 2] {
        for _ in 0..25 * 360 - 1 {
            test.turn();
            assert_eq!(purges.load(Ordering::Relaxed), purged);
            test.pass(secs(10));
        }
        test.pass(secs(10));
        test.turn();
    }
}

#[test]
fn rule_131_a_failing_purge_is_tried_again_but_not_by_each_turn() {
    let settings = ConsumerSettings { keep_dead: Some(secs(3_600)), ..SETTINGS };
    let (test, faults, purges) = faulty(settings);
    faults.set(Faults::PURGE_FAILS);
    for _ in 0..100 {
        test.turn();
    }
    assert_eq!(purges.load(Ordering::Relaxed), 1);
    test.pass(secs(60));
    faults.set(Faults::NONE);
    test.turn();
    test.turn();
    assert_eq!(purges.load(Ordering::Relaxed), 2);
}

#[test]
fn rule_132_a_loss_is_reported_although_the_rest_of_the_turn_fails() {
    let (test, faults, _) = faulty(SETTINGS);
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let delivery = test.take();
    test.pass(secs(31));
    faults.set(Faults::TURN_FAILS);
    failing_turn(&test);
    faults.set(Faults::NONE);
    assert_eq!(test.settled(true), [Settlement::Stale]);
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(false), [Settlement::Ended(End::Back)]);
}

/// The lease ends before the store answers. Only if it may have been asked before, it may have ended the claim itself.
#[test]
fn rule_132_an_end_that_was_not_sent_before_the_lease_has_ended_is_stale() {
    let done = Settlement::Ended(End::Done);
    for (fault, expected) in
        [(Faults::NOTHING_IS_SENT, Settlement::Stale), (Faults::TURN_FAILS, done)]
    {
        let (test, faults, _) = faulty(SETTINGS);
        test.words.push(&"a".to_owned()).unwrap();
        test.turn();
        let delivery = test.take();
        test.consumer.finish(delivery, Attempt::Done);
        faults.set(fault);
        failing_turn(&test);
        faults.set(Faults::NONE);
        test.pass(secs(31));
        let is_stale = u64::from(expected == Settlement::Stale);
        assert_eq!(test.settled(false), [expected]);
        let counters = test.words.stats().unwrap().counters;
        assert_eq!((counters.done, counters.stale), (1 - is_stale, is_stale));
    }
}

/// The renewal comes first, and fails.
#[test]
fn rule_132_an_end_that_waited_for_a_renewal_was_not_sent() {
    let (test, faults, _) = faulty(SETTINGS);
    test.words.push(&"a".to_owned()).unwrap();
    test.words.push(&"b".to_owned()).unwrap();
    test.turn();
    let (first, _runs) = (test.take(), test.take());
    test.pass(secs(10));
    test.consumer.finish(first, Attempt::Done);
    faults.set(Faults::RENEWAL_FAILS);
    failing_turn(&test);
    faults.set(Faults::NONE);
    test.pass(secs(21));
    assert_eq!(test.settled(false), [Settlement::Stale, Settlement::Stale]);
}

#[test]
fn rule_132_a_renewal_that_fails_is_tried_again_several_times_within_the_lease() {
    let (test, faults, _, limits) = faulty_with_limits(SETTINGS);
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let delivery = test.take();
    test.pass(secs(10));
    faults.set(Faults::RENEWAL_FAILS);
    // Each takes as long as it may, and is tried again after a second, as a service does.
    for attempt in 1..=3 {
        failing_turn(&test);
        let taken = limits.lock().unwrap().pop().expect("it was called");
        test.pass(taken + secs(1));
        assert!(test.elapsed() < secs(30), "attempt {attempt}: {:?}", test.elapsed());
    }
    faults.set(Faults::NONE);
    test.turn();
    test.pass(secs(29));
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(false), [Settlement::Ended(End::Done)]);
}

#[test]
fn rule_137_a_purge_takes_no_longer_than_another_call() {
    let settings = ConsumerSettings { keep_dead: Some(secs(3_600)), ..SETTINGS };
    let (test, _, purges, limits) = faulty_with_limits(settings);
    test.turn();
    assert_eq!((purges.load(Ordering::Relaxed), &**limits.lock().unwrap()), (1, &[secs(10)][..]));
    // With a claim: once a day, and not longer than until the renewal.
    limits.lock().unwrap().clear();
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let _delivery = test.take();
    while purges.load(Ordering::Relaxed) == 1 {
        test.pass(secs(8));
        test.turn();
    }
    let limits = limits.lock().unwrap();
    assert!(limits.last().is_some_and(|last| *last <= secs(10)), "{limits:?}");
}

/// The store has made the end, and the answer to the function is lost.
#[test]
fn rule_131_a_job_that_its_function_has_completed_is_not_reported_as_lost() {
    let (test, faults, _) = faulty(SETTINGS);
    for (fault, settled) in [
        (Faults::NOTHING_IS_SENT, vec![Settlement::Ended(End::Done)]),
        (Faults::REPLY_IS_LOST, vec![]),
    ] {
        test.words.push(&"a".to_owned()).unwrap();
        test.turn();
        let delivery = test.take();
        let job: tina4_service_queue::Job<String> = delivery.job().unwrap();
        faults.set(fault);
        assert!(job.complete().is_err());
        faults.set(Faults::NONE);
        test.consumer.finish(delivery, Attempt::Done);
        assert_eq!(test.settled(false), settled);
        assert_eq!(test.words.stats().unwrap().counters.stale, 0);
    }
    assert_eq!(test.words.stats().unwrap().counters.done, 2);
}

/// The same for other ends: what the function wanted counts, also if it returns something else, and if the claims are renewed
/// before it does.
#[test]
fn rule_131_an_end_of_the_function_whose_answer_was_lost_is_counted_once() {
    for is_renewed in [false, true] {
        let (test, faults, _) = faulty(ConsumerSettings { reports_dead: true, ..SETTINGS });
        test.words.push(&"a".to_owned()).unwrap();
        test.turn();
        let delivery = test.take();
        let job: tina4_service_queue::Job<String> = delivery.job().unwrap();
        faults.set(Faults::REPLY_IS_LOST);
        assert!(job.fail(tina4_service_queue::Reject::new("bad")).is_err());
        faults.set(Faults::NONE);
        if is_renewed {
            test.pass(secs(15));
            test.turn();
        }
        test.consumer.finish(delivery, Attempt::Done);
        let settled = test.settled(true);
        assert!(matches!(settled[..], [Settlement::Ended(End::Dead { .. })]), "{settled:?}");
        let counters = test.words.stats().unwrap().counters;
        assert_eq!((counters.done, counters.dead, counters.failed, counters.stale), (0, 1, 1, 0));
        assert!(matches!(test.consumer.take(), Some(Item::Dead(_))), "`on_dead` is told");
    }
}
