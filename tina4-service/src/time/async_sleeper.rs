//! A task that sleeps under a virtual clock.

use std::sync::Mutex;
use std::task::Waker;

use crate::sys::sync::std_lock;
use tina4_service_core::Nanos;

/// A task that sleeps, as its clock sees it. It is over when the task drops it.
#[derive(Debug)]
pub(crate) struct AsyncSleeper {
    pub(crate) until: Nanos,
    waker: Mutex<Option<Waker>>,
}

impl AsyncSleeper {
    pub(super) fn new(until: Nanos) -> Self {
        Self { until, waker: Mutex::new(None) }
    }

    pub(super) fn set_waker(&self, waker: &Waker) {
        let old = std_lock(&self.waker).replace(waker.clone());
        drop(old);
    }

    /// Wakes the task. Call it without holding a lock.
    pub(crate) fn wake(&self) {
        let waker = std_lock(&self.waker).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}
