//! Jobs that transactions of others have locked when they are to end.

use std::sync::Mutex;

use tina4_service_queue::{Ended, EngineError, Held, NewJob, Pushed, Turn, Want};

use super::*;

/// An engine that leaves an end to a later call, because another transaction has locked its job. It counts how often it was
/// asked for such an end.
struct Locking(MemoryEngine, Arc<Mutex<Option<Held>>>, Arc<AtomicUsize>);

impl Locking {
    fn new(locked: &Arc<Mutex<Option<Held>>>) -> Self {
        Self(MemoryEngine::new(), Arc::clone(locked), Arc::default())
    }
}

impl Engine for Locking {
    fn name(&self) -> &'static str {
        "locking"
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
        let locked = *self.1.lock().unwrap();
        let is_free = |ended: &&Ended| Some(ended.held) != locked;
        let free: Vec<_> = ended.iter().filter(is_free).cloned().collect();
        let mut turn = self.0.turn(&free, wants, now)?;
        if free.len() < ended.len() {
            self.2.fetch_add(1, Ordering::Relaxed);
            turn.locked.extend(locked);
        }
        Ok(turn)
    }

    fn renew(
        &self,
        held: &[Held],
        lease: Duration,
        now: Timestamp,
    ) -> Result<Vec<Held>, EngineError> {
        self.0.renew(held, lease, now)
    }
}

#[test]
fn rule_137_a_locked_job_holds_up_no_other_job_of_its_service() {
    let locked = Arc::new(Mutex::new(None));
    let test = Test::new(Locking::new(&locked), SETTINGS);
    for word in ["a", "b", "c"] {
        test.words.push(&word.to_owned()).unwrap();
    }
    test.turn();
    let (first, second) = (test.take(), test.take());
    *locked.lock().unwrap() = Some(first.claim().held);
    test.consumer.finish(first, Attempt::Done);
    test.consumer.finish(second, Attempt::Done);
    let report = test.consumer.turn(test.elapsed(), true).unwrap();
    assert_eq!(
        (report.settled.len(), report.ready),
        (1, 1),
        "the second has ended, the third was claimed"
    );
    assert_eq!(report.next, Some(Duration::from_millis(250)));
    assert!(test.consumer.is_unsettled());
    test.pass(Duration::from_millis(250));
    assert_eq!(test.turn(), Some(Duration::from_millis(250)));
    *locked.lock().unwrap() = None;
    test.pass(Duration::from_millis(250));
    assert_eq!(test.settled(true), [Settlement::Ended(End::Done)]);
    assert_eq!(test.consumer.counters().done, 2);
    // It was not sent in vain: an end that comes too late is stale.
    let third = test.take();
    *locked.lock().unwrap() = Some(third.claim().held);
    test.consumer.finish(third, Attempt::Done);
    assert_eq!(test.settled(true), []);
    *locked.lock().unwrap() = None;
    test.pass(secs(31));
    assert_eq!(test.settled(false), [Settlement::Stale]);
}

/// The wait for the lock is a part of the call, and the other jobs of the service would wait with it.
#[test]
fn rule_137_a_busy_service_asks_for_a_locked_end_four_times_a_second() {
    let locked = Arc::new(Mutex::new(None));
    let engine = Locking::new(&locked);
    let asked = Arc::clone(&engine.2);
    let test = Test::new(engine, SETTINGS);
    test.words.push(&"locked".to_owned()).unwrap();
    test.turn();
    let first = test.take();
    *locked.lock().unwrap() = Some(first.claim().held);
    test.consumer.finish(first, Attempt::Done);
    // A job ends every 10 ms, for a second.
    for number in 0..100 {
        test.words.push(&number.to_string()).unwrap();
        let next = test.turn();
        assert!(next.is_some_and(|next| next <= Duration::from_millis(250)), "{next:?}");
        let delivery = test.take();
        test.consumer.finish(delivery, Attempt::Done);
        test.pass(Duration::from_millis(10));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 4);
    *locked.lock().unwrap() = None;
    test.pass(Duration::from_millis(250));
    assert_eq!(test.settled(true).len(), 2, "the last one, and that which was locked");
    assert_eq!(test.consumer.counters().done, 101);
}
