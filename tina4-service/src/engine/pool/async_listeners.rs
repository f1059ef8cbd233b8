//! The tasks that wait for a change of the pool's source.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::sys::panics;
use crate::sys::sync::{Mutex, lock};

/// The wakers of the tasks that wait for a change. They are registered under the pool's lock, and woken
/// without it.
#[derive(Debug, Default)]
pub(super) struct AsyncListeners(Mutex<Wakers>);

#[derive(Debug, Default)]
struct Wakers {
    last_key: u64,
    waiting: BTreeMap<u64, Waker>,
}

impl AsyncListeners {
    pub(super) fn wake(&self) {
        let woken = std::mem::take(&mut lock(&self.0).waiting);
        for waker in woken.into_values() {
            // A waker may be user code. The panic hook reports a panic in it; the others are woken even so.
            let _ = panics::catch(|| waker.wake());
        }
    }

    /// A new key.
    pub(super) fn new_key(&self) -> u64 {
        let mut wakers = lock(&self.0);
        wakers.last_key += 1;
        wakers.last_key
    }

    /// Registers a waker, in place of the one with this key, for the caller to drop without a lock.
    #[must_use = "drop it without a lock"]
    pub(super) fn register(&self, key: u64, waker: Waker) -> Option<Waker> {
        lock(&self.0).waiting.insert(key, waker)
    }

    /// Removes the waker with this key.
    pub(super) fn remove(&self, key: u64) {
        let waker = lock(&self.0).waiting.remove(&key);
        drop(waker);
    }
}
