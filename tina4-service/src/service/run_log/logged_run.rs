//! The run whose log lines a thread writes.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::service::context::Context;
use crate::service::run_log::line::RunLogLine;
use crate::service::run_log::lines::{Limits, Lines};
use crate::service::run_log::store::RunLogStore;
use crate::time::clock::Clock;

/// Whether the layer is installed.
static INSTALLED: AtomicBool = AtomicBool::new(false);

thread_local! {
    static CURRENT: RefCell<Option<Arc<LoggedRun>>> = const { RefCell::new(None) };
}

/// From now on, lines are collected.
pub(crate) fn install() {
    INSTALLED.store(true, Ordering::Relaxed);
}

#[inline]
pub(super) fn is_installed() -> bool {
    INSTALLED.load(Ordering::Relaxed)
}

/// The run that this thread executes.
pub(crate) fn current() -> Option<Arc<LoggedRun>> {
    CURRENT.try_with(|current| current.try_borrow().ok()?.clone()).ok().flatten()
}

/// A run whose lines are collected.
///
/// It exists until the run ends. Its span may live longer, and does not own it, so that no lines stay in memory because
/// a task keeps the span.
#[derive(Debug)]
pub(crate) struct LoggedRun {
    store: Arc<RunLogStore>,
    pub(crate) clock: Clock,
    index: u32,
    lines: Arc<Lines>,
}

impl LoggedRun {
    #[cold]
    pub(super) fn begin(context: &Context, index: u32) -> Arc<Self> {
        let env = &context.instance().env;
        let store = Arc::clone(&env.run_log);
        let lines = Lines::new(context.run_info().number, Arc::clone(&store.total));
        Arc::new(Self { store, clock: env.clock.clone(), index, lines: Arc::new(lines) })
    }

    /// Adds a line.
    pub(crate) fn add(&self, line: RunLogLine, limits: Limits) {
        let begin = || self.store.begun(self.index, Arc::clone(&self.lines));
        if self.lines.add(line, limits, begin)
            && self.store.total.load(Ordering::Relaxed) > limits.total
        {
            self.store.shrink(limits);
            self.lines.shrink(limits);
        }
    }

    #[cold]
    pub(super) fn end(&self, has_failed: bool) {
        let wrote = self.lines.end();
        self.store.ended(self.index, &self.lines, wrote, has_failed);
    }
}

/// While it exists, this thread executes a run. Contains the run that it executed before.
pub(super) struct Current(Option<Arc<LoggedRun>>);

impl Current {
    pub(super) fn enter(run: Arc<LoggedRun>) -> Self {
        Self(CURRENT.try_with(|current| current.replace(Some(run))).ok().flatten())
    }
}

impl Drop for Current {
    fn drop(&mut self) {
        let outer = self.0.take();
        // The value that is replaced is dropped outside of the cell, because a span may own the rest of it.
        let inner = CURRENT.try_with(|current| current.replace(outer));
        drop(inner);
    }
}
