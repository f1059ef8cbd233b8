//! Locks, condition variables and atomics, from `std` or from the model checker.
//!
//! Under `--cfg shuttle` the pool and everything that controls it (runner, supervisor) run in `shuttle`,
//! which tries thousands of schedules: at each of these operations it decides which thread runs next.
//! Other primitives come from `std` even then, because no thread is ever preempted while it uses them:
//! the small locks of the clock and of the list of runners ([`std_lock`]), and that of provided values.
//! `shuttle` does not support channels, so under the model checker a sleeping body polls its channel.
//!
//! Poison is ignored: only this crate's code changes what a lock guards, in steps that a panic in user
//! code cannot interrupt.

#[cfg(not(shuttle))]
pub(crate) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8},
    },
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU8},
    },
    thread_local,
};

#[cfg(shuttle)]
pub(crate) use shuttle::thread::yield_now;
#[cfg(not(shuttle))]
pub(crate) use std::thread::yield_now;

use std::sync::{PoisonError, TryLockError};
use std::time::Duration;

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// [`lock`] for a mutex that comes from `std` even under the model checker.
pub(crate) fn std_lock<T: ?Sized>(mutex: &std::sync::Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Locks the mutex, unless another thread holds it.
pub(crate) fn try_lock<T>(mutex: &Mutex<T>) -> Option<MutexGuard<'_, T>> {
    match mutex.try_lock() {
        Ok(guard) => Some(guard),
        Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => None,
    }
}

/// Waits on `condvar`, for at most `timeout`; `true` if it timed out.
pub(crate) fn wait<'a, T>(
    condvar: &Condvar,
    guard: MutexGuard<'a, T>,
    timeout: Option<Duration>,
) -> (MutexGuard<'a, T>, bool) {
    match timeout {
        None => (condvar.wait(guard).unwrap_or_else(PoisonError::into_inner), false),
        Some(timeout) => {
            let (guard, timed_out) =
                condvar.wait_timeout(guard, timeout).unwrap_or_else(PoisonError::into_inner);
            (guard, timed_out.timed_out())
        }
    }
}

/// For models: a gate that threads wait for without a timeout.
#[cfg(all(test, shuttle))]
#[derive(Default)]
pub(crate) struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

#[cfg(all(test, shuttle))]
impl Gate {
    pub(crate) fn pass(&self) {
        let mut open = lock(&self.open);
        while !*open {
            (open, _) = wait(&self.opened, open, None);
        }
    }

    pub(crate) fn open(&self) {
        *lock(&self.open) = true;
        self.opened.notify_all();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn rule_51_a_poisoned_lock_is_recovered() {
        let mutex = Mutex::new(1);
        let panicked = crate::sys::panics::catch(|| {
            *lock(&mutex) = 2;
            let _guard = lock(&mutex);
            panic!("under the lock");
        });
        assert!(panicked.is_err() && mutex.is_poisoned());
        assert_eq!(try_lock(&mutex).map(|guard| *guard), Some(2));
        let (guard, timed_out) = wait(&Condvar::new(), lock(&mutex), Some(Duration::ZERO));
        assert!(timed_out && *guard == 2);
    }
}
