//! A run of an async function, which waits for a task of its runtime.

use std::fmt;
use std::sync::Arc;

use crate::service::context::Context;
use crate::service::outcome::Exit;
use crate::service::task_listener::TaskListener;
use crate::sys::runtime;
use tina4_service_core::lifecycle::Crash;
use tina4_service_core::{CrashKind, Nanos};

/// A run that the pool has handed to the runtime.
///
/// The context is dropped first: it must not be the last owner of its service, whose values are dropped
/// elsewhere, and until the end is reported the runner is an owner, too.
pub(crate) struct QueuedRun {
    pub(crate) context: Context,
    /// When it was handed over.
    pub(crate) queued: Nanos,
    pub(crate) end: RunEnd,
}

impl fmt::Debug for QueuedRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QueuedRun").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Reports the end of a run, even if its runtime drops the task, which may happen before its first poll.
pub(crate) struct RunEnd {
    /// `None` once it was reported.
    listener: Option<Arc<dyn TaskListener>>,
    index: u32,
}

impl RunEnd {
    pub(crate) fn new(index: u32, listener: Arc<dyn TaskListener>) -> Self {
        Self { listener: Some(listener), index }
    }

    pub(crate) fn index(&self) -> u32 {
        self.index
    }

    pub(crate) fn report(&mut self, exit: Exit<Box<Crash>>) {
        if let Some(listener) = self.listener.take() {
            listener.run_ended(self.index, exit);
        }
    }
}

impl Drop for RunEnd {
    fn drop(&mut self) {
        if self.listener.is_some() {
            self.report(Exit::Crashed(runtime_gone()));
        }
    }
}

/// The crash of a run whose runtime has shut down. A restart would not help.
#[cold]
pub(crate) fn runtime_gone() -> Box<Crash> {
    let message = runtime::GONE.into();
    Box::new(Crash { message, panicked: false, kind: CrashKind::Permanent })
}
