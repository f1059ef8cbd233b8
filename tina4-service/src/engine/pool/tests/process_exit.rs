//! The lock at the end of the process.

use super::*;

#[test]
fn rule_45_a_thread_that_calls_in_a_loop_leaves_the_lock_to_the_end_of_the_process() {
    /// After so many calls the thread ends, so that the test fails instead of taking forever.
    const MAX_CALLS: usize = 2_000;
    let clock = Clock::system();
    let pool = pool(clock.clone(), None);
    pool.announce_process_exit();
    let calls = AtomicUsize::new(0);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let (_never, nothing) = bounded::<()>(0);
    let call = || {
        pool.with(|_, _| {
            calls.fetch_add(1, Ordering::Relaxed);
            let _ = nothing.recv_timeout(Duration::from_millis(1));
        });
    };
    thread::scope(|scope| {
        scope.spawn(|| {
            while calls.load(Ordering::Relaxed) < MAX_CALLS && !is_over.load(Ordering::Relaxed) {
                call();
            }
        });
        // The lock is free for a third of the time, so this takes about sixty of the thread's calls.
        for _ in 0..20 {
            let seen = calls.load(Ordering::Relaxed);
            // The thread has the lock, or had it since the last time.
            while calls.load(Ordering::Relaxed) == seen && seen < MAX_CALLS {
                thread::yield_now();
            }
            let answer = pool.with_deadline(&clock, Nanos::MAX, |_, _| ());
            assert_eq!(answer, Some(()), "there is no deadline");
        }
        is_over.store(true, Ordering::Relaxed);
    });
    let calls = calls.into_inner();
    assert!(calls < MAX_CALLS, "the thread kept the lock");
}
