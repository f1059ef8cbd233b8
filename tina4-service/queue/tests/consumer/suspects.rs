//! A job that may kill its process runs alone in it, and does not wait for ever.

use super::*;

const OTHERS: Queue<String> = Queue::new("others");

/// Two services of one process, and a suspect in the queue of the first.
struct Two {
    test: Test,
    other: Consumer,
    others: BoundQueue<String>,
}

fn with_suspect() -> Two {
    let engine = MemoryEngine::new();
    let siblings = [engine.sibling(), engine.sibling()];
    let policy = RetryPolicy { attempts: 9, ..RetryPolicy::DEFAULT };
    let settings = ConsumerSettings { policy, poll: secs(1), concurrency: 1, ..SETTINGS };
    let test = Test::new(engine, settings);
    test.words.push(&"suspect".to_owned()).unwrap();
    for sibling in siblings {
        let killed = Consumer::new(Test::queues(sibling, &test.now), settings);
        let _ = killed.turn(test.elapsed(), true).unwrap();
        test.pass(secs(40));
    }
    // Found lost a second time, it has a backoff.
    test.turn();
    test.pass(secs(5));
    let queues = test.consumer.queues().clone();
    let others = OTHERS.on(&queues);
    let other = Consumer::new(queues, ConsumerSettings { queue: OTHERS.name(), ..settings });
    for _ in 0..2_000 {
        others.push(&"usual".to_owned()).unwrap();
    }
    Two { test, other, others }
}

fn take(consumer: &Consumer) -> Option<Delivery> {
    match consumer.take()? {
        Item::Job(delivery) => Some(*delivery),
        Item::Dead(dead) => panic!("{dead:?}"),
    }
}

impl Two {
    fn turns(&self) -> Option<Duration> {
        let turn = |consumer: &Consumer| consumer.turn(self.test.elapsed(), true).unwrap();
        turn(&self.test.consumer);
        turn(&self.other).next
    }

    /// Lets a job of the other queue take this long, and then the next. Returns how many ran until the suspect.
    fn jobs_before_the_suspect(&self, each: Duration) -> Option<usize> {
        let mut running: Option<(Delivery, Duration)> = None;
        for second in 0..1_000 {
            let now = self.test.elapsed();
            if let Some((delivery, end)) = running.take() {
                if end <= now {
                    self.other.finish(delivery, Attempt::Done);
                } else {
                    running = Some((delivery, end));
                }
            }
            // The service that works comes first.
            let next = self.turns();
            assert!(next.is_some_and(|next| next <= secs(10)), "{next:?}");
            if take(&self.test.consumer).is_some() {
                assert!(running.is_none(), "it runs alone, after {second} s");
                let counters = self.others.stats().unwrap().counters;
                return Some(counters.done.try_into().unwrap());
            }
            if running.is_none() {
                running = take(&self.other).map(|delivery| (delivery, now + each));
            }
            self.test.pass(secs(1));
        }
        None
    }
}

#[test]
fn rule_132_a_suspect_does_not_wait_for_ever_for_jobs_of_other_queues() {
    let two = with_suspect();
    // The other queue always has a job in progress.
    two.other.turn(two.test.elapsed(), true).unwrap();
    assert_eq!(two.jobs_before_the_suspect(secs(20)), Some(1));
    // The other goes on once it has ended.
    assert!(two.turns().is_some());
    assert!(take(&two.other).is_none());
}

#[test]
fn rule_132_other_queues_are_not_held_back_by_a_suspect_that_nobody_asks_for() {
    let two = with_suspect();
    two.other.turn(two.test.elapsed(), true).unwrap();
    let first = take(&two.other).unwrap();
    two.turns();
    two.other.finish(first, Attempt::Done);
    let turn = || two.other.turn(two.test.elapsed(), true).unwrap();
    assert_eq!((turn().ready, two.others.pop().unwrap().is_some()), (0, false), "it waits");
    // The service of the suspect was stopped.
    two.test.consumer.turn(two.test.elapsed(), false).unwrap();
    assert_eq!(turn().ready, 1);
}

#[test]
fn rule_132_other_queues_wait_for_a_suspect_for_a_limited_time() {
    let two = with_suspect();
    two.other.turn(two.test.elapsed(), true).unwrap();
    let first = take(&two.other).unwrap();
    two.turns();
    let done = two.others.pop_with(&tina4_service_queue::Pop::new()).unwrap();
    assert!(done.is_none());
    two.other.finish(first, Attempt::Done);
    // A job that somebody holds by hand keeps the suspect waiting.
    let held = two.test.consumer.queues().clone();
    let third: Queue<String> = Queue::new("third");
    two.test.consumer.turn(two.test.elapsed(), false).unwrap();
    third.on(&held).push(&"held".to_owned()).unwrap();
    let held = third.on(&held).pop().unwrap().unwrap();
    let mut claimed = Vec::new();
    for minute in 0..20 {
        two.turns();
        if let Some(delivery) = take(&two.other) {
            claimed.push(minute);
            two.other.finish(delivery, Attempt::Done);
            two.other.turn(two.test.elapsed(), false).unwrap();
        }
        for _ in 0..6 {
            held.renew().unwrap();
            two.test.pass(secs(10));
        }
    }
    assert_eq!(claimed, [5, 6, 7, 8, 9, 15, 16, 17, 18, 19]);
}
