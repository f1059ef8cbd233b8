//! The tokio runtime of the test kit: one thread drives it, on request, and its clock is paused.
//!
//! tokio's own test clock does most of the work: while no task can make progress, it jumps to the next
//! timer. The hooks of the runtime say when that happens. [`PausedRuntime::settle`] returns when the
//! thread is about to park, so the clock does not jump; [`PausedRuntime::advance`] lets it jump, and
//! returns as soon as the tasks that woke have settled.

use std::future::{Future, poll_fn};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::time::Instant;

use crate::sys::sync::std_lock;

/// How often the thread is about to park before the tasks count as settled. In between, the runtime looks
/// for timers that are due, which may wake tasks.
const PARKS: u32 = 3;

/// A runtime whose clock advances only as far as it is told to.
pub(crate) struct PausedRuntime {
    /// `None` once it has been shut down.
    runtime: Option<Runtime>,
    origin: Instant,
    hooks: Arc<Hooks>,
}

/// What the hooks of the runtime and its driver tell each other.
struct Hooks {
    /// For how many more parks the driver continues; 0: it is to return.
    parks_left: AtomicU32,
    /// Whether parks count yet: in `advance`, only after the clock had the chance to jump.
    is_counting: AtomicBool,
    /// The waker of the driver's future.
    driver: Mutex<Option<Waker>>,
    origin: OnceLock<Instant>,
    /// Called with the time since the origin, whenever it may have advanced and before any task sees it.
    on_time: Box<dyn Fn(Duration) + Send + Sync>,
}

impl Hooks {
    fn before_park(&self) {
        if !self.is_counting.load(Ordering::Relaxed) {
            return;
        }
        let left = self.parks_left.load(Ordering::Relaxed);
        self.parks_left.store(left.saturating_sub(1), Ordering::Relaxed);
        self.wake_driver();
    }

    fn after_unpark(&self) {
        if let Some(origin) = self.origin.get() {
            (self.on_time)(Instant::now().saturating_duration_since(*origin));
        }
        self.is_counting.store(true, Ordering::Relaxed);
    }

    fn wake_driver(&self) {
        let waker = std_lock(&self.driver).take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Completes once the thread was about to park often enough.
    async fn parked(&self) {
        poll_fn(|cx| {
            if self.parks_left.load(Ordering::Relaxed) == 0 {
                return Poll::Ready(());
            }
            *std_lock(&self.driver) = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl PausedRuntime {
    /// `on_time` is called with the time since the creation, before any task sees that time.
    pub(crate) fn new(on_time: impl Fn(Duration) + Send + Sync + 'static) -> io::Result<Self> {
        let hooks = Arc::new(Hooks {
            parks_left: AtomicU32::new(0),
            is_counting: AtomicBool::new(false),
            driver: Mutex::new(None),
            origin: OnceLock::new(),
            on_time: Box::new(on_time),
        });
        let (before, after) = (Arc::clone(&hooks), Arc::clone(&hooks));
        let runtime = Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .on_thread_park(move || before.before_park())
            .on_thread_unpark(move || after.after_unpark())
            .build()?;
        let origin = {
            let _entered = runtime.enter();
            Instant::now()
        };
        let _ = hooks.origin.set(origin);
        Ok(Self { runtime: Some(runtime), origin, hooks })
    }

    pub(crate) fn handle(&self) -> &Handle {
        self.running().handle()
    }

    fn running(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is shut down only when it is dropped")
    }

    /// Whether there are tasks besides `own` ones.
    pub(crate) fn has_tasks(&self, own: usize) -> bool {
        self.handle().metrics().num_alive_tasks() > own
    }

    /// Lets the tasks run until none of them can make progress `now`, the time since the creation.
    pub(crate) fn settle(&self, now: Duration) {
        self.drive(PARKS, true, async {
            let behind = self.tick(now).saturating_duration_since(Instant::now());
            if !behind.is_zero() {
                tokio::time::advance(behind).await;
            }
            self.hooks.parked().await;
        });
    }

    /// Lets time pass until a timer wakes a task, or something outside of the runtime does, but no longer
    /// than until `limit`. Returns whether it got there.
    pub(crate) fn advance(&self, limit: Option<Duration>) -> bool {
        let limit = limit.map(|limit| self.tick(limit));
        if limit.is_some_and(|limit| self.drive(0, false, async { Instant::now() >= limit })) {
            return true;
        }
        self.drive(1, false, async {
            let mut parked = std::pin::pin!(self.hooks.parked());
            match limit {
                Some(limit) => {
                    let mut sleep = std::pin::pin!(tokio::time::sleep_until(limit));
                    poll_fn(|cx| {
                        if sleep.as_mut().poll(cx).is_ready() {
                            return Poll::Ready(true);
                        }
                        parked.as_mut().poll(cx).map(|()| false)
                    })
                    .await
                }
                None => {
                    parked.await;
                    false
                }
            }
        })
    }

    /// Makes a thread in [`PausedRuntime::settle`] or [`PausedRuntime::advance`] return.
    pub(crate) fn interrupt(&self) {
        self.hooks.parks_left.store(0, Ordering::Relaxed);
        self.hooks.wake_driver();
    }

    fn drive<T>(&self, parks: u32, is_counting: bool, driver: impl Future<Output = T>) -> T {
        self.hooks.parks_left.store(parks, Ordering::Relaxed);
        self.hooks.is_counting.store(is_counting, Ordering::Relaxed);
        self.running().block_on(driver)
    }

    /// The instant of tokio's clock for this time. Its timers have no finer resolution than a millisecond.
    fn tick(&self, since_origin: Duration) -> Instant {
        let millis = u64::try_from(since_origin.as_millis()).unwrap_or(u64::MAX);
        self.origin.checked_add(Duration::from_millis(millis)).unwrap_or(self.origin)
    }
}

/// Drops the tasks. Not with the destructor of the runtime, which panics inside another runtime.
impl Drop for PausedRuntime {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
