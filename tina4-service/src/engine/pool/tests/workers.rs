//! The bookkeeping of the workers and its predictions, without threads.

use std::sync::Arc;

use crate::engine::pool::workers::*;
use crate::sys::sync::Condvar;

fn idle(id: u64) -> IdleWorker {
    IdleWorker { id, condvar: Arc::new(Condvar::new()) }
}

#[test]
fn rule_52_a_stand_by_steps_in_when_a_due_time_is_late() {
    let mut workers = Workers::default();
    assert!(!workers.step_in_if_late(9 * STAND_BY_SLACK, None), "nothing is due");
    assert!(
        !workers.step_in_if_late(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK + 1)),
        "another worker may be executing it"
    );
    let IdleWorker { id, condvar } = idle(1);
    workers.leader = Some(Leader { id, condvar, until: 0 });
    assert!(!workers.step_in_if_late(9 * STAND_BY_SLACK, Some(0)), "the leader waits for it");
    workers.leader = None;
    (0..100).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(Some(1_000)) && workers.predict_short(None));
    assert!(workers.step_in_if_late(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK)));
    // Other work that looks short may block as well.
    assert!(!workers.predict_short(Some(1_000)));
    workers.learn_duration(1_000_000);
    assert!(!workers.predict_short(Some(1_000)));
    workers.learn_duration(1_000);
    assert!(workers.predict_short(Some(1_000)));
    // Unmeasured work needs more evidence.
    assert!(!workers.predict_short(None));
    (0..3).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(None));
}

#[test]
fn rule_52_the_stand_by_is_the_idle_worker_that_wakes_up_first() {
    let mut workers = Workers::default();
    workers.idle.extend([idle(1), idle(2)]);
    assert!(workers.set_stand_by(StandBy { id: 1, until: 7 }));
    assert!(!workers.set_stand_by(StandBy { id: 2, until: 7 }), "one is enough");
    assert!(workers.set_stand_by(StandBy { id: 2, until: 6 }), "an earlier one replaces it");
    assert!(workers.has_stand_by(0, 6) && workers.has_stand_by(9, 0), "within a few milliseconds");
    assert!(!workers.woke_up(1), "it was not notified");
    assert!(workers.has_stand_by(0, 6), "worker 1 had been replaced as the stand-by");
    assert!(!workers.woke_up(2));
    assert!(!workers.has_stand_by(0, 6));
    // A worker woken to stand by takes no work; the next one does.
    workers.stand_by_wanted = true;
    assert!(!workers.may_take_work());
    assert!(workers.may_take_work());
}

#[test]
fn rule_52_work_is_short_if_it_takes_less_than_waking_a_worker() {
    let mut workers = Workers::default();
    assert!(workers.predict_short(Some(19_999)) && !workers.predict_short(Some(20_000)));
    assert!(!workers.predict_short(None));
    (0..4).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(None), "four short runs in a row predict unmeasured work");
    workers.learn_duration(60_000);
    assert!(!workers.predict_short(None), "too few to outweigh this long run");
    (0..100).for_each(|_| workers.learn_duration(1_000));
    (0..2).for_each(|_| workers.learn_duration(60_000));
    assert!(workers.predict_short(None), "two of a hundred prove nothing");
    workers.learn_duration(60_000);
    assert!(!workers.predict_short(None), "three long runs outweigh any number of short ones");
    workers.wake_latency = 100_000;
    assert!(workers.predict_short(Some(60_000)) && !workers.predict_short(Some(100_000)));
}

#[test]
fn the_measured_wake_latency_falls_fast_and_rises_slowly() {
    let mut workers = Workers::default();
    workers.learn_wake_latency(1_600);
    assert_eq!(workers.wake_latency, 100);
    workers.learn_wake_latency(50_000_000);
    assert!(workers.wake_latency < MAX_WAKE_LATENCY / 15, "one late wake-up is an outlier");
    (0..1_000).for_each(|_| workers.learn_wake_latency(1_000_000));
    let before = workers.wake_latency;
    assert!(before > MAX_WAKE_LATENCY - 100, "it rises to the maximum: {before}");
    workers.learn_wake_latency(0);
    assert_eq!(workers.wake_latency, before - before / 4);
}
