//! The only place that knows the tokio runtime of a runner: where async runs are executed.
//!
//! A runner without async services has none. Otherwise it is, in this order, the one that the builder
//! names, the one in which the first start is requested, or one that the runner creates for itself.

use std::future::Future;
use std::io;

use crate::sys::sync::std_lock;

#[cfg(shuttle)]
use self::model_runtime as implementation;
#[cfg(not(shuttle))]
use self::tokio_runtime as implementation;

pub(crate) use implementation::{Handle, Runtime};

/// Why there is no runtime for async runs.
#[derive(Debug)]
pub(crate) enum RuntimeError {
    /// The one that was remembered or named has shut down.
    Gone,
    /// The operating system refused the threads of an own one.
    NoThread(io::Error),
}

/// The text of the error for a runtime that has shut down.
pub(crate) const GONE: &str = "the tokio runtime of the async services has shut down; start them inside a runtime that outlives \
     them, or name one with `Builder::runtime`";

/// The runtime of one runner, once it is needed.
#[derive(Debug, Default)]
pub(crate) struct RuntimeSlot {
    named: Option<Handle>,
    /// Prefix of the names of the threads of an own runtime.
    thread_name: String,
    current: std::sync::Mutex<Option<Runtime>>,
}

impl RuntimeSlot {
    /// `named`: the runtime to use while it exists; otherwise the current one at a start, or, without
    /// `named`, an own one.
    pub(crate) fn new(named: Option<Handle>, thread_name: String) -> Self {
        Self { named, thread_name, current: std::sync::Mutex::new(None) }
    }

    /// Finds or creates the runtime, unless there is one that still exists.
    pub(crate) fn prepare(&self) -> Result<(), RuntimeError> {
        let mut current = std_lock(&self.current);
        let is_gone = match &*current {
            Some(runtime) if !runtime.is_gone() => return Ok(()),
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
        *current = Some(found);
        Ok(())
    }

    /// Uses this runtime, which the caller keeps alive.
    pub(crate) fn set(&self, handle: Handle) {
        std_lock(&self.current).get_or_insert_with(|| Runtime::watch(handle));
    }

    /// The runtime, if there is one.
    pub(crate) fn handle(&self) -> Option<Handle> {
        std_lock(&self.current).as_ref().map(|runtime| runtime.handle().clone())
    }
}

/// Calls `wait`, which blocks this thread. If the thread belongs to a multi-thread runtime, the runtime
/// replaces it for that time.
pub(crate) fn block<T>(wait: impl FnOnce() -> T) -> T {
    implementation::block(wait)
}

/// Whether this thread drives this runtime, alone: while the thread blocks, no task makes progress.
pub(crate) fn is_driven_by_this_thread(handle: &Handle) -> bool {
    implementation::is_driven_by_this_thread(handle)
}

/// Makes it the runtime of this thread, until the result is dropped.
pub(crate) fn enter(handle: &Handle) -> implementation::Entered<'_> {
    implementation::enter(handle)
}

/// Executes a task. If the runtime has shut down, drops it, on this thread.
pub(crate) fn spawn(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
    implementation::spawn(handle, task);
}

