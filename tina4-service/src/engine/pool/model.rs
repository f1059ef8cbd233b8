//! The hand-over under a model checker: `shuttle` runs each of these in thousands of schedules. A
//! wake-up that is lost leaves every thread waiting, which it reports as a deadlock.
//!
//! ```text
//! .ci/model
//! ```
//!
//! Timed waits are out of the model: a manual clock is waited for without a limit. So nothing here
//! is rescued by a timeout, and the stand-by, which is all about one, is tested in real time.

use std::time::{Duration, SystemTime};

use super::fake_source::{FakeSource, Work, pool, wait_for_done};
use super::*;
use crate::sys::sync::Gate;

const SCHEDULES: usize = 5_000;

fn check(test: impl Fn() + Send + Sync + 'static) {
    shuttle::check_random(
        move || {
            test();
        },
        SCHEDULES,
    );
}

fn nothing() -> Work {
    Arc::new(shuttle::thread::yield_now)
}

/// Ends the threads, so that a schedule ends.
fn close(pool: &Arc<Pool<FakeSource>>) {
    pool.with(|source, _| source.closed = true);
    while pool.threads() > 0 {
        shuttle::thread::yield_now();
    }
}

#[test]
fn what_anybody_adds_is_done() {
    check(|| {
        let pool = pool(Clock::manual(SystemTime::UNIX_EPOCH), None);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let pool = Arc::clone(&pool);
                shuttle::thread::spawn(move || {
                    for _ in 0..2 {
                        pool.with(|source, now| source.add(now, nothing()));
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
fn a_clock_that_moves_while_the_leader_falls_asleep_wakes_it() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        pool.with(|source, _| {
            source.add(10, nothing());
            source.add(20, nothing());
        });
        let mover = {
            let (clock, pool) = (clock.clone(), Arc::clone(&pool));
            shuttle::thread::spawn(move || {
                for _ in 0..2 {
                    clock.advance(Duration::from_nanos(10));
                    pool.wake_waiters();
                }
            })
        };
        wait_for_done(&pool, 2);
        mover.join().unwrap();
        close(&pool);
    });
}

#[test]
fn a_clock_that_moves_while_a_worker_comes_back_from_a_job_is_seen() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), Some(1));
        pool.with(|source, now| {
            source.add(now, nothing());
            source.add(10, nothing());
        });
        let mover = {
            let (clock, pool) = (clock.clone(), Arc::clone(&pool));
            shuttle::thread::spawn(move || {
                clock.advance(Duration::from_nanos(10));
                pool.wake_waiters();
            })
        };
        wait_for_done(&pool, 2);
        mover.join().unwrap();
        close(&pool);
    });
}

#[test]
fn an_earlier_due_time_wakes_who_waits_for_a_later_one() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        pool.with(|source, _| source.add(1_000, nothing()));
        let adder = {
            let pool = Arc::clone(&pool);
            shuttle::thread::spawn(move || pool.with(|source, _| source.add(0, nothing())))
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
fn rule_50_bodies_that_block_do_not_keep_the_one_that_frees_them() {
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
fn rule_50_a_body_may_add_what_it_waits_for() {
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
fn rule_50_a_log_that_blocks_keeps_nobody() {
    check(|| {
        let clock = Clock::manual(SystemTime::UNIX_EPOCH);
        let pool = pool(clock.clone(), None);
        let gate = Arc::new(Gate::default());
        let (blocked, opener) = (Arc::clone(&gate), Arc::clone(&gate));
        // What is due at 10 is no job, but its log blocks until the job that is due at 20 has run.
        pool.with(|source, _| {
            source.add_deferring(10, Arc::new(move || blocked.pass()));
            source.add(20, Arc::new(move || opener.open()));
        });
        for _ in 0..2 {
            clock.advance(Duration::from_nanos(10));
            pool.wake_waiters();
        }
        // Not through the pool, which would cover what is due on this occasion.
        gate.pass();
        wait_for_done(&pool, 1);
        close(&pool);
    });
}
