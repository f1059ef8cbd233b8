//! What takes a slot of a consumer, and for how long: `concurrency` is a limit of functions that run.

use super::*;

const ONE: ConsumerSettings = ConsumerSettings { concurrency: 1, ..SETTINGS };

#[test]
fn rule_132_a_claim_that_is_found_lost_is_reported_once_and_keeps_its_slot() {
    let test = Test::with_jobs(SETTINGS, 2);
    test.turn();
    let delivery = test.take();
    test.pass(secs(31));
    // One had begun, the other had not.
    assert_eq!(test.settled(false), [Settlement::Stale, Settlement::Stale]);
    assert_eq!(test.consumer.running(), 1, "its function still runs");
    assert_eq!(test.settled(false), []);
    test.consumer.finish(delivery, Attempt::Done);
    assert_eq!(test.settled(false), []);
    assert_eq!(test.words.stats().unwrap().counters.stale, 2);
    assert_eq!(test.consumer.running(), 0);
}

#[test]
fn rule_132_the_slot_of_a_lost_claim_is_free_once_its_function_has_ended() {
    let test = Test::with_jobs(ONE, 2);
    test.turn();
    let lost = test.take();
    test.pass(secs(31));
    for _ in 0..3 {
        test.turn();
        assert!(test.consumer.take().is_none(), "one function runs already");
    }
    assert_eq!(test.words.stats().unwrap().backlog.claimed, 1, "its own, which has ended");
    test.consumer.finish(lost, Attempt::Done);
    test.turn();
    assert_eq!(test.take().claim().attempt, 2);
    assert!(test.consumer.take().is_none());
}

/// It is given back for other processes, even if nobody else works on the queue.
#[test]
fn rule_132_a_job_does_not_run_beside_the_function_that_has_lost_it() {
    let engine = MemoryEngine::new();
    let sibling = engine.sibling();
    let test = Test::new(engine, SETTINGS);
    test.words.push(&"a".to_owned()).unwrap();
    test.turn();
    let lost = test.take();
    test.pass(secs(31));
    for _ in 0..3 {
        // It is claimed again, and given back at once.
        let report = test.consumer.turn(test.elapsed(), true).unwrap();
        assert_eq!((report.ready, report.next), (0, Some(Duration::from_millis(1))));
        assert!(test.consumer.take().is_none());
        assert_eq!(test.turn(), Some(SETTINGS.poll), "it does not ask again and again");
        let backlog = test.words.stats().unwrap().backlog;
        assert_eq!((backlog.claimed, backlog.ready), (0, 1));
        test.pass(SETTINGS.poll);
    }
    let other = Consumer::new(Test::queues(sibling, &test.now), SETTINGS);
    other.turn(test.elapsed(), true).unwrap();
    let Some(Item::Job(elsewhere)) = other.take() else { panic!("another process has it") };
    assert_eq!(elsewhere.claim().attempt, 2);
    other.finish(*elsewhere, failed());
    other.turn(test.elapsed(), false).unwrap();
    test.consumer.finish(lost, Attempt::Done);
    test.pass(secs(60));
    test.turn();
    assert_eq!(test.take().claim().attempt, 3);
    assert_eq!(test.words.stats().unwrap().counters.stale, 1);
}

#[test]
fn rule_131_a_job_that_its_function_has_finished_is_neither_renewed_nor_lost() {
    let test = Test::with_jobs(SETTINGS, 3);
    test.turn();
    let (done, failed) = (test.take(), test.take());
    done.job::<String>().unwrap().complete().unwrap();
    failed.job::<String>().unwrap().fail("by hand").unwrap();
    for _ in 0..4 {
        test.pass(secs(10));
        let settled = test.settled(true);
        assert!(!settled.contains(&Settlement::Stale), "{settled:?}");
    }
    assert!(test.consumer.take().is_none(), "both functions still run");
    test.consumer.finish(done, Attempt::Done);
    test.consumer.finish(failed, Attempt::Done);
    let counters = test.words.stats().unwrap().counters;
    assert_eq!((counters.done, counters.failed, counters.stale), (1, 1, 0));
}

#[test]
fn rule_132_reports_of_dead_jobs_take_slots() {
    let policy = RetryPolicy { attempts: 1, ..RetryPolicy::DEFAULT };
    let settings = ConsumerSettings { policy, reports_dead: true, ..SETTINGS };
    let engine = MemoryEngine::new();
    let sibling = engine.sibling();
    let test = Test::new(engine, settings);
    for word in ["a", "b", "c", "d", "e", "f"] {
        test.words.push(&word.to_owned()).unwrap();
    }
    // Another process is killed with four jobs.
    let killed = ConsumerSettings { concurrency: 4, ..settings };
    let killed = Consumer::new(Test::queues(sibling, &test.now), killed);
    killed.turn(secs(0), true).unwrap();
    test.pass(secs(30));
    let mut reported = 0;
    let mut begun = 0;
    for _ in 0..10 {
        let report = test.consumer.turn(test.elapsed(), true).unwrap();
        let mut items = Vec::new();
        while let Some(item) = test.consumer.take() {
            items.push(item);
        }
        assert_eq!(report.ready, items.len());
        assert!(items.len() <= 2, "{items:?}");
        for item in items {
            match item {
                Item::Dead(_) => {
                    reported += 1;
                    test.consumer.reported();
                }
                Item::Job(delivery) => {
                    begun += 1;
                    test.consumer.finish(*delivery, Attempt::Done);
                }
            }
        }
    }
    assert_eq!((reported, begun), (4, 2));
}

#[test]
fn rule_131_jobs_that_end_by_hand_are_reported_like_others() {
    let policy = RetryPolicy { attempts: 2, ..RetryPolicy::DEFAULT };
    let settings = ConsumerSettings { policy, concurrency: 3, reports_dead: true, ..SETTINGS };
    let test = Test::with_jobs(settings, 3);
    test.turn();
    let (dead, again, back) = (test.take(), test.take(), test.take());
    let reject = tina4_service_queue::Reject::new("no such address");
    dead.job::<String>().unwrap().fail(reject).unwrap();
    again.job::<String>().unwrap().retry(secs(5)).unwrap();
    back.job::<String>().unwrap().release().unwrap();
    for delivery in [dead, again, back] {
        test.consumer.finish(delivery, Attempt::Done);
    }
    let settled = test.settled(false);
    assert!(
        matches!(
            &settled[..],
            [
                Settlement::Ended(End::Dead { error }),
                Settlement::Ended(End::Again { .. }),
                Settlement::Ended(End::Back)
            ] if error == "no such address"
        ),
        "{settled:?}"
    );
    let Some(Item::Dead(dead)) = test.consumer.take() else { panic!("a job has died") };
    assert_eq!(
        (dead.payload.as_str(), dead.attempts, dead.error.as_str()),
        (r#""0""#, 1, "no such address")
    );
    assert!(test.consumer.take().is_none());
    let counters = test.words.stats().unwrap().counters;
    assert_eq!((counters.dead, counters.failed, counters.returned), (1, 2, 1), "counted once");
}
