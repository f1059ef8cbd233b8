//! The pool in real time, with work that blocks and work that does not.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, SystemTime};

use crossbeam_channel::{Sender, bounded, unbounded};

use super::fake_source::{FakeSource, Work, pool, wait_for_done};
use super::*;
use crate::sys::threads::start_worker;

mod liveness;
#[cfg(feature = "exit-hook")]
mod process_exit;
#[cfg(feature = "signals")]
mod without_blocking;
mod workers;

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

/// How long a test waits for what must happen.
const LIMIT: Duration = Duration::from_secs(60);

/// Repeats a measurement until it is good, ten times at most: a worker that the system does not let run looks
/// blocked, so a busy machine makes the pool wake and spawn more workers.
#[track_caller]
fn best_of_ten<T: std::fmt::Debug>(measure: impl Fn() -> T, is_good: impl Fn(&T) -> bool) {
    let mut measured = Vec::new();
    while !measured.last().is_some_and(&is_good) {
        assert!(measured.len() < 10, "{measured:?}");
        measured.push(measure());
    }
}

#[test]
fn a_burst_of_short_runs_needs_few_threads() {
    let threads = || {
        let pool = pool(Clock::system(), None);
        let (count, work) = counter();
        pool.with(|source, now| (0..1_000).for_each(|_| source.add(now, Arc::clone(&work))));
        wait_for_done(&pool, 1_000);
        assert_eq!(count.load(Ordering::Relaxed), 1_000);
        pool.thread_count()
    };
    best_of_ten(threads, |threads| *threads < 12);
}

#[test]
fn rule_50_there_is_a_thread_for_each_blocked_run_and_one_more_to_wait() {
    let pool = pool(Clock::system(), None);
    let (started, starts) = unbounded();
    let (release, released) = bounded::<()>(0);
    let work: Work = Arc::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    pool.with(|source, now| (0..40).for_each(|_| source.add(now, Arc::clone(&work))));
    for _ in 0..40 {
        starts.recv_timeout(LIMIT).expect("all forty run concurrently");
    }
    // While all of them are blocked, one more runs immediately.
    let (count, short) = counter();
    pool.with(|source, now| source.add(now, short));
    wait_for_done(&pool, 1);
    assert_eq!(count.load(Ordering::Relaxed), 1);
    drop(release);
    wait_for_done(&pool, 41);
    assert!(pool.thread_count() <= 43, "{} threads", pool.thread_count());
}

#[test]
fn a_wrong_short_prediction_delays_other_work_only_briefly() {
    let pool = pool(Clock::system(), None);
    // Predicted to be short from the start: no worker is woken before it, so the stand-by must step in.
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
        others.recv_timeout(LIMIT).expect("the others run");
    }
    drop(release);
    wait_for_done(&pool, 201);
}

/// How often `is_finished` was called, per run, during two hundred runs: an estimate of how often
/// workers became idle.
fn idle_per_run(set_up: impl Fn(&mut FakeSource, Nanos, Work)) -> f64 {
    let pool = pool(Clock::system(), None);
    let (done, runs) = unbounded();
    let work: Work = Arc::new(move || {
        let _ = done.send(());
    });
    pool.with(|source, now| set_up(source, now, work));
    // `wait_for` would not do here: each evaluation of its condition is itself a request to the pool.
    for _ in 0..200 {
        runs.recv_timeout(LIMIT).expect("all of them run");
    }
    pool.with(|source, _| {
        source.period = None;
        source.finish_checks as f64 / 200.0
    })
}

/// No worker is woken for work that is known to be short; a stand-by checks every few milliseconds.
#[test]
fn rule_52_a_short_run_costs_one_wake_up() {
    let one_per = |period: Nanos, short| {
        idle_per_run(|source, now, work| {
            source.short = Some(short);
            (0..200).for_each(|item| source.add(now + item * period, Arc::clone(&work)));
        })
    };
    // One wake-up of the worker that runs it, and a few of the stand-by, which wakes more often on a busy
    // machine.
    best_of_ten(|| one_per(MILLISECOND, true), |idle| *idle < 1.4);
    // A second worker is woken to wait. On a busy machine, one may find several runs that are due, so the
    // time between them grows.
    let period = std::cell::Cell::new(MILLISECOND / 2);
    let with_longer_period = || {
        period.set((2 * period.get()).min(32 * MILLISECOND));
        one_per(period.get(), false)
    };
    best_of_ten(with_longer_period, |idle| *idle > 1.4);
    // One periodic run, and one due time far in the future, for which the stand-by waits.
    let alone = || {
        idle_per_run(|source, now, work| {
            (source.short, source.period) = (Some(true), Some(6 * MILLISECOND));
            source.add(now, work);
            source.add(now + 3_600_000 * MILLISECOND, counter().1);
        })
    };
    best_of_ten(alone, |idle| *idle < 1.2);
}

#[test]
fn rule_11_runs_close_together_cost_one_wake_up() {
    let one_per_millisecond = || {
        idle_per_run(|source, now, work| {
            source.short = Some(true);
            for at in (0..200).map(|item| now + item * MILLISECOND) {
                source.add_tolerant(at, at + 20 * MILLISECOND, Arc::clone(&work));
            }
        })
    };
    // One wake-up for twenty runs, and some of the stand-by.
    best_of_ten(one_per_millisecond, |idle| *idle < 0.3);
}

