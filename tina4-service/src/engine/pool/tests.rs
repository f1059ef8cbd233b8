//! The pool in real time, with bodies that block or do not.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Sender, bounded, unbounded};

use super::fake_source::{FakeSource, Work, pool, wait_for_done};

use super::workers::*;
use super::*;
use crate::sys::threads::start_worker;

#[cfg(feature = "signals")]
mod blocking;

const MILLISECOND: Nanos = 1_000_000;

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
    pool.with(|source, now| (0..1_000).for_each(|_| source.add(now, Arc::clone(&work))));
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
    pool.with(|source, now| (0..40).for_each(|_| source.add(now, Arc::clone(&work))));
    for _ in 0..40 {
        starts.recv_timeout(Duration::from_secs(10)).expect("all forty run at one time");
    }
    // While all are blocked, one more is done at once.
    let (count, short) = counter();
    pool.with(|source, now| source.add(now, short));
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
    pool.with(|source, _| source.short = Some(true));
    let (_, quick) = counter();
    pool.with(|source, now| (0..100).for_each(|_| source.add(now, Arc::clone(&quick))));
    wait_for_done(&pool, 100);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let blocker: Work = Arc::new(move || {
        let _ = released.recv();
    });
    let other: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|source, now| {
        source.add(now, blocker);
        (0..100).for_each(|_| source.add(now, Arc::clone(&other)));
    });
    for _ in 0..100 {
        others.recv_timeout(Duration::from_secs(10)).expect("the others go on");
    }
    drop(release);
    wait_for_done(&pool, 201);
}

/// What workers slept, per job, while two hundred jobs were done.
fn sleeps(set_up: impl Fn(&mut FakeSource, Nanos, Work)) -> f64 {
    let pool = pool(Clock::system(), None);
    let (done, jobs) = unbounded();
    let work: Work = Arc::new(move || {
        let _ = done.send(());
    });
    pool.with(|source, now| set_up(source, now, work));
    // Not by waiting for the pool's own news: who does that asks it something each time.
    for _ in 0..200 {
        jobs.recv_timeout(Duration::from_secs(10)).expect("every job is done");
    }
    pool.with(|source, _| {
        source.period = None;
        source.idled as f64 / 200.0
    })
}

/// Nobody is woken for a body that is known to be short; a stand-by looks every few milliseconds.
#[test]
fn rule_52_a_short_body_costs_one_wake_up_per_run() {
    let one_each_millisecond = |short| {
        sleeps(|source, now, work| {
            source.short = Some(short);
            (0..200).for_each(|item| source.add(now + item * MILLISECOND, Arc::clone(&work)));
        })
    };
    // One of who does it, and some of the stand-by; the best of a few, for a busy machine lets it
    // look more often.
    let trusted: Vec<_> = (0..10).map(|_| one_each_millisecond(true)).collect();
    assert!(trusted.iter().any(|sleeps| *sleeps < 1.4), "somebody is woken for each: {trusted:?}");
    let others: Vec<_> = (0..10).map(|_| one_each_millisecond(false)).collect();
    assert!(others.iter().any(|sleeps| *sleeps > 1.4), "nobody waits beside them: {others:?}");
    // One that comes again and again beside one that is far away: the stand-by waits for that.
    let alone: Vec<_> = (0..3)
        .map(|_| {
            sleeps(|source, now, work| {
                (source.short, source.period) = (Some(true), Some(6 * MILLISECOND));
                source.add(now, work);
                source.add(now + 3_600_000 * MILLISECOND, counter().1);
            })
        })
        .collect();
    assert!(alone.iter().any(|sleeps| *sleeps < 1.2), "{alone:?}");
}

