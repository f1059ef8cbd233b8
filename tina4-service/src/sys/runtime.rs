//! The only place that knows tokio runtimes: where async runs are executed.

use std::future::Future;
use std::io;

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

/// The text of the failure of an async hook that cannot be polled at the end of the process.
#[cfg(feature = "exit-hook")]
pub(crate) const NOT_POLLED: &str = "the tokio runtime of the async services polled no task any more, because its threads were blocked or ended the \
     process; await `stop_all_async` before the end of the process";

/// Calls `wait`, which blocks this thread. If the thread belongs to a multi-thread runtime, the runtime
/// replaces it for that time.
pub(crate) fn block<T>(wait: impl FnOnce() -> T) -> T {
    implementation::block(wait)
}

/// Whether this thread drives this runtime, alone: while the thread blocks, no task makes progress.
pub(crate) fn is_driven_by_this_thread(handle: &Handle) -> bool {
    implementation::is_driven_by_this_thread(handle)
}

/// Whether this thread drives a runtime, alone: while the thread blocks, no task of it makes progress.
pub(crate) fn is_only_thread() -> bool {
    implementation::is_only_thread()
}

/// Makes it the runtime of this thread, until the result is dropped.
pub(crate) fn enter(handle: &Handle) -> implementation::Entered<'_> {
    implementation::enter(handle)
}