#[cfg(not(shuttle))]
mod tokio_runtime {
    use std::fmt;
    use std::future::{Future, pending};
    use std::io;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};

    pub(crate) use tokio::runtime::Handle;
    use tokio::runtime::RuntimeFlavor;
    use tokio::task::AbortHandle;

    use crate::sys::panics;

    /// The number of threads of an own runtime.
    const THREADS: usize = 2;

    /// A runtime, and whether it still exists.
    pub(crate) struct Runtime {
        handle: Handle,
        gone: Arc<AtomicBool>,
        /// A task that waits forever; the runtime drops it when it shuts down.
        canary: AbortHandle,
        own: Option<tokio::runtime::Runtime>,
    }

    /// Sets the flag when it is dropped.
    struct SetOnDrop(Arc<AtomicBool>);

    impl Drop for SetOnDrop {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Release);
        }
    }

    impl Runtime {
        /// The runtime of this thread.
        pub(super) fn current() -> Option<Handle> {
            Handle::try_current().ok()
        }

        /// A runtime of somebody else.
        pub(super) fn watch(handle: Handle) -> Self {
            let gone = Arc::new(AtomicBool::new(false));
            let guard = SetOnDrop(Arc::clone(&gone));
            let canary = handle.spawn(async move {
                let _guard = guard;
                pending::<()>().await;
            });
            Self { handle, gone, canary: canary.abort_handle(), own: None }
        }

        /// A small runtime of the runner's own.
        pub(super) fn own(thread_name: &str) -> io::Result<Self> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name(format!("{thread_name}-async"))
                .enable_all()
                .build()?;
            let mut watched = Self::watch(runtime.handle().clone());
            watched.own = Some(runtime);
            Ok(watched)
        }

        pub(super) fn is_gone(&self) -> bool {
            self.gone.load(Ordering::Acquire)
        }

        pub(super) fn handle(&self) -> &Handle {
            &self.handle
        }
    }

    impl Drop for Runtime {
        fn drop(&mut self) {
            self.canary.abort();
            // The last owner of a runner may be a task, which must not wait for its own runtime.
            if let Some(own) = self.own.take() {
                own.shutdown_background();
            }
        }
    }

    impl fmt::Debug for Runtime {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.debug_struct("Runtime").field("handle", &self.handle).finish_non_exhaustive()
        }
    }

    pub(super) type Entered<'a> = tokio::runtime::EnterGuard<'a>;

    pub(super) fn enter(handle: &Handle) -> Entered<'_> {
        handle.enter()
    }

    pub(super) fn spawn(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        drop(handle.spawn(task));
    }

    fn flavor_here() -> Option<RuntimeFlavor> {
        Handle::try_current().ok().map(|handle| handle.runtime_flavor())
    }

    /// Calls `action` with tokio's permission to block this thread. `None`: tokio refuses it, which it can
    /// only say by a panic.
    fn block_in_place<T>(action: impl FnOnce() -> T) -> Option<T> {
        if panics::panics_abort() {
            return None;
        }
        panics::catch_quietly(|| tokio::task::block_in_place(action))
    }

    pub(super) fn block<T>(wait: impl FnOnce() -> T) -> T {
        // Tokio refuses it in a `LocalSet`. The other threads of the runtime make progress even so. Asked
        // beforehand, so that a panic of the wait itself is shown, and reaches the caller.
        let is_allowed =
            flavor_here() == Some(RuntimeFlavor::MultiThread) && block_in_place(|| ()).is_some();
        if is_allowed { tokio::task::block_in_place(wait) } else { wait() }
    }

    pub(super) fn is_driven_by_this_thread(handle: &Handle) -> bool {
        let Ok(here) = Handle::try_current() else { return false };
        here.id() == handle.id()
            && here.runtime_flavor() == RuntimeFlavor::CurrentThread
            // A thread of `spawn_blocking` belongs to the runtime as well, but may block.
            && block_in_place(|| ()).is_none()
    }
}

/// The executor of the model checker.
#[cfg(shuttle)]
mod model_runtime {
    use std::future::Future;
    use std::io;
    use std::marker::PhantomData;
    use std::sync::{Arc, Mutex};

    use crate::sys::sync::std_lock;

    /// The tasks that were spawned; `None`: it has shut down.
    type Tasks = Option<Vec<shuttle::future::JoinHandle<()>>>;

    #[derive(Clone, Debug)]
    pub(crate) struct Handle(Arc<Mutex<Tasks>>);

    impl Handle {
        pub(crate) fn new() -> Self {
            Self(Arc::new(Mutex::new(Some(Vec::new()))))
        }

        /// Drops every task, as a runtime does that shuts down.
        #[cfg(test)]
        pub(crate) fn shut_down(&self) {
            let tasks = std_lock(&self.0).take();
            tasks.into_iter().flatten().for_each(|task| task.abort());
        }
    }

    #[derive(Debug)]
    pub(crate) struct Runtime(Handle);

    impl Runtime {
        pub(super) fn current() -> Option<Handle> {
            Some(Handle::new())
        }

        pub(super) fn watch(handle: Handle) -> Self {
            Self(handle)
        }

        pub(super) fn own(_: &str) -> io::Result<Self> {
            Ok(Self(Handle::new()))
        }

        pub(super) fn is_gone(&self) -> bool {
            std_lock(&self.0.0).is_none()
        }

        pub(super) fn handle(&self) -> &Handle {
            &self.0
        }
    }

    /// Nothing to leave.
    pub(crate) type Entered<'a> = PhantomData<&'a Handle>;

    pub(super) fn enter(_: &Handle) -> Entered<'_> {
        PhantomData
    }

    pub(super) fn block<T>(wait: impl FnOnce() -> T) -> T {
        wait()
    }

    pub(super) fn is_driven_by_this_thread(_: &Handle) -> bool {
        false
    }

    pub(super) fn spawn(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        if std_lock(&handle.0).is_none() {
            return drop(task);
        }
        let task = shuttle::future::spawn(task);
        let mut tasks = std_lock(&handle.0);
        if let Some(tasks) = &mut *tasks {
            tasks.push(task);
            return;
        }
        // Not under the lock, because other threads may run now.
        drop(tasks);
        task.abort();
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;
    use crate::sys::panics;

    #[test]
    fn rule_91_a_panic_of_a_wait_reaches_its_caller_with_its_place() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build();
        runtime.expect("it starts").block_on(async {
            let panic = panics::catch(|| block(|| panic!("in the wait"))).expect_err("it panics");
            let text = panic.to_string();
            assert!(
                text.starts_with("panicked: in the wait at ") && text.contains(file!()),
                "{text}"
            );
        });
    }
}
