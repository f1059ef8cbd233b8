//! Polls of consumers that have nothing to do.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, Weak};
use std::thread;

use super::*;
use tina4_service_queue::consumer::TurnReport;
use tina4_service_queue::{DeadSelection, Ended, EngineError, Held, NewJob, Pushed, Turn, Want};

const NAMES: [&str; 4] = ["a", "b", "c", "d"];

const POLL: Duration = secs(10);

/// How an engine is to behave, and what it was asked.
#[derive(Default)]
struct Calls {
    turns: AtomicUsize,
    /// The number of queues in each look.
    looks: Mutex<Vec<usize>>,
    purges: AtomicUsize,
    fails: AtomicBool,
    panics: AtomicBool,
    /// Looks have no answers.
    is_silent: AtomicBool,
    /// How long the looks may take.
    limits: Mutex<Vec<Duration>>,
    /// Looks wait for it.
    gate: Mutex<()>,
}

/// Counts the calls of an engine.
struct Counting(MemoryEngine, Arc<Calls>);

impl Counting {
    fn check(&self) -> Result<(), EngineError> {
        assert!(!self.1.panics.load(Ordering::Relaxed), "the engine panicked");
        if self.1.fails.load(Ordering::Relaxed) {
            return Err(EngineError::Failed { engine: "counting", source: "on purpose".into() });
        }
        Ok(())
    }
}

impl Engine for Counting {
    fn name(&self) -> &'static str {
        "counting"
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
        self.1.turns.fetch_add(1, Ordering::Relaxed);
        self.check()?;
        self.0.turn(ended, wants, now)
    }

    fn next_due(
        &self,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        self.1.looks.lock().unwrap().push(queues.len());
        drop(self.1.gate.lock().unwrap());
        self.check()?;
        if self.1.is_silent.load(Ordering::Relaxed) {
            return Ok(Vec::new());
        }
        self.0.next_due(queues, now)
    }

    fn next_due_within(
        &self,
        limit: Duration,
        queues: &[&str],
        now: Timestamp,
    ) -> Result<Vec<Option<Duration>>, EngineError> {
        self.1.limits.lock().unwrap().push(limit);
        self.next_due(queues, now)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.0.renew(held, lease, now)
    }

    fn purge(&self, queue: &str, which: DeadSelection, now: Timestamp) -> Result<u64, EngineError> {
        self.1.purges.fetch_add(1, Ordering::Relaxed);
        self.0.purge(queue, which, now)
    }
}

/// Counts how often it is told of jobs.
#[derive(Default)]
struct Told(AtomicUsize);