#[test]
fn rule_50_a_blocked_log_delays_no_run() {
    let pool = pool(Clock::system(), None);
    let (release, released) = bounded::<()>(0);
    let (done, others) = unbounded();
    let work: Work = Arc::new(move || done.send(()).unwrap());
    pool.with(|source, now| {
        // The effect that blocks is not work: a worker executes it before it takes any work.
        source.add_deferring(
            now,
            Arc::new(move || {
                let _ = released.recv();
            }),
        );
        (0..100).for_each(|_| source.add(now + 1_000_000, Arc::clone(&work)));
    });
    for _ in 0..100 {
        others.recv_timeout(LIMIT).expect("the others run");
    }
    drop(release);
    wait_for_done(&pool, 100);
}

#[test]
fn the_thread_limit_is_respected() {
    let pool = pool(Clock::system(), Some(2));
    let (_, work) = counter();
    pool.with(|source, now| (0..200).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 200);
    assert!(pool.thread_count() <= 2);
    assert!(pool.with(|source, _| source.max_executing) <= 2);
}

#[test]
fn every_thread_ends_once_the_source_is_finished() {
    let pool = pool(Clock::system(), None);
    let (_, work) = counter();
    pool.with(|source, now| (0..100).for_each(|_| source.add(now, Arc::clone(&work))));
    wait_for_done(&pool, 100);
    pool.with(|source, _| source.closed = true);
    while pool.thread_count() > 0 {
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
        let ran = times.recv_timeout(LIMIT).expect("it runs");
        late.push(ran.saturating_sub(due));
        if late.last().is_some_and(|late| *late < BUSY / 2) {
            return;
        }
    }
    panic!("{late:?}");
}

/// As when the process has reached its limit on threads.
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
    let config =
        ThreadConfig { name_prefix: "rare".to_owned(), max_count: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), Clock::system(), config);
    let (release, released) = bounded::<()>(0);
    let (started, starts) = bounded(1);
    let blocker: Work = Arc::new(move || {
        started.send(()).unwrap();
        let _ = released.recv();
    });
    let begin = pool.with(|source, now| {
        source.add(now, blocker);
        now
    });
    starts.recv_timeout(LIMIT).expect("the only thread");
    let (count, other) = counter();
    pool.with(|source, now| source.add(now, other));
    // A thread that waits for another condition neither spins nor fills the log.
    let soon = begin + 300 * MILLISECOND;
    let failed = pool.wait_for(|source, now| {
        if now < soon { Poll::Pending(Some(soon)) } else { Poll::Ready(source.failed_spawns) }
    });
    assert!((1..10).contains(&failed), "{failed} failed attempts");
    assert_eq!(count.load(Ordering::SeqCst), 0);
    // It is tried again when a thread may be available, even if no request arrives.
    LEFT.store(2, Ordering::SeqCst);
    let late = soon + 10_000 * MILLISECOND;
    let done = pool.wait_for(|source, now| match source.done {
        0 if now < late => Poll::Pending(Some(late)),
        done => Poll::Ready(done),
    });
    assert_eq!((done, count.load(Ordering::SeqCst)), (1, 1));
    drop(release);
    wait_for_done(&pool, 2);
}

/// A request returns even if each effect that it executes defers another one.
#[test]
fn effects_deferred_during_a_flush_are_handed_to_a_worker() {
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
    let by: Vec<_> =
        (0..10).map(|_| by.recv_timeout(LIMIT).expect("all of them are executed")).collect();
    let here = by.iter().filter(|thread| **thread == thread::current().id()).count();
    assert_eq!(here, 1, "{by:?}");
}

/// If it were, each spawned thread would make a run look long, and so cause another to be spawned.
#[test]
fn rule_52_spawning_a_thread_is_not_part_of_the_run_that_follows() {
    static CLOCK: OnceLock<Clock> = OnceLock::new();
    const HOUR: Nanos = 3_600_000 * MILLISECOND;
    let clock = CLOCK.get_or_init(|| Clock::manual(SystemTime::UNIX_EPOCH));
    let start = |name, stack_size, body| {
        CLOCK.get().expect("set above").advance(Duration::from_millis(1));
        start_worker(name, stack_size, body)
    };
    let config =
        ThreadConfig { name_prefix: "slow".to_owned(), max_count: None, stack_size: None, start };
    let pool = Pool::new(FakeSource::default(), clock.clone(), config);
    let (_, work) = counter();
    pool.with(|source, now| source.add(now + HOUR, Arc::clone(&work)));
    while lock(&pool.state).workers.leader.is_none() {
        thread::yield_now();
    }
    // The leader runs this, and first spawns another worker to wait in its place.
    pool.with(|source, now| source.add(now, work));
    wait_for_done(&pool, 1);
    let state = lock(&pool.state);
    assert_eq!((state.workers.spawned, state.workers.short_score), (2, 1));
}

/// As with services that share a resource that hangs: after one wrong prediction, no work is
/// predicted to be short.
#[test]
fn rule_50_many_wrong_short_predictions_delay_other_runs_only_briefly() {
    // If the stand-by had to step in for every one of them, that would take five milliseconds per run.
    best_of_ten(finish_checks_of_forty_wrong_predictions, |count| *count < 20);
}

/// How often `is_finished` was called until another run has begun.
fn finish_checks_of_forty_wrong_predictions() -> usize {
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
    other.recv_timeout(LIMIT).expect("the other one runs");
    let (executing, finish_checks) =
        pool.with(|source, _| (source.max_executing, source.finish_checks));
    assert_eq!(executing, 41);
    drop(release);
    wait_for_done(&pool, 41);
    finish_checks
}
