//! The pool under a model checker: `shuttle` runs each test with thousands of thread schedules. If a
//! wake-up is lost, every thread ends up waiting, which `shuttle` reports as a deadlock.
//!
//! Run it with `.ci/model`.
//!
//! There are no timed waits in the model, because a wait for a manual clock has no timeout. So a
//! timeout cannot hide a lost wake-up. The stand-by needs a timeout, so it is tested in real time.

use std::time::{Duration, SystemTime};

use super::fake_source::{FakeSource, Work, pool, wait_for_done};
use super::*;
use crate::sys::sync::Gate;

const ITERATIONS: usize = 5_000;

fn check(test: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(
        move || {
            test();
        },
        ITERATIONS,
    );
}

fn yielding_work() -> Work {
    Arc::new(shuttle::thread::yield_now)
}

/// Makes the workers exit and waits for them, so that the iteration ends.
fn close(pool: &Arc<Pool<FakeSource>>) {
    pool.with(|source, _| source.closed = true);
    while pool.thread_count() > 0 {
        shuttle::thread::yield_now();
    }
}

#[test]
fn work_added_by_any_thread_is_executed() {
    check(|| {
        let pool = pool(Clock::manual(SystemTime::UNIX_EPOCH), None);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                shuttle::thread::spawn(move || {
                    for _ in 0..2 {
                        pool.with(|source, now| source.add(now, yielding_work()));
                    }
                })
            })
            .collect();
        wait_for_done(&pool, 4);
        for thread in threads {
            thread.join().unwrap();
        }
        close(&pool);
    });
}

#[test]
fn advancing_the_clock_while_the_leader_starts_to_wait_wakes_it() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        pool.with(|source, _| {
            source.add(10, yielding_work());
            source.add(20, yielding_work());
        });
        let advancer = {
            let (clock, pool) = (clock.clone(), Arc::clone(&pool));
            shuttle::thread::spawn(move || {
                for _ in 0..2 {
                    clock.advance(Duration::from_nanos(10));
                    pool.wake_waiters();
                }
            })
        };
        wait_for_done(&pool, 2);
        advancer.join().unwrap();
        close(&pool);
    });
}

#[test]
fn advancing_the_clock_while_a_worker_completes_its_work_is_noticed() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), Some(1));
        pool.with(|source, now| {
            source.add(now, yielding_work());
            source.add(10, yielding_work());
        });
        let advancer = {
            let (clock, pool) = (clock.clone(), Arc::clone(&pool));
            shuttle::thread::spawn(move || {
                clock.advance(Duration::from_nanos(10));
                pool.wake_waiters();
            })
        };
        wait_for_done(&pool, 2);
        advancer.join().unwrap();
        close(&pool);
    });
}

#[test]
fn an_earlier_due_time_wakes_the_leader_of_a_later_one() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        pool.with(|source, _| source.add(1_000, yielding_work()));
        let adder = {
            let pool = Arc::clone(&pool);
            shuttle::thread::spawn(move || pool.with(|source, _| source.add(0, yielding_work())))
        };
        wait_for_done(&pool, 1);
        adder.join().unwrap();
        clock.advance(Duration::from_nanos(1_000));
        pool.wake_waiters();
        wait_for_done(&pool, 2);
        close(&pool);
    });
}

#[test]
fn rule_11_work_that_is_taken_early_leaves_no_due_time_uncovered() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        // The leader waits for 30. A worker that is still busy at 10 takes work early, and so does the
        // leader when it is woken then.
        pool.with(|source, now| {
            source.add_tolerant(5, 30, yielding_work());
            source.add_tolerant(8, 35, yielding_work());
            source.add(40, yielding_work());
            source.add(now, yielding_work());
        });
        let advancer = {
            let (clock, pool) = (clock.clone(), Arc::clone(&pool));
            shuttle::thread::spawn(move || {
                for _ in 0..4 {
                    clock.advance(Duration::from_nanos(10));
                    pool.wake_waiters();
                }
            })
        };
        wait_for_done(&pool, 4);
        advancer.join().unwrap();
        close(&pool);
    });
}

#[test]
fn rule_11_work_that_may_begin_early_is_covered_by_its_due_time() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        let gate = Arc::new(Gate::default());
        let (blocked, opener) = (Arc::clone(&gate), Arc::clone(&gate));
        // The work at 10 blocks until the work that must begin by 20, and may begin from 10 on, has run.
        pool.with(|source, _| {
            source.add(10, Arc::new(move || blocked.pass()));
            source.add_tolerant(10, 20, Arc::new(move || opener.open()));
        });
        for _ in 0..2 {
            clock.advance(Duration::from_nanos(10));
            pool.wake_waiters();
        }
        // Waits at the gate and not through the pool: a request to the pool would cover the next
        // due time and hide the error.
        gate.pass();
        wait_for_done(&pool, 2);
        close(&pool);
    });
}

#[test]
fn rule_50_blocked_runs_do_not_block_the_run_that_frees_them() {
    check(|| {
        let pool = pool(Clock::manual(SystemTime::UNIX_EPOCH), None);
        let gate = Arc::new(Gate::default());
        pool.with(|source, now| {
            for _ in 0..2 {
                let gate = Arc::clone(&gate);
                source.add(now, Arc::new(move || gate.pass()));
            }
            let gate = Arc::clone(&gate);
            source.add(now, Arc::new(move || gate.open()));
        });
        wait_for_done(&pool, 3);
        close(&pool);
    });
}

#[test]
fn rule_50_a_run_may_add_the_work_it_waits_for() {
    check(|| {
        let pool = pool(Clock::manual(SystemTime::UNIX_EPOCH), None);
        let gate = Arc::new(Gate::default());
        let (inner, outer) = (Arc::clone(&pool), Arc::clone(&gate));
        let body: Work = Arc::new(move || {
            let gate = Arc::clone(&outer);
            inner.with(|source, now| source.add(now, Arc::new(move || gate.open())));
            outer.pass();
        });
        pool.with(|source, now| source.add(now, body));
        wait_for_done(&pool, 2);
        close(&pool);
    });
}

#[test]
fn rule_50_a_blocked_log_blocks_no_run() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        let gate = Arc::new(Gate::default());
        let (blocked, opener) = (Arc::clone(&gate), Arc::clone(&gate));
        // The due time at 10 needs no worker, but its log blocks until the work due at 20 has run.
        pool.with(|source, _| {
            source.add_deferring(10, Arc::new(move || blocked.pass()));
            source.add(20, Arc::new(move || opener.open()));
        });
        for _ in 0..2 {
            clock.advance(Duration::from_nanos(10));
            pool.wake_waiters();
        }
        // Waits at the gate and not through the pool: a request to the pool would cover the next
        // due time and hide the error.
        gate.pass();
        wait_for_done(&pool, 1);
        close(&pool);
    });
}
