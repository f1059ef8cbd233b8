//! The locks of the pool, real ones or those of the model checker.
//!
//! Under `--cfg shuttle` the pool's hand-over runs in `shuttle`, which tries thousands of
//! schedules. A poisoned lock is recovered: what it guards is only ever changed by our own code,
//! in steps that a panic of user code cannot cut in two.

#[cfg(not(shuttle))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};

use std::sync::PoisonError;
use std::time::Duration;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits for `bell`, at most `timeout`; `true` if the time ran out.
pub(crate) fn wait<'a, T>(
    bell: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Option<Duration>,
) -> (MutexGuard<'a, T>, bool) {
    match timeout {
        None => (bell.wait(guard).unwrap_or_else(PoisonError::into_inner), false),
        Some(timeout) => {
            let (guard, timed_out) =
                bell.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner);
            (guard, timed_out.timed_out())
        }
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn rule_51_a_poisoned_lock_is_recovered() {
        let mutex = Mutex::new(1);
        let panicked = crate::panics::catch(|| {
            *lock(&mutex) = 2;
            let _guard = lock(&mutex);
            panic!("under the lock");
        });
        assert!(panicked.is_err() && mutex.is_poisoned());
        let (guard, timed_out) = wait(&Condvar::new(), lock(&mutex), Some(Duration::ZERO));
        assert!(timed_out && *guard == 2);
    }
}
