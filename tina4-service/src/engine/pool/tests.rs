//! The pool in real time, with work that blocks and work that does not.

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
fn a_burst_of_short_runs_needs_few_threads() {
    let pool = pool(Clock::system(), None);
    let (count, work) = counter();
    pool.with(|source, now| (0..1_000).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 1_000);
    assert_eq!(count.load(Ordering::Relaxed), 1_000);
    assert!(pool.threads() < 12, "{} threads for a burst of short runs", pool.threads());
}

#[test]
fn rule_50_there_are_as_many_threads_as_blocked_runs_and_one_that_waits() {
    let pool = pool(Clock::system(), None);
    let (started, starts) = unbounded();
    let (release, released) = bounded::<()>(0);
    let work: Work = Arc::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    pool.with(|source, now| (0..40).for_each(|_| source.add(now, Arc::clone(&work))));
    for _ in 0..40 {
        starts.recv_timeout(Duration::from_secs(10)).expect("all forty run concurrently");
    }
    // While all of them are blocked, one more runs immediately.
    let (count, short) = counter();
    pool.with(|source, now| source.add(now, short));
    wait_for_done(&pool, 1);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(release);
    wait_for_done(&pool, 41);
    assert!(pool.threads() <= 43, "{} threads", pool.threads());
}

#[test]
fn work_that_was_predicted_short_and_blocks_delays_others_only_briefly() {
    let pool = pool(Clock::system(), None);
    // Predicted to be short from the start: no worker is woken before it, so the stand-by must notice.
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
        others.recv_timeout(Duration::from_secs(10)).expect("the others run");
    }
    drop(release);
    wait_for_done(&pool, 201);
}

/// How often workers became idle, per run, during two hundred runs.
fn idle_per_run(set_up: impl Fn(&mut FakeSource, Nanos, Work)) -> f64 {
    let pool = pool(Clock::system(), None);
    let (done, runs) = unbounded();
    let work: Work = Arc::new(move || {
        let _ = done.send(());
    });
    pool.with(|source, now| set_up(source, now, work));
    // Not with `wait_for`, because each evaluation of its condition is a request to the pool.
    for _ in 0..200 {
        runs.recv_timeout(Duration::from_secs(10)).expect("all of them run");
    }
    pool.with(|source, _| {
        source.period = None;
        source.idled as f64 / 200.0
    })
}

/// No worker is woken for work that is known to be short; a stand-by looks every few milliseconds.
#[test]
fn rule_52_a_short_run_costs_one_wake_up() {
    let one_each_millisecond = |short| {
        idle_per_run(|source, now, work| {
            source.short = Some(short);
            (0..200).for_each(|item| source.add(now + item * MILLISECOND, Arc::clone(&work)));
        })
    };
    // One by the worker that runs it, and a few by the stand-by. The best of several attempts counts,
    // because the stand-by looks more often on a busy machine.
    let predicted: Vec<_> = (0..10).map(|_| one_each_millisecond(true)).collect();
    assert!(predicted.iter().any(|idle| *idle < 1.4), "a worker is woken for each: {predicted:?}");
    let others: Vec<_> = (0..10).map(|_| one_each_millisecond(false)).collect();
    assert!(others.iter().any(|idle| *idle > 1.4), "no worker waits beside them: {others:?}");
    // A periodic run beside a due time far away: the stand-by waits for the latter.
    let alone: Vec<_> = (0..3)
        .map(|_| {
            idle_per_run(|source, now, work| {
                (source.short, source.period) = (Some(true), Some(6 * MILLISECOND));
                source.add(now, work);
                source.add(now + 3_600_000 * MILLISECOND, counter().1);
            })
        })
        .collect();
    assert!(alone.iter().any(|idle| *idle < 1.2), "{alone:?}");
}

