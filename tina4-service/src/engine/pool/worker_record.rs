//! What a worker is executing, for the end of the process: its thread may never return.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// No work.
const NOTHING: u32 = u32::MAX;

/// What one worker is executing. Only that worker writes it, until its work is given up.
#[derive(Debug)]
pub(crate) struct WorkerRecord {
    /// The system's id of its thread, where that can be known.
    thread: Option<u32>,
    /// The service_index of its present or last work. An idle worker is never considered lost.
    service_index: AtomicU32,
}

impl WorkerRecord {
    /// The record of the current thread.
    pub(super) fn current() -> Arc<Self> {
        Arc::new(Self { thread: thread_id(), service_index: AtomicU32::new(NOTHING) })
    }

    pub(super) fn begin(&self, service_index: u32) {
        self.service_index.store(service_index, Ordering::Relaxed);
    }

    /// The service_index of its present or last work.
    pub(crate) fn service_index(&self) -> Option<u32> {
        Some(self.service_index.load(Ordering::Relaxed))
            .filter(|service_index| *service_index != NOTHING)
    }

    pub(crate) fn thread(&self) -> Option<u32> {
        self.thread
    }

    /// Its thread will never return: another worker continues with the service.
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
