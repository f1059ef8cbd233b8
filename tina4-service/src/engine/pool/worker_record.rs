//! Records what each worker is executing. The exit hook needs it, because a worker's thread may never
//! return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// No service.
const NOTHING: u32 = u32::MAX;

/// What one worker is executing. Only that worker writes it, until its thread is declared lost.
#[derive(Debug)]
pub(crate) struct WorkerRecord {
    /// The operating system's id of the worker's thread, if it is known.
    thread: Option<u32>,
    /// The service that it is executing or executed last. Remains set while the worker is idle, which
    /// is harmless: an idle thread is not mistaken for one that is parked in `exit`.
    service_index: AtomicU32,
}

impl WorkerRecord {
    /// Creates the record of the current thread.
    pub(super) fn current() -> Arc<Self> {
        Arc::new(Self { thread: thread_id(), service_index: AtomicU32::new(NOTHING) })
    }

    pub(super) fn begin(&self, service_index: u32) {
        self.service_index.store(service_index, Ordering::Relaxed);
    }

    /// The service that it is executing or executed last; `None`: it has not executed any, or its
    /// thread was declared lost.
    pub(crate) fn service_index(&self) -> Option<u32> {
        Some(self.service_index.load(Ordering::Relaxed))
            .filter(|service_index| *service_index != NOTHING)
    }

    pub(crate) fn thread(&self) -> Option<u32> {
        self.thread
    }

    /// Records that its thread will never return; another worker takes over its service.
    pub(crate) fn declare_thread_lost(&self) {
        self.service_index.store(NOTHING, Ordering::Relaxed);
    }
}

/// The id of the current thread, as in `/proc/self/task`.
fn thread_id() -> Option<u32> {
    if !cfg!(target_os = "linux") || cfg!(any(miri, shuttle)) {
        return None;
    }
    let link = std::fs::read_link("/proc/thread-self").ok()?;
    link.file_name()?.to_str()?.parse().ok()
}