#[test]
fn rule_50_a_blocked_log_delays_no_run() {
    let pool = pool(Clock::system(), None);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|source, now| {
        // The effect that blocks is not work: a worker executes it in between.
        source.add_deferring(
            now,
            Arc::new(move || {
                let _ = released.recv();
            }),
        );
        (0..100).for_each(|_| source.add(now + 1_000_000, Arc::clone(&work)));
    });
    for _ in 0..100 {
        others.recv_timeout(Duration::from_secs(10)).expect("the others run");
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
fn every_thread_ends_once_the_source_is_finished() {
    let pool = pool(Clock::system(), None);
    let (_, work) = counter();
    pool.with(|source, now| (0..100).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 100);
    pool.with(|source, _| source.closed = true);
    while pool.threads() > 0 {
        std::thread::yield_now();
    }
}

/// A timeout counts from the start of the wait, not from when the worker last read the clock.
#[test]
fn a_busy_source_makes_no_run_late() {
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

/// As at the limit of threads of a process.
#[test]
fn a_failed_spawn_is_retried_but_rarely() {
    static LEFT: AtomicUsize = AtomicUsize::new(1);
    let start = |name, stack_size, body| match LEFT.load(Ordering::SeqCst) {
        0 => Err(io::Error::other("no more")),
        left => {
            LEFT.store(left - 1, Ordering::SeqCst);
            start_worker(name, stack_size, body)
        }
    };
    let threads =
        ThreadConfig { name_prefix: "rare".to_owned(), max_count: None, stack_size: None, start };
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
    // A thread that waits for something else neither spins nor fills the log.
    let soon = start + 300 * MILLISECOND;
    let failed = pool.wait_for(|source, now| {
        if now < soon { Wait::Until(Some(soon)) } else { Wait::Ready(source.failed_spawns) }
    });
    assert!((1..10).contains(&failed), "{failed} failed attempts");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // It retries when a thread may be available, even if nothing else happens.
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

/// A request returns, however many effects are deferred in the meantime.
#[test]
fn effects_deferred_during_a_flush_are_left_to_a_worker() {
    fn defers(pool: &Arc<Pool<FakeSource>>, more: usize, done: &Sender<ThreadId>) -> Work {
        let (pool, done) = (Arc::clone(pool), done.clone());
        Arc::new(move || {
            if more > 0 {
                let next = defers(&pool, more - 1, &done);
                lock(&pool.state).source.defer(next);
            }
            done.send(thread::current().id()).unwrap();
        })
    }
    let pool = pool(Clock::system(), None);
    pool.with(|source, now| source.add(now, counter().1));
    wait_for_done(&pool, 1);
    let (done, by) = unbounded();
    let first = defers(&pool, 9, &done);
    pool.with(|source, _| source.defer(first));
    let by: Vec<_> = (0..10)
        .map(|_| by.recv_timeout(Duration::from_secs(10)).expect("all of them are executed"))
        .collect();
    let here = by.iter().filter(|thread| **thread == thread::current().id()).count();
    assert_eq!(here, 1, "{by:?}");
}

fn idle(worker: u64) -> IdleWorker {
    IdleWorker { worker, condvar: Arc::new(Condvar::new()) }
}

#[test]
fn rule_52_a_stand_by_steps_in_when_a_due_time_is_late() {
    let mut workers = Workers::default();
    assert!(!workers.must_step_in(9 * STAND_BY_SLACK, None), "nothing is due");
    assert!(
        !workers.must_step_in(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK + 1)),
        "another worker may be executing it"
    );
    let IdleWorker { worker, condvar } = idle(1);
    workers.leader = Some(Leader { worker, condvar, until: 0 });
    assert!(!workers.must_step_in(9 * STAND_BY_SLACK, Some(0)), "the leader waits for it");
    workers.leader = None;
    (0..100).for_each(|_| workers.learn_duration(1_000));
    assert!(workers.predict_short(Some(1_000)) && workers.predict_short(None));
    assert!(workers.must_step_in(9 * STAND_BY_SLACK, Some(8 * STAND_BY_SLACK)));
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
fn rule_52_the_stand_by_is_the_one_that_looks_first() {
    let mut workers = Workers::default();
    workers.idle.extend([idle(1), idle(2)]);
    assert!(workers.set_stand_by(StandBy { worker: 1, until: 7 }));
    assert!(!workers.set_stand_by(StandBy { worker: 2, until: 7 }), "one is enough");
    assert!(workers.set_stand_by(StandBy { worker: 2, until: 6 }), "an earlier one replaces it");
    assert!(workers.has_stand_by(0, 6) && workers.has_stand_by(9, 0), "within a few milliseconds");
    assert!(!workers.woke_up(1), "it was not notified");
    assert!(workers.has_stand_by(0, 6), "it was no longer the stand-by");
    assert!(!workers.woke_up(2));
    assert!(!workers.has_stand_by(0, 6));
    // A worker woken to stand by takes no work; the next one does.
    workers.stand_by_wanted = true;
    assert!(!workers.takes_work());
    assert!(workers.takes_work());
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
    assert!(!workers.predict_short(None), "however many were short before");
    workers.wake_latency = 100_000;
    assert!(workers.predict_short(Some(60_000)) && !workers.predict_short(Some(100_000)));
}

/// Otherwise each spawned thread would be a reason to spawn another.
#[test]
fn rule_52_spawning_a_thread_is_not_part_of_the_run_that_follows() {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    const HOUR: Nanos = 3_600_000 * MILLISECOND;
    let clock = CLOCK.get_or_init(|| Clock::manual(SystemTime::UNIX_EPOCH));
    let start = |name, stack_size, body| {
        CLOCK.get().expect("set above").advance(Duration::from_millis(1));
        start_worker(name, stack_size, body)
    };
    let threads =
        ThreadConfig { name_prefix: "slow".to_owned(), max_count: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), clock.clone(), threads);
    let (_, work) = counter();
    pool.with(|source, now| source.add(now + HOUR, Arc::clone(&work)));
    while lock(&pool.state).workers.leader.is_none() {
        thread::yield_now();
    }
    // The leader runs this, and first spawns another worker to wait in its place.
    pool.with(|source, now| source.add(now, work));
    wait_for_done(&pool, 1);
    let state = lock(&pool.state);
    assert_eq!((state.workers.spawned, state.workers.short_streak), (2, 1));
}

/// Services that share a resource which hangs: one wrong prediction ends the predictions for all.
#[test]
fn rule_50_many_runs_that_were_predicted_short_and_block_delay_others_only_briefly() {
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
    other.recv_timeout(Duration::from_secs(10)).expect("the other one runs");
    // If a stand-by had to notice each of them, they would take five milliseconds each.
    let (executing, idled) = pool.with(|source, _| (source.most_executing, source.idled));
    assert_eq!(executing, 41);
    assert!(idled < 20, "{idled} times idle");
    drop(release);
    wait_for_done(&pool, 41);
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
