//! Whether the engine makes progress.

use super::super::standstill::LIMIT;
use super::super::workers::Leader;
use super::*;
use crate::sys::sync::Condvar;

const SECOND: Nanos = 1_000_000_000;

/// Checks once a second, from this second on. Returns after how many seconds the engine was found not to be live.
fn seconds_until_not_live(pool: &Pool<FakeSource>, from: Nanos) -> Option<Nanos> {
    (0..=60).find(|second| !pool.is_live_at((from + second) * SECOND))
}

/// A pool whose only worker, the leader, never wakes up, although its due time has passed.
fn with_frozen_leader() -> Arc<Pool<FakeSource>> {
    let clock = Clock::manual(SystemTime::UNIX_EPOCH);
    let pool = pool(clock, None);
    let (_, work) = counter();
    let mut state = lock(&pool.state);
    state.source.add(0, work);
    state.workers.live = 1;
    state.workers.leader = Some(Leader { id: 1, condvar: Arc::new(Condvar::new()), until: 0 });
    drop(state);
    pool
}

#[test]
fn rule_112_a_frozen_leader_is_noticed_within_ten_seconds() {
    let pool = with_frozen_leader();
    assert_eq!(seconds_until_not_live(&pool, 100), Some(LIMIT / SECOND));
    // Once it makes progress, it is live, although other work is due.
    let (_, work) = counter();
    let mut state = lock(&pool.state);
    assert!(state.source.take_due(0).is_some());
    state.source.add(0, work);
    drop(state);
    assert_eq!(seconds_until_not_live(&pool, 200), Some(LIMIT / SECOND));
}

/// A check may happen to be right before the leader wakes up, or right after the process was suspended.
#[test]
fn rule_112_one_bad_moment_is_not_enough_however_long_ago_the_last_check_was() {
    for gap in [15, 60, 3_600, 24 * 3_600] {
        let frozen = with_frozen_leader();
        let locked = pool(Clock::system(), None);
        let _held = lock(&locked.state);
        for pool in [&frozen, &locked] {
            assert!(pool.is_live_at(100 * SECOND));
            assert!(pool.is_live_at((100 + gap) * SECOND), "after {gap} s");
            // Others check at the same time.
            assert!(pool.is_live_at((100 + gap) * SECOND + 1), "after {gap} s");
        }
    }
    // One that is asked seldom is found by the third check.
    let frozen = with_frozen_leader();
    assert!(frozen.is_live_at(100 * SECOND) && frozen.is_live_at(110 * SECOND));
    assert!(!frozen.is_live_at(120 * SECOND));
}

#[test]
fn rule_112_a_lock_that_is_never_released_is_noticed() {
    let pool = pool(Clock::system(), None);
    let held = lock(&pool.state);
    assert_eq!(seconds_until_not_live(&pool, 100), Some(LIMIT / SECOND));
    assert_eq!(pool.peek(|_, _| ()), None, "a probe does not wait for it either");
    drop(held);
    assert!(pool.is_live_at(111 * SECOND));
    assert_eq!(pool.peek(|_, _| ()), Some(()));
    // What was before does not count.
    let _held = lock(&pool.state);
    assert!(pool.is_live_at(112 * SECOND));
}

#[test]
fn rule_112_long_runs_are_no_reason_to_find_that_the_engine_stands_still() {
    for max_threads in [Some(1), Some(2), None] {
        let pool = pool(Clock::system(), max_threads);
        let (started, starts) = unbounded();
        let (release, released) = bounded::<()>(0);
        let work: Work = Arc::new(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        });
        pool.with(|source, now| (0..3).for_each(|_| source.add(now, Arc::clone(&work))));
        for _ in 0..max_threads.unwrap_or(3) {
            starts.recv_timeout(super::LIMIT).expect("the threads are busy");
        }
        // With a limit, work is due for which there is no thread.
        assert_eq!(seconds_until_not_live(&pool, 100), None, "{max_threads:?}");
        drop(release);
        wait_for_done(&pool, 3);
    }
}

#[test]
fn rule_112_threads_that_cannot_be_started_are_noticed() {
    fn refuse(_: String, _: Option<usize>, _: Box<dyn FnOnce() + Send>) -> io::Result<()> {
        Err(io::Error::other("no thread"))
    }
    let config = ThreadConfig {
        name_prefix: "none".into(),
        max_count: None,
        stack_size: None,
        start: refuse,
    };
    let pool = Pool::new(FakeSource::default(), Clock::system(), config);
    let (_, work) = counter();
    pool.with(|source, now| source.add(now, work));
    assert_eq!(seconds_until_not_live(&pool, 100), Some(LIMIT / SECOND));
}