impl QueueListener for Told {
    fn jobs_may_be_ready(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Four consumers of one engine, and another process.
struct Four {
    consumers: Vec<Consumer>,
    told: Vec<Arc<Told>>,
    calls: Arc<Calls>,
    other: MemoryEngine,
    now: Arc<AtomicI64>,
}

impl Four {
    /// Each has had a turn.
    fn new(settings: ConsumerSettings) -> Self {
        let (memory, calls, now) = (MemoryEngine::new(), Arc::default(), Arc::default());
        let other = memory.sibling();
        let queues = Test::queues(Counting(memory, Arc::clone(&calls)), &now);
        let told: Vec<_> = NAMES
            .iter()
            .map(|name| {
                let told = Arc::new(Told::default());
                let listener: Weak<Told> = Arc::downgrade(&told);
                queues.listen(name, listener);
                told
            })
            .collect();
        let consumer =
            |queue| Consumer::new(queues.clone(), ConsumerSettings { queue, ..settings });
        let consumers: Vec<_> = NAMES.into_iter().map(consumer).collect();
        let four = Self { consumers, told, calls, other, now };
        for index in 0..NAMES.len() {
            assert_eq!(four.poll(index), Some(settings.poll), "the first one is a turn");
        }
        assert_eq!(four.calls(), (4, vec![]));
        four
    }

    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.now.load(Ordering::Relaxed).try_into().unwrap())
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    fn try_poll(&self, index: usize) -> Result<TurnReport, EngineError> {
        self.consumers[index].poll(self.elapsed())
    }

    /// The time to the next poll.
    fn poll(&self, index: usize) -> Option<Duration> {
        self.try_poll(index).unwrap().next
    }

    /// The turns since the last call of this, and the sizes of the looks.
    fn calls(&self) -> (usize, Vec<usize>) {
        let looks = std::mem::take(&mut *self.calls.looks.lock().unwrap());
        (self.calls.turns.swap(0, Ordering::Relaxed), looks)
    }

    /// Which consumers were told of jobs since the last call of this.
    fn told(&self) -> Vec<&str> {
        let told = NAMES.iter().zip(&self.told);
        told.filter(|(_, told)| told.0.swap(0, Ordering::Relaxed) > 0)
            .map(|(name, _)| *name)
            .collect()
    }

    /// Another process pushes a job.
    fn push(&self, queue: &str, delay: Duration) {
        let now = Timestamp::from_millis(self.now.load(Ordering::Relaxed));
        let job = NewJob { delay, ..NewJob::new(queue, "\"x\"") };
        self.other.push(&[job], now).unwrap();
    }
}

const IDLE: ConsumerSettings = ConsumerSettings { poll: POLL, ..SETTINGS };

#[test]
fn rule_8_one_look_serves_all_consumers_that_are_idle() {
    let four = Four::new(IDLE);
    for _ in 0..3 {
        four.pass(POLL);
        let report = four.try_poll(2).unwrap();
        assert!(report.reached_engine);
        assert_eq!(report.next, Some(POLL));
        for index in [0, 1, 3] {
            assert!(four.consumers[index].polls_in_passing(four.elapsed()));
            let report = four.try_poll(index).unwrap();
            assert!(!report.reached_engine, "it says nothing about the engine");
            assert_eq!(report.next, Some(POLL));
            assert!(!four.consumers[index].polls_in_passing(four.elapsed()));
        }
        assert_eq!(four.calls(), (0, vec![4]));
    }
    assert_eq!(four.told(), [] as [&str; 0]);
}

#[test]
fn rule_8_no_queue_is_looked_at_less_often_than_in_each_poll() {
    let four = Four::new(IDLE);
    four.pass(secs(4));
    assert_eq!(four.poll(0), Some(POLL), "earlier than necessary");
    assert_eq!(four.calls(), (0, vec![1]), "it is too early for the others");
    four.pass(secs(5));
    assert_eq!(four.poll(1), Some(POLL));
    assert_eq!(
        four.calls(),
        (0, vec![4]),
        "all but one have waited for nine seconds, that one for five"
    );
    four.pass(secs(3));
    assert_eq!(four.poll(0), Some(secs(7)), "counted from the look");
    four.pass(secs(7));
    assert_eq!(four.poll(0), Some(POLL));
    assert_eq!(four.calls(), (0, vec![4]), "each look counts once");
    four.pass(POLL);
    assert_eq!(four.poll(1), Some(POLL), "the look was too long ago");
    assert_eq!(four.calls(), (0, vec![4]));
}

#[test]
fn rule_8_a_clock_that_is_set_back_delays_a_poll_by_its_period_at_most() {
    let four = Four::new(IDLE);
    four.pass(secs(3600));
    assert_eq!(four.poll(0), Some(POLL));
    four.calls();
    let elapsed = four.elapsed();
    four.now.fetch_sub(3_000_000, Ordering::Relaxed);
    let poll =
        |index: usize, after: Duration| four.consumers[index].poll(elapsed + after).unwrap().next;
    assert_eq!(poll(1, Duration::ZERO), Some(POLL), "the look of the first one");
    assert_eq!(poll(1, POLL), Some(POLL));
    assert_eq!(four.calls(), (0, vec![4]));
}

#[test]
fn rule_8_a_poll_takes_a_turn_for_what_it_finds() {
    let four = Four::new(IDLE);
    four.push("b", Duration::ZERO);
    four.push("c", secs(15));
    four.pass(POLL);
    let report = four.try_poll(1).unwrap();
    assert_eq!(
        (report.ready, report.next),
        (1, Some(secs(10))),
        "the next poll; it may claim another job"
    );
    assert_eq!(four.calls(), (1, vec![4]));
    assert_eq!(four.told(), ["c"], "its job is due before its next poll");
    let told = four.consumers[2].turn(four.elapsed(), true).unwrap();
    assert_eq!(told.next, Some(secs(5)));
    four.pass(secs(5));
    assert_eq!(four.try_poll(2).unwrap().ready, 1, "in time");
    assert_eq!(four.calls(), (2, vec![]), "without a look");
}

#[test]
fn rule_8_other_consumers_are_told_of_their_jobs() {
    let four = Four::new(IDLE);
    four.push("b", Duration::ZERO);
    four.push("d", Duration::ZERO);
    four.pass(POLL);
    assert_eq!(four.poll(0), Some(POLL));
    assert_eq!(four.told(), ["b", "d"]);
    assert_eq!(four.calls(), (0, vec![4]));
    assert_eq!(four.consumers[1].turn(four.elapsed(), true).unwrap().ready, 1);
}

#[test]
fn rule_137_a_look_that_fails_is_followed_by_a_turn_of_each_consumer() {
    let four = Four::new(IDLE);
    four.pass(POLL);
    four.calls.fails.store(true, Ordering::Relaxed);
    let error = four.try_poll(0).unwrap_err().to_string();
    assert!(error.contains("on purpose"), "{error}");
    assert_eq!(four.calls(), (1, vec![4]));
    assert_eq!(four.told(), ["b", "c", "d"], "they find out for themselves");
    four.calls.fails.store(false, Ordering::Relaxed);
    assert_eq!(four.poll(0), Some(POLL));
    assert_eq!(four.calls(), (1, vec![]), "a turn that failed is repeated");
    four.calls.is_silent.store(true, Ordering::Relaxed);
    four.pass(POLL);
    assert_eq!(four.poll(1), Some(POLL), "a turn, because there was no answer");
    assert_eq!(four.calls(), (1, vec![4]));
    assert_eq!(four.told(), ["a", "c", "d"]);
}

#[test]
fn rule_137_an_engine_that_panics_in_a_look_is_asked_again() {
    let four = Four::new(IDLE);
    four.pass(POLL);
    four.calls.panics.store(true, Ordering::Relaxed);
    thread::scope(|scope| assert!(scope.spawn(|| four.try_poll(0)).join().is_err()));
    four.calls.panics.store(false, Ordering::Relaxed);
    four.pass(POLL);
    assert_eq!(four.poll(1), Some(POLL));
    assert_eq!(four.calls(), (0, vec![4, 4]));
}

#[test]
fn rule_137_a_look_that_does_not_end_holds_up_nobody() {
    let four = Four::new(IDLE);
    four.pass(POLL);
    let gate = four.calls.gate.lock().unwrap();
    thread::scope(|scope| {
        let first = scope.spawn(|| four.poll(0));
        while four.calls.looks.lock().unwrap().is_empty() {
            thread::yield_now();
        }
        assert_eq!(four.poll(1), Some(POLL), "its queue is being looked at");
        assert_eq!(four.calls(), (0, vec![4]));
        four.pass(POLL);
        assert_eq!(four.poll(1), Some(POLL));
        assert_eq!(four.calls(), (1, vec![]), "a turn of its own");
        drop(gate);
        assert_eq!(first.join().unwrap(), Some(POLL));
    });
    assert_eq!(four.poll(2), Some(POLL));
    assert_eq!(four.calls().1.len(), 1, "the look is over");
}

#[test]
fn rule_132_a_poll_renews_claims_and_settles_what_has_ended() {
    let four = Four::new(IDLE);
    four.push("a", Duration::ZERO);
    let claimed = four.consumers[0].turn(four.elapsed(), true).unwrap();
    assert_eq!((claimed.ready, claimed.next), (1, Some(POLL)));
    let Some(Item::Job(delivery)) = four.consumers[0].take() else { panic!("it was claimed") };
    four.calls();
    // A third of the lease of 30 s has passed: the renewal is due with the poll.
    four.pass(POLL);
    assert_eq!(four.poll(1), Some(POLL));
    assert_eq!(four.poll(0), Some(POLL));
    assert_eq!(four.calls(), (1, vec![4]), "renewed, in a turn");
    four.pass(secs(9));
    four.consumers[0].finish(*delivery, Attempt::Done);
    assert_eq!(four.try_poll(0).unwrap().settled.len(), 1);
    assert_eq!(four.calls(), (1, vec![]));
}

#[test]
fn rule_131_polls_delete_old_dead_jobs_once_an_hour() {
    let four = Four::new(ConsumerSettings { keep_dead: Some(secs(60)), poll: POLL, ..SETTINGS });
    assert_eq!(four.calls.purges.load(Ordering::Relaxed), 4);
    for _ in 0..720 {
        four.pass(POLL);
        four.poll(0);
        four.poll(1);
    }
    assert_eq!(four.calls.purges.load(Ordering::Relaxed), 8);
}

#[test]
fn a_consumer_that_is_gone_or_claims_nothing_is_left_out() {
    let mut four = Four::new(IDLE);
    four.consumers[3].turn(Duration::ZERO, false).unwrap();
    drop(four.consumers.remove(2));
    four.calls();
    four.pass(POLL);
    assert_eq!(four.poll(0), Some(POLL));
    assert_eq!(four.calls(), (0, vec![2]));
}

#[test]
fn rule_137_a_look_is_not_longer_than_another_call_and_delays_no_renewal() {
    let four = Four::new(ConsumerSettings { poll: secs(4), ..SETTINGS });
    four.pass(secs(4));
    four.poll(0);
    four.push("a", Duration::ZERO);
    four.pass(secs(4));
    four.poll(0);
    let _delivery = four.consumers[0].take().expect("it was claimed");
    for _ in 0..2 {
        four.pass(secs(4));
        four.poll(0);
    }
    let millis = |limit: &Duration| limit.as_millis();
    let limits: Vec<_> = four.calls.limits.lock().unwrap().iter().map(millis).collect();
    assert_eq!(limits, [10_000, 10_000, 6_000, 2_000], "the renewal is due after 10 s");
}

/// Whoever predicts that a poll is short must not be wrong about a turn.
#[test]
fn rule_137_a_poll_is_not_taken_for_short_if_there_is_something_to_do() {
    let four = Four::new(IDLE);
    four.push("a", Duration::ZERO);
    four.consumers[0].turn(four.elapsed(), true).unwrap();
    let Some(Item::Job(delivery)) = four.consumers[0].take() else { panic!("it was claimed") };
    four.pass(secs(9));
    assert_eq!(four.poll(1), Some(POLL));
    assert!(four.consumers[0].polls_in_passing(four.elapsed()));
    assert!(!four.consumers[0].polls_in_passing(four.elapsed() + secs(1)), "the renewal is due");
    four.consumers[0].finish(*delivery, Attempt::Done);
    assert!(!four.consumers[0].polls_in_passing(four.elapsed()), "there is a job to settle");
}