#[test]
fn rule_50_a_log_that_blocks_holds_up_nobody() {
    let pool = pool(Clock::system(), None);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|source, now| {
        // What blocks is no job: a worker does it on the way.
        source.add_deferring(
            now,
            Arc::new(move || {
                let _ = released.recv();
            }),
        );
        (0..100).for_each(|_| source.add(now + 1_000_000, Arc::clone(&work)));
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
    pool.with(|source, now| (0..200).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 200);
    assert!(pool.threads() <= 2);
    assert!(pool.with(|source, _| source.most_executing) <= 2);
}

#[test]
fn when_it_is_over_every_thread_leaves() {
    let pool = pool(Clock::system(), None);
    let (_, work) = counter();
    pool.with(|source, now| (0..100).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 100);
    pool.with(|source, _| source.closed = true);
    while pool.threads() > 0 {
        std::thread::yield_now();
    }
}

/// A wait counts from when it begins, not from when this worker last looked at the clock.
#[test]
fn a_desk_that_was_busy_for_long_makes_nobody_late() {
    const BUSY: Nanos = 50 * MILLISECOND;
    let mut late = Vec::new();
    while late.len() < 20 {
        let clock = Clock::system();
        let pool = pool(clock.clone(), Some(1));
        let (ran, times) = unbounded();
        let due = pool.with(|source, now| {
            source.busy = BUSY;
            let due = now + BUSY + 20 * MILLISECOND;
            source.add(now, counter().1);
            source.add(due, Arc::new(move || ran.send(clock.now()).unwrap()));
            due
        });
        let ran = times.recv_timeout(Duration::from_secs(10)).expect("it runs");
        late.push(ran.saturating_sub(due));
        if late.last().is_some_and(|late| *late < BUSY / 2) {
            return;
        }
    }
    panic!("{late:?}");
}

/// As when a process may have no more threads.
#[test]
fn threads_that_cannot_be_had_are_asked_for_again_but_rarely() {
    static LEFT: AtomicUsize = AtomicUsize::new(1);
    let start = |name, stack_size, body| match LEFT.load(Ordering::SeqCst) {
        0 => Err(io::Error::other("no more")),
        left => {
            LEFT.store(left - 1, Ordering::SeqCst);
            start_worker(name, stack_size, body)
        }
    };
    let threads = ThreadConfig { name: "rare".to_owned(), most: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), Clock::system(), threads);
    let (release, released) = bounded::<()>(0);
    let (started, starts) = bounded(1);
    let blocker: Work = Arc::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    let start = pool.with(|source, now| {
        source.add(now, blocker);
        now
    });
    starts.recv_timeout(Duration::from_secs(10)).expect("the only thread");
    let (count, other) = counter();
    pool.with(|source, now| source.add(now, other));
    // Who waits for something else neither spins nor fills the log.
    let soon = start + 300 * MILLISECOND;
    let failed = pool.wait_for(|source, now| {
        if now < soon { Wait::Until(Some(soon)) } else { Wait::Ready(source.failed_spawns) }
    });
    assert!((1..10).contains(&failed), "{failed} threads were asked for in vain");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // And it asks again when there may be one, though nothing else happens.
    LEFT.store(2, Ordering::SeqCst);
    let late = soon + 10_000 * MILLISECOND;
    let done = pool.wait_for(|source, now| match source.done {
        0 if now < late => Wait::Until(Some(late)),
        done => Wait::Ready(done),
    });
    assert_eq!((done, count.load(Ordering::SeqCst)), (1, 1));
    drop(release);
    wait_for_done(&pool, 2);
}

/// Whoever asks for something returns, however much there is to log meanwhile.
#[test]
fn what_comes_up_while_it_is_being_done_is_left_to_a_worker() {
    fn leaves(pool: &Arc<Pool<FakeSource>>, more: usize, done: &Sender<ThreadId>) -> Work {
        let (pool, done) = (Arc::clone(pool), done.clone());
        Arc::new(move || {
            if more > 0 {
                let next = leaves(&pool, more - 1, &done);
                lock(&pool.state).source.defer(next);
            }
            done.send(thread::current().id()).unwrap();
        })
    }
    let pool = pool(Clock::system(), None);
    pool.with(|source, now| source.add(now, counter().1));
    wait_for_done(&pool, 1);
    let (done, by) = unbounded();
    let first = leaves(&pool, 9, &done);
    pool.with(|source, _| source.defer(first));
    let by: Vec<_> = (0..10)
        .map(|_| by.recv_timeout(Duration::from_secs(10)).expect("all of it is done"))
        .collect();
    let here = by.iter().filter(|thread| **thread == thread::current().id()).count();
    assert_eq!(here, 1, "{by:?}");
}

fn follower(worker: u64) -> IdleWorker {
    IdleWorker { worker, condvar: Arc::new(Condvar::new()) }
}

#[test]
fn rule_52_a_stand_by_steps_in_when_what_is_due_is_late() {
    let mut workers = Workers::default();
    assert!(!workers.must_step_in(9 * STAND_BY_SLACK, None), "nothing is due");
    assert!(
        !workers.must_step_in(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK + 1)),
        "somebody may be at it"
    );
    let IdleWorker { worker, condvar } = follower(1);
    workers.leader = Some(Leader { worker, condvar, until: 0 });
    assert!(!workers.must_step_in(9 * STAND_BY_SLACK, Some(0)), "the leader waits for it");
    workers.leader = None;
    (0..100).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(Some(1_000)) && workers.predict_short(None));
    assert!(workers.must_step_in(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK)));
    // Others that look as harmless may block as well.
    assert!(!workers.predict_short(Some(1_000)));
    workers.learn_duration(1_000_000);
    assert!(!workers.predict_short(Some(1_000)));
    workers.learn_duration(1_000);
    assert!(workers.predict_short(Some(1_000)));
    // Of one that nobody knows it is believed later.
    assert!(!workers.predict_short(None));
    (0..3).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(None));
}

