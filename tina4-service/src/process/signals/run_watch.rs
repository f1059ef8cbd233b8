//! What the signal thread knows about a call to `run`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A call to `run` in progress, as the signal thread sees it.
#[derive(Debug)]
pub(crate) struct RunWatch {
    pub(super) shutdown_timeout: Duration,
    /// How long the services keep running after a signal.
    pub(super) quiesce: Duration,
    /// Whether the services have been started.
    started: AtomicBool,
    returned: AtomicBool,
    /// The exit code, once it is known.
    code: OnceLock<u8>,
}

impl RunWatch {
    pub(crate) fn new(shutdown_timeout: Duration, quiesce: Duration) -> Arc<Self> {
        Arc::new(Self {
            shutdown_timeout,
            quiesce,
            started: AtomicBool::new(false),
            returned: AtomicBool::new(false),
            code: OnceLock::new(),
        })
    }

    /// Records that the services have been started: from now on, no active service means that
    /// everything has ended.
    pub(crate) fn set_started(&self) {
        self.started.store(true, Ordering::Release);
    }

    /// Records the exit code; only printing is left.
    pub(crate) fn set_exit_code(&self, code: u8) {
        let _ = self.code.set(code);
    }

    /// Records that `run` has returned: the signal thread no longer ends the process.
    pub(crate) fn set_returned(&self) {
        self.returned.store(true, Ordering::Release);
    }

    /// The exit code, if it is known.
    pub(super) fn code(&self) -> Option<u8> {
        self.code.get().copied()
    }

    /// Whether the services have been started, or the start was refused.
    pub(super) fn is_past_start(&self) -> bool {
        self.started.load(Ordering::Acquire) || self.code.get().is_some()
    }

    pub(super) fn has_returned(&self) -> bool {
        self.returned.load(Ordering::Acquire)
    }
}
