//! Whether the engine moves.

use super::super::liveness::LIMIT;
use super::super::workers::Leader;
use super::*;
use crate::sys::sync::Condvar;

const SECOND: Nanos = 1_000_000_000;

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
    // The first look may be right before the leader wakes up, or right after the process was suspended.
    assert!(pool.is_live_at(100 * SECOND));
    assert!(pool.is_live_at(100 * SECOND + LIMIT - 1));
    assert!(!pool.is_live_at(100 * SECOND + LIMIT));
    // Once it moves, it lives, although other work is due.
    let (_, work) = counter();
    let mut state = lock(&pool.state);
    assert!(state.source.take_due(0).is_some());
    state.source.add(0, work);
    drop(state);
    assert!(pool.is_live_at(200 * SECOND));
    assert!(!pool.is_live_at(200 * SECOND + LIMIT));
}

#[test]
fn rule_112_a_lock_that_is_never_released_is_noticed() {
    let pool = pool(Clock::system(), None);
    let held = lock(&pool.state);
    assert!(pool.is_live_at(100 * SECOND));
    assert!(pool.is_live_at(100 * SECOND + LIMIT - 1));
    assert!(!pool.is_live_at(100 * SECOND + LIMIT));
    drop(held);
    assert!(pool.is_live_at(101 * SECOND + LIMIT));
    // What was before does not count.
    let _held = lock(&pool.state);
    assert!(pool.is_live_at(102 * SECOND + LIMIT));
}

#[test]
fn rule_112_long_runs_do_not_look_like_an_engine_that_stands_still() {
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
        assert!(pool.is_live_at(100 * SECOND) && pool.is_live_at(200 * SECOND), "{max_threads:?}");
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
    assert!(pool.is_live_at(100 * SECOND));
    assert!(!pool.is_live_at(100 * SECOND + LIMIT));
}
