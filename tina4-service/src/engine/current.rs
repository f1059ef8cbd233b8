//! The service that the current thread executes.

use std::cell::Cell;
use std::sync::Arc;

use crate::service::environment::Environment;

/// Two cells instead of a tuple: one wide load right after two narrow stores cannot be forwarded
/// from the processor's store buffer.
struct Current {
    /// The [`runner_id`] of the service's runner; 0: no service.
    runner: Cell<usize>,
    /// The service's index in that runner.
    index: Cell<u32>,
}

crate::sys::sync::thread_local! {
    /// Plain data without a destructor, so that it can be read until the very end of the thread.
    static CURRENT: Current = const { Current { runner: Cell::new(0), index: Cell::new(0) } };
}

/// An id of the runner with this environment, unique among the runners that exist. Never 0.
pub(crate) fn runner_id(env: &Arc<Environment>) -> usize {
    Arc::as_ptr(env).addr()
}

/// The service that this thread executes: the [`runner_id`] of its runner, and its index there.
pub(crate) fn current() -> Option<(usize, u32)> {
    CURRENT.with(|Current { runner, index }| match runner.get() {
        0 => None,
        runner => Some((runner, index.get())),
    })
}

/// Records, until the result is dropped, that this thread executes a service. Then the thread executes
/// the same one as before: a service may poll the tasks of others.
#[cfg(feature = "tokio")]
pub(super) fn enter_nested(env: &Arc<Environment>, index: u32) -> Outer {
    let outer = CURRENT.with(|current| (current.runner.get(), current.index.get()));
    enter(env, index);
    Outer(outer)
}

/// Restores the service that the thread executed before.
#[cfg(feature = "tokio")]
pub(super) struct Outer((usize, u32));

#[cfg(feature = "tokio")]
impl Drop for Outer {
    fn drop(&mut self) {
        let (runner, index) = self.0;
        CURRENT.with(|current| {
            current.runner.set(runner);
            current.index.set(index);
        });
    }
}

/// Records that this thread executes a service.
#[inline]
pub(super) fn enter(env: &Arc<Environment>, index: u32) {
    CURRENT.with(|current| {
        current.runner.set(runner_id(env));
        current.index.set(index);
    });
}

/// Records that this thread no longer executes a service.
#[inline]
pub(super) fn leave() {
    CURRENT.with(|current| current.runner.set(0));
}