#[test]
fn rule_52_one_stands_by_and_it_is_the_one_that_looks_first() {
    let mut workers = Workers::default();
    workers.idle.extend([follower(1), follower(2)]);
    assert!(workers.set_stand_by(StandBy { worker: 1, until: 7 }));
    assert!(!workers.set_stand_by(StandBy { worker: 2, until: 7 }), "one is enough");
    assert!(workers.set_stand_by(StandBy { worker: 2, until: 6 }), "sooner is better");
    assert!(workers.has_stand_by(0, 6) && workers.has_stand_by(9, 0), "within a few milliseconds");
    assert!(!workers.woke_up(1), "it was not called");
    assert!(workers.has_stand_by(0, 6), "it no longer stood by");
    assert!(!workers.woke_up(2));
    assert!(!workers.has_stand_by(0, 6));
    // Who is called to stand by does not look; who is called after it does.
    workers.stand_by_wanted = true;
    assert!(!workers.takes_work());
    assert!(workers.takes_work());
}

#[test]
fn rule_52_short_is_what_takes_less_than_to_wake_somebody() {
    let mut workers = Workers::default();
    assert!(workers.predict_short(Some(19_999)) && !workers.predict_short(Some(20_000)));
    assert!(!workers.predict_short(None));
    (0..4).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(None), "four in a row speak for one that nobody knows");
    workers.learn_duration(60_000);
    assert!(!workers.predict_short(None), "there were too few to bear with this one");
    (0..100).for_each(|_| workers.learn_duration(1_000));
    (0..2).for_each(|_| workers.learn_duration(60_000));
    assert!(workers.predict_short(None), "two of a hundred prove nothing");
    workers.learn_duration(60_000);
    assert!(!workers.predict_short(None), "however many were short before");
    workers.wake_latency = 100_000;
    assert!(workers.predict_short(Some(60_000)) && !workers.predict_short(Some(100_000)));
}

/// Otherwise each thread that is started would speak for starting another one.
#[test]
fn rule_52_to_start_a_thread_is_no_part_of_the_job_that_follows() {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    const HOUR: Nanos = 3_600_000 * MILLISECOND;
    let clock = CLOCK.get_or_init(|| Clock::manual(SystemTime::UNIX_EPOCH));
    let start = |name, stack_size, body| {
        CLOCK.get().expect("set above").advance(Duration::from_millis(1));
        start_worker(name, stack_size, body)
    };
    let threads = ThreadConfig { name: "slow".to_owned(), most: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), clock.clone(), threads);
    let (_, work) = counter();
    pool.with(|source, now| source.add(now + HOUR, Arc::clone(&work)));
    while lock(&pool.state).workers.leader.is_none() {
        thread::yield_now();
    }
    // The one that waits does this, and before it starts another one to wait in its place.
    pool.with(|source, now| source.add(now, work));
    wait_for_done(&pool, 1);
    let state = lock(&pool.state);
    assert_eq!((state.workers.spawned, state.workers.short_streak), (2, 1));
}

/// Services that share something which hangs: the trust in one of them ends that in all.
#[test]
fn rule_50_many_that_were_trusted_and_block_hold_up_nobody_for_long() {
    let pool = pool(Clock::system(), None);
    let (release, released) = bounded::<()>(0);
    let blocker: Work = Arc::new(move || {
        let _ = released.recv();
    });
    let (done, other) = unbounded();
    let other_work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|source, now| {
        source.short = Some(true);
        (0..40).for_each(|_| source.add(now, Arc::clone(&blocker)));
        source.add(now, other_work);
    });
    other.recv_timeout(Duration::from_secs(10)).expect("the other one is done");
    // Found out one by one, each by a stand-by that has rested before, they would take five
    // milliseconds each.
    let (executing, idled) = pool.with(|source, _| (source.most_executing, source.idled));
    assert_eq!(executing, 41);
    assert!(idled < 20, "{idled} times idle");
    drop(release);
    wait_for_done(&pool, 41);
}

#[test]
fn the_wake_up_correction_falls_fast_and_rises_slowly() {
    let mut workers = Workers::default();
    workers.learn_wake_latency(1_600);
    assert_eq!(workers.wake_latency, 100);
    workers.learn_wake_latency(50_000_000);
    assert!(workers.wake_latency < MAX_WAKE_LATENCY / 15, "one late wake-up is no habit");
    (0..1_000).for_each(|_| workers.learn_wake_latency(1_000_000));
    let before = workers.wake_latency;
    assert!(before > MAX_WAKE_LATENCY - 100, "it rises to the most: {before}");
    workers.learn_wake_latency(0);
    assert_eq!(workers.wake_latency, before - before / 4);
}
