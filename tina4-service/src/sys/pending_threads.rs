//! Threads that a runner starts together with its first service: a program may fork before that, and a child has
//! none of its parent's threads.

use std::fmt;
use std::io;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::sys::sync::std_lock;
use crate::sys::threads::{ThreadBody, start_thread};

/// The threads that are to be started.
#[derive(Default)]
pub(crate) struct PendingThreads {
    threads: Mutex<Vec<(String, ThreadBody)>>,
    /// Whether the runner has started a service, so that others are started at once. Written under the lock.
    has_started: AtomicBool,
}

impl PendingThreads {
    /// Adds a thread with this name. Starts it if the runner has started a service.
    pub(crate) fn add(&self, name: String, body: ThreadBody) -> io::Result<()> {
        let mut threads = std_lock(&self.threads);
        if self.has_started.load(Ordering::Relaxed) {
            drop(threads);
            return start_thread(name, body);
        }
        threads.push((name, body));
        Ok(())
    }

    /// Starts all of them, because the runner starts its first service.
    pub(crate) fn start(&self) -> io::Result<()> {
        // perf: every start of a single service calls this.
        if self.has_started.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut waiting = std_lock(&self.threads);
        self.has_started.store(true, Ordering::Relaxed);
        let threads = std::mem::take(&mut *waiting);
        drop(waiting);
        threads.into_iter().map(|(name, body)| start_thread(name, body)).fold(Ok(()), Result::and)
    }
}

impl fmt::Debug for PendingThreads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingThreads").finish_non_exhaustive()
    }
}
