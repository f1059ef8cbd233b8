//! The pool in real time, with bodies that block or do not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crossbeam_channel::{bounded, unbounded};

use super::toy::{Work, pool, wait_for_done};

use super::crew::*;
use super::*;

fn counter() -> (Arc<AtomicUsize>, Work) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    (
        count,
        Arc::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
        }),
    )
}

#[test]
fn a_burst_of_short_bodies_needs_few_threads() {
    let pool = pool(Clock::system(), None);
    let (count, work) = counter();
    pool.with(|toy, now| (0..1_000).for_each(|_| toy.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 1_000);
    assert_eq!(count.load(Ordering::Relaxed), 1_000);
    assert!(pool.threads() < 12, "{} threads for a burst of nothing", pool.threads());
}

#[test]
fn rule_50_as_many_threads_as_bodies_that_block_and_one_to_wait() {
    let pool = pool(Clock::system(), None);
    let (started, starts) = unbounded();
    let (release, released) = bounded::<()>(0);
    let work: Work = Arc::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    pool.with(|toy, now| (0..40).for_each(|_| toy.add(now, Arc::clone(&work))));
    for _ in 0..40 {
        starts.recv_timeout(Duration::from_secs(10)).expect("all forty run at one time");
    }
    // While all are blocked, one more is done at once.
    let (count, short) = counter();
    pool.with(|toy, now| toy.add(now, short));
    wait_for_done(&pool, 1);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(release);
    wait_for_done(&pool, 41);
    assert!(pool.threads() <= 43, "{} threads", pool.threads());
}

#[test]
fn a_body_that_was_trusted_and_blocks_holds_up_nobody_for_long() {
    let pool = pool(Clock::system(), None);
    // Trust from the start: nobody is woken before a body, the stand-by has to notice.
    pool.with(|toy, _| toy.short = Some(true));
    let (_, quick) = counter();
    pool.with(|toy, now| (0..100).for_each(|_| toy.add(now, Arc::clone(&quick))));
    wait_for_done(&pool, 100);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let blocker: Work = Arc::new(move || {
        let _ = released.recv();
    });
    let other: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|toy, now| {
        toy.add(now, blocker);
        (0..100).for_each(|_| toy.add(now, Arc::clone(&other)));
    });
    for _ in 0..100 {
        others.recv_timeout(Duration::from_secs(10)).expect("the others go on");
    }
    drop(release);
    wait_for_done(&pool, 201);
}

/// Two hundred jobs, one each millisecond: how often a worker that was awake found nothing to do.
/// Whoever has done one finds that, and whoever was woken meanwhile does.
fn vain_looks(short: bool) -> usize {
    let pool = pool(Clock::system(), None);
    let (done, jobs) = unbounded();
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|toy, now| {
        toy.short = Some(short);
        (0..200).for_each(|job| toy.add(now + job * 1_000_000, Arc::clone(&work)));
    });
    // Who waits for the pool's own news asks it something each time.
    for _ in 0..200 {
        jobs.recv_timeout(Duration::from_secs(10)).expect("every job is done");
    }
    pool.with(|toy, _| toy.vain_looks)
}

/// Nobody is woken for a body that is known to be short; a stand-by looks every few milliseconds.
#[test]
fn rule_52_a_short_body_costs_one_wake_up_per_run() {
    // One for the job; and one in six for the stand-by, more or less on a busy machine.
    assert!((0..10).any(|_| vain_looks(true) < 280), "somebody is woken for each short body");
    assert!((0..10).any(|_| vain_looks(false) > 280), "nobody covers a body that may block");
}

#[test]
fn rule_50_a_log_that_blocks_holds_up_nobody() {
    let pool = pool(Clock::system(), None);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|toy, now| {
        // What blocks is no job: a worker does it on the way.
        toy.add_silent(
            now,
            Arc::new(move || {
                let _ = released.recv();
            }),
        );
        (0..100).for_each(|_| toy.add(now + 1_000_000, Arc::clone(&work)));
    });
    for _ in 0..100 {
        others.recv_timeout(Duration::from_secs(10)).expect("the others go on");
    }
    drop(release);
    wait_for_done(&pool, 100);
}

#[test]
fn a_limit_on_threads_is_kept() {
    let pool = pool(Clock::system(), Some(2));
    let (_, work) = counter();
    pool.with(|toy, now| (0..200).for_each(|_| toy.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 200);
    assert!(pool.threads() <= 2);
    assert!(pool.with(|toy, _| toy.most_executing) <= 2);
}

#[test]
fn when_it_is_over_every_thread_leaves() {
    let pool = pool(Clock::system(), None);
    let (_, work) = counter();
    pool.with(|toy, now| (0..100).for_each(|_| toy.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 100);
    pool.with(|toy, _| toy.closed = true);
    while pool.threads() > 0 {
        std::thread::yield_now();
    }
}

#[test]
fn rule_52_a_stand_by_leaves_alone_who_is_getting_on() {
    let leader = || Leader { worker: 1, bell: Arc::new(Condvar::new()), until: 0 };
    let mut crew = Crew { began: 10 * SLACK, streak: 7, ..Crew::default() };
    assert!(!crew.needs_stand_by(11 * SLACK - 1), "a job was begun a moment ago");
    crew.leader = Some(leader());
    assert!(!crew.needs_stand_by(99 * SLACK), "the leader waits");
    assert_eq!(crew.streak, 7);
    crew.leader = None;
    assert!(crew.needs_stand_by(11 * SLACK), "what was trusted blocks");
    assert_eq!(crew.streak, 0, "and nobody is trusted unknown");
    // It waits for what is due, or for what is getting on, and never not at all.
    assert_eq!(crew.stand_by_until(10 * SLACK, 12 * SLACK), 13 * SLACK);
    assert_eq!(crew.stand_by_until(10 * SLACK, 3 * SLACK), 11 * SLACK);
    assert_eq!(crew.stand_by_until(20 * SLACK, 3 * SLACK), 21 * SLACK);
}

#[test]
fn rule_52_short_is_what_takes_less_than_to_wake_somebody() {
    let mut crew = Crew::default();
    assert!(crew.is_short(Some(19_999)) && !crew.is_short(Some(20_000)));
    assert!(!crew.is_short(None));
    (0..4).for_each(|_| crew.count_finished(1_000));
    assert!(crew.is_short(None), "four in a row speak for one that nobody knows");
    crew.count_finished(60_000);
    assert!(!crew.is_short(None));
    crew.early = 100_000;
    assert!(crew.is_short(Some(60_000)) && !crew.is_short(Some(100_000)));
}

#[test]
fn the_wake_up_correction_falls_fast_and_rises_slowly() {
    let mut crew = Crew::default();
    crew.learn(1_600);
    assert_eq!(crew.early, 100);
    crew.learn(50_000_000);
    assert!(crew.early < MOST_EARLY / 15, "one late wake-up is no habit");
    (0..1_000).for_each(|_| crew.learn(1_000_000));
    let before = crew.early;
    assert!(before > MOST_EARLY - 100, "it rises to the most: {before}");
    crew.learn(0);
    assert_eq!(crew.early, before - before / 4);
}
