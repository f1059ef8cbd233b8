//! The tokio runtime of a runner.
//!
//! A runner without async services has none. Otherwise it is, in this order, the one that the builder
//! names, the one in which the first start is requested, or one that the runner creates for itself.

use std::sync::{Arc, Mutex};

use crate::sys::runtime::{Handle, Runtime, RuntimeError};
use crate::sys::sync::std_lock;
use crate::sys::task_pool::{Job, PoolOwner, TaskPool};

/// The runtime of one runner, once it is needed, and the tasks there that execute its jobs.
#[derive(Debug)]
pub(crate) struct RuntimeSlot<J: Job> {
    named: Option<Handle>,
    /// Prefix of the names of the threads of an own runtime.
    thread_name: String,
    current: Mutex<Option<Current<J>>>,
}

/// A runtime, and the tasks there.
#[derive(Debug)]
struct Current<J: Job> {
    tasks: PoolOwner<J>,
    runtime: Runtime,
}

impl<J: Job> Current<J> {
    /// `keep_idle`: whether tasks without a job wait for the next one.
    fn new(runtime: Runtime, keep_idle: bool) -> Self {
        let tasks = TaskPool::new(runtime.handle().clone(), keep_idle);
        Self { tasks: PoolOwner(Arc::new(tasks)), runtime }
    }
}

impl<J: Job> Default for RuntimeSlot<J> {
    fn default() -> Self {
        Self::new(None, String::new())
    }
}

impl<J: Job> RuntimeSlot<J> {
    /// `named`: the runtime to use while it exists; otherwise the current one at a start, or, without
    /// `named`, an own one.
    pub(crate) fn new(named: Option<Handle>, thread_name: String) -> Self {
        Self { named, thread_name, current: Mutex::new(None) }
    }

    /// Finds or creates the runtime, unless there is one that still exists.
    pub(crate) fn prepare(&self) -> Result<(), RuntimeError> {
        let mut current = std_lock(&self.current);
        let is_gone = match &*current {
            Some(current) if !current.runtime.is_gone() => return Ok(()),
            Some(_) => true,
            None => false,
        };
        let named = self.named.clone().map(Runtime::watch).filter(|named| !named.is_gone());
        let found = match (named, Runtime::current()) {
            (Some(named), _) => named,
            (None, Some(handle)) => Runtime::watch(handle),
            (None, None) if is_gone || self.named.is_some() => return Err(RuntimeError::Gone),
            (None, None) => Runtime::own(&self.thread_name).map_err(RuntimeError::NoThread)?,
        };
        if found.is_gone() {
            return Err(RuntimeError::Gone);
        }
        let old = current.replace(Current::new(found, true));
        // Without the lock, because that wakes tasks.
        drop(current);
        drop(old);
        Ok(())
    }

    /// Uses this runtime of virtual time, which the caller keeps alive, and which has no tasks but those that
    /// a test waits for.
    pub(crate) fn set_virtual(&self, handle: Handle) {
        std_lock(&self.current).get_or_insert_with(|| Current::new(Runtime::watch(handle), false));
    }

    /// At the end of the process: the runtime, if this thread may be the only one that drives it. Called when
    /// the thread-local values that have destructors are gone.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn driven_here(&self) -> Option<Handle> {
        let current = self.current.try_lock().ok()?;
        let current = current.as_ref().filter(|current| current.runtime.may_be_driven_here())?;
        Some(current.runtime.handle().clone())
    }

    /// At the end of the process: no more tasks get to the runtime. Does not drop it, because that runs
    /// destructors of tasks.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn forget(&self) {
        if let Ok(mut current) = self.current.try_lock() {
            std::mem::forget(current.take());
        }
    }

    /// Whether there is no runtime, or it has shut down.
    #[cfg(feature = "queue")]
    pub(crate) fn is_gone(&self) -> bool {
        std_lock(&self.current).as_ref().is_none_or(|current| current.runtime.is_gone())
    }

    /// The runtime, if there is one.
    pub(crate) fn handle(&self) -> Option<Handle> {
        std_lock(&self.current).as_ref().map(|current| current.runtime.handle().clone())
    }

    /// Holds the lock.
    #[cfg(all(test, not(shuttle), feature = "testing", feature = "tokio"))]
    pub(crate) fn hold(&self) -> impl Sized + '_ {
        std_lock(&self.current)
    }

    /// The tasks that execute jobs, if there is a runtime.
    pub(crate) fn tasks(&self) -> Option<Arc<TaskPool<J>>> {
        std_lock(&self.current).as_ref().map(|current| Arc::clone(&current.tasks.0))
    }
}