/// The number of threads that execute tasks.
pub(crate) fn thread_count(handle: &Handle) -> usize {
    implementation::thread_count(handle)
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
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::task::{Context, Wake, Waker};

    pub(crate) use tokio::runtime::Handle;
    use tokio::runtime::RuntimeFlavor;
    use tokio::task::{AbortHandle, yield_now};

    use crate::sys::panics;

    /// The number of threads of an own runtime.
    const THREADS: usize = 2;

    thread_local! {
        /// Its address identifies the thread. Without a destructor, so that it exists until the very end of
        /// the thread.
        static THREAD: u8 = const { 0 };
    }

    fn this_thread() -> usize {
        THREAD.with(|thread| std::ptr::from_ref(thread).addr())
    }

    /// A runtime, and whether it still exists.
    pub(crate) struct Runtime {
        handle: Handle,
        gone: Arc<AtomicBool>,
        /// The thread that drove it when the probe task was polled; 0: not yet.
        #[cfg_attr(not(feature = "exit-hook"), allow(dead_code, reason = "read by the exit hook"))]
        driver: Arc<AtomicUsize>,
        /// A task that waits forever; the runtime drops it when it shuts down.
        probe: AbortHandle,
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
        pub(crate) fn current() -> Option<Handle> {
            Handle::try_current().ok()
        }

        /// A runtime of somebody else.
        pub(crate) fn watch(handle: Handle) -> Self {
            let gone = Arc::new(AtomicBool::new(false));
            let guard = SetOnDrop(Arc::clone(&gone));
            let driver = Arc::new(AtomicUsize::new(0));
            let seen = Arc::clone(&driver);
            let probe = handle.spawn(async move {
                let _guard = guard;
                seen.store(this_thread(), Ordering::Relaxed);
                pending::<()>().await;
            });
            Self { handle, gone, driver, probe: probe.abort_handle(), own: None }
        }

        /// A small runtime of the runner's own.
        pub(crate) fn own(thread_name: &str) -> io::Result<Self> {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(THREADS)
                .thread_name(format!("{thread_name}-async"))
                .enable_all()
                .build()?;
            let mut watched = Self::watch(runtime.handle().clone());
            watched.own = Some(runtime);
            Ok(watched)
        }

        pub(crate) fn is_gone(&self) -> bool {
            self.gone.load(Ordering::Acquire)
        }

        pub(crate) fn handle(&self) -> &Handle {
            &self.handle
        }

        /// Whether this thread may be the only one that drives it.
        #[cfg(feature = "exit-hook")]
        pub(crate) fn may_be_driven_here(&self) -> bool {
            let driver = self.driver.load(Ordering::Relaxed);
            self.handle.runtime_flavor() == RuntimeFlavor::CurrentThread
                && (driver == 0 || driver == this_thread())
        }
    }

    impl Drop for Runtime {
        fn drop(&mut self) {
            self.probe.abort();
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

    pub(super) fn thread_count(handle: &Handle) -> usize {
        handle.metrics().num_workers()
    }

    fn flavor_here() -> Option<RuntimeFlavor> {
        Handle::try_current().ok().map(|handle| handle.runtime_flavor())
    }

    /// Whether this thread executes the tasks of a runtime. Threads of `spawn_blocking`, and those that have only
    /// entered a runtime, do not.
    ///
    /// A task that yields is woken later by the runtime that executes it. Outside of a runtime, it is woken at
    /// once, as tokio documents.
    fn executes_tasks() -> bool {
        struct Woken(AtomicBool);
        impl Wake for Woken {
            fn wake(self: Arc<Self>) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let woken = Arc::new(Woken(AtomicBool::new(false)));
        let waker = Waker::from(Arc::clone(&woken));
        let _ = pin!(yield_now()).poll(&mut Context::from_waker(&waker));
        !woken.0.load(Ordering::Relaxed)
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
        // Only a worker has to be replaced. Tokio refuses that if the thread executes the tasks of a
        // current-thread runtime and has entered another one. Asked beforehand, so that a panic of the wait
        // itself is shown, and reaches the caller.
        let is_allowed = flavor_here() == Some(RuntimeFlavor::MultiThread)
            && executes_tasks()
            && block_in_place(|| ()).is_some();
        if is_allowed { tokio::task::block_in_place(wait) } else { wait() }
    }

    pub(super) fn is_driven_by_this_thread(handle: &Handle) -> bool {
        Handle::try_current().is_ok_and(|here| here.id() == handle.id()) && is_only_thread()
    }

    pub(super) fn is_only_thread() -> bool {
        // A thread of `spawn_blocking` belongs to the runtime as well, but may block.
        flavor_here() == Some(RuntimeFlavor::CurrentThread) && executes_tasks()
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
    pub(crate) struct Handle {
        tasks: Arc<Mutex<Tasks>>,
        /// An owner for each task that has not ended.
        live: Arc<()>,
    }

    impl Handle {
        pub(crate) fn new() -> Self {
            Self { tasks: Arc::new(Mutex::new(Some(Vec::new()))), live: Arc::new(()) }
        }

        /// Tells whether every task has ended. At the end of a test, the checker drops tasks that have not, and
        /// a destructor must not wait for a lock then.
        #[cfg(test)]
        pub(crate) fn end_of_tasks(&self) -> impl Fn() -> bool + use<> {
            let live = Arc::downgrade(&self.live);
            move || live.strong_count() == 0
        }

        /// Drops every task, as a runtime does that shuts down.
        #[cfg(test)]
        pub(crate) fn shut_down(&self) {
            let tasks = std_lock(&self.tasks).take();
            tasks.into_iter().flatten().for_each(|task| task.abort());
        }
    }

    #[derive(Debug)]
    pub(crate) struct Runtime(Handle);

    impl Runtime {
        pub(crate) fn current() -> Option<Handle> {
            Some(Handle::new())
        }

        pub(crate) fn watch(handle: Handle) -> Self {
            Self(handle)
        }

        pub(crate) fn own(_: &str) -> io::Result<Self> {
            Ok(Self(Handle::new()))
        }

        pub(crate) fn is_gone(&self) -> bool {
            std_lock(&self.0.tasks).is_none()
        }

        pub(crate) fn handle(&self) -> &Handle {
            &self.0
        }

        #[cfg(feature = "exit-hook")]
        pub(crate) fn may_be_driven_here(&self) -> bool {
            false
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

    pub(super) fn is_only_thread() -> bool {
        false
    }

    /// Any task may run next.
    pub(super) fn thread_count(_: &Handle) -> usize {
        2
    }

    pub(super) fn spawn(handle: &Handle, task: impl Future<Output = ()> + Send + 'static) {
        if std_lock(&handle.tasks).is_none() {
            return drop(task);
        }
        let live = Arc::clone(&handle.live);
        let task = shuttle::future::spawn(async move {
            let _live = live;
            let task = task;
            task.await;
        });
        let mut tasks = std_lock(&handle.tasks);
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
mod tests;
