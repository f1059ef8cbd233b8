//! The running service's view of its runner.

#[cfg(feature = "tokio")]
use std::future::{Future, poll_fn};
use std::panic::Location;
#[cfg(feature = "tokio")]
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
#[cfg(feature = "tokio")]
use std::task::Poll;
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;

use crate::service::host::Host;
use crate::service::outcome::HookOutcome;
use crate::service::registered_hooks::RegisteredHook;
#[cfg(feature = "tokio")]
use crate::service::stop_wait::StopWait;
use crate::service::tick::Tick;
use crate::sys::log_target::LOG_TARGET;
use crate::sys::stop_flag::Never;
use crate::time::virtual_clock::IsStopping;
use crate::time::wall::wall_time;
use tina4_service_core::{Nanos, nanos};

/// The running service's view of its runner: stop requests, sleep, clean-up.
///
/// ```
/// use std::time::Duration;
/// use tina4_service::Context;
///
/// /// Polls the sensor until the service is asked to stop.
/// fn watch(ctx: &Context) {
///     while ctx.sleep(Duration::from_millis(1)) {
///         # break;
///     }
/// }
/// watch(&Context::standalone("watch"));
/// ```
#[derive(Debug)]
pub struct Context {
    host: Arc<dyn Host>,
    run: RunInfo,
    stopping: OnceLock<Receiver<Never>>,
}

/// The [`RunInfo::occurrence`] of a run that is not for an occurrence.
pub(crate) const NO_OCCURRENCE: i64 = i64::MIN;

/// The number and the times of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunInfo {
    /// The number of the run, counted from 1 since the service was added to its runner.
    pub(crate) number: u64,
    /// 1, plus one for each crash in a row before this run.
    pub(crate) attempt: u32,
    /// When the run was due.
    pub(crate) due: Nanos,
    /// The occurrence of this run, in seconds since 1970 UTC, or [`NO_OCCURRENCE`]. A
    /// sentinel, because an `Option` would make every work item larger.
    pub(crate) occurrence: i64,
    /// How late the run began, beyond its tolerance.
    pub(crate) lateness: Nanos,
}

impl Context {
    #[inline]
    pub(crate) fn new(host: Arc<dyn Host>, run: RunInfo) -> Self {
        Self { host, run, stopping: OnceLock::new() }
    }

    #[inline]
    pub(crate) fn host(&self) -> &Arc<dyn Host> {
        &self.host
    }

    #[inline]
    pub(crate) fn into_host(self) -> Arc<dyn Host> {
        let Self { host, run: _, stopping } = self;
        if stopping.get().is_none() {
            // perf: nothing to drop in most runs, but the compiler does not inline the check.
            std::mem::forget(stopping);
        }
        host
    }

    pub(crate) fn run_info(&self) -> RunInfo {
        self.run
    }

    /// A context of the same run, for its task.
    #[cfg(feature = "tokio")]
    pub(crate) fn of_task(&self) -> Self {
        Self::new(Arc::clone(&self.host), self.run)
    }

    /// Records that a task begins to execute the run now, which was handed over to the runtime at `queued`.
    #[cfg(feature = "tokio")]
    pub(crate) fn begin_task(&mut self, queued: Nanos) {
        let delay = self.host.clock().now().saturating_sub(queued);
        self.run.lateness = self.run.lateness.saturating_add(delay);
    }

    /// How late the run began.
    pub(crate) fn lateness(&self) -> Duration {
        Duration::from_nanos(self.run.lateness)
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.host.name()
    }

    /// Whether this service has been asked to stop.
    ///
    /// If so, the function should finish the current piece of work and return. This also applies to a
    /// run that was cancelled, because it exceeded its `timeout` and has `on_timeout = "cancel"`: it is
    /// to return, and the service starts again after the backoff.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.host.is_stopping()
    }

    /// [`Context::is_stopping`], as a function that a virtual clock can call.
    fn stop_check(&self) -> IsStopping {
        let host = Arc::clone(&self.host);
        Arc::new(move || host.is_stopping())
    }

    /// Sleeps for `duration`, or until stop is requested or the run is cancelled.
    ///
    /// `false` means that the function should return: see [`Context::is_stopping`].
    #[must_use = "`false` means that the service was asked to stop"]
    pub fn sleep(&self, duration: Duration) -> bool {
        let clock = self.host.clock();
        let until = clock.now().saturating_add(nanos(duration));
        clock.sleep_until(until, || self.stop_check(), self.stop_receiver())
    }

    /// A receiver that becomes ready (disconnected) when stop is requested or the run is cancelled.
    ///
    /// It is meant for `crossbeam_channel::select!`.
    ///
    /// ```
    /// # let ctx = tina4_service::Context::standalone("orders");
    /// # let (sender, orders) = crossbeam_channel::bounded(1);
    /// # sender.send("order 7").unwrap();
    /// crossbeam_channel::select! {
    ///     recv(orders) -> order => println!("{order:?}"),
    ///     recv(ctx.stopping()) -> _ => println!("asked to stop"),
    /// }
    /// ```
    #[must_use]
    pub fn stopping(&self) -> &Receiver<Never> {
        if let Some(clock) = self.host.clock().as_virtual() {
            Arc::clone(clock).detach(self.stop_check());
        }
        self.stop_receiver()
    }

    fn stop_receiver(&self) -> &Receiver<Never> {
        self.stopping.get_or_init(|| self.host.stopping())
    }

    /// Completes when stop is requested, in an async function.
    ///
    /// The future borrows nothing, so it can be passed on, such as to axum's `with_graceful_shutdown`.
    ///
    /// ```
    /// # async fn example(ctx: &tina4_service::Context, orders: &mut tokio::sync::mpsc::Receiver<u32>) {
    /// tokio::select! {
    ///     order = orders.recv() => println!("{order:?}"),
    ///     () = ctx.stopped() => println!("asked to stop"),
    /// }
    /// # }
    /// ```
    #[cfg(feature = "tokio")]
    pub fn stopped(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        StopWait::new(Arc::clone(&self.host))
    }

    /// [`Context::sleep`] for an async function: it blocks no thread.
    ///
    /// `false` means that the function should return: see [`Context::is_stopping`]. It needs a runtime
    /// with a timer, as every runtime with `enable_all` has; the timer counts in milliseconds.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Context, service};
    ///
    /// #[service]
    /// async fn poll(ctx: &Context) {
    ///     while ctx.sleep_async(Duration::from_secs(1)).await {
    ///         println!("polling");
    ///     }
    /// }
    /// ```
    #[cfg(feature = "tokio")]
    #[must_use = "`false` means that the service was asked to stop"]
    pub async fn sleep_async(&self, duration: Duration) -> bool {
        let clock = self.host.clock();
        let until = clock.now().saturating_add(nanos(duration));
        let mut sleep = pin!(clock.sleep_async(until));
        let mut stop = StopWait::new(Arc::clone(&self.host));
        poll_fn(|cx| match Pin::new(&mut stop).poll(cx) {
            Poll::Ready(()) => Poll::Ready(()),
            Poll::Pending => sleep.as_mut().poll(cx),
        })
        .await;
        !self.is_stopping()
    }

    /// Registers a hook that runs once when this activation ends, after the last run.
    ///
    /// It runs whether the service is stopped, finishes or fails; restarts after a crash do not
    /// end the activation. The hook registered last runs first. A hook registered again by the same
    /// call in the source (file, line and column) replaces the old one, so a body that is restarted
    /// may simply register it again. A hook may return `()` or `Result<(), E>`, or have the return
    /// type `!`; an error or a panic is reported, and the other hooks still run.
    #[track_caller]
    pub fn on_stop<R: HookOutcome>(&self, hook: impl FnOnce() -> R + Send + 'static) {
        let hook = Box::new(move || hook().into_result());
        let replaced = self.host.add_hook(RegisteredHook { place: Location::caller(), hook });
        drop(replaced);
    }

    /// Reports that this run is alive, which restarts its `timeout`.
    ///
    /// It does not undo a cancellation: see the key `on_timeout`.
    pub fn heartbeat(&self) {
        self.host.heartbeat();
    }

    /// Reports that this service is ready, for the services that depend on it.
    ///
    /// It needs `ready = "notified"` in the attribute; without it, it has no effect and logs a warning.
    /// A service that is ready stays ready until it is stopped or fails. More calls have no effect, nor
    /// has one that comes after the service was asked to stop.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tina4_service::{Context, service};
    ///
    /// #[service(ready = "notified")]
    /// fn cache(ctx: &Context) {
    ///     println!("filling the cache");
    ///     ctx.ready();
    ///     while ctx.sleep(Duration::from_secs(60)) {
    ///         println!("refreshing the cache");
    ///     }
    /// }
    ///
    /// #[service(interval = "1s", requires = [cache])]
    /// fn answer() {}
    /// ```
    pub fn ready(&self) {
        self.host.ready();
    }

    /// Calls `work` inside a [`tracing`] span, and returns its result.
    ///
    /// The span is called `work`, and has the fields `service` (the service's name), `name` and `run`
    /// (the number of the run). It is entered while `work` runs.
    ///
    /// It is meant for continuous services, which have no span of their own: a span as long as such a
    /// run would be useless, because most tracing backends see a span only once it is closed. Log lines
    /// outside of `work` can have a field `service = ctx.name()`, like the runner's own lines about the
    /// service. In a run of a service with a schedule, the span is inside that of the run.
    ///
    /// ```
    /// use tina4_service::{Context, service};
    ///
    /// #[service]
    /// fn consumer(ctx: &Context) {
    ///     # let (sender, orders) = crossbeam_channel::bounded(1);
    ///     # sender.send(7).unwrap();
    ///     # drop(sender);
    ///     for order in &orders {
    ///         ctx.work("order", || tracing::info!(order, "shipped"));
    ///     }
    /// }
    /// consumer(&Context::standalone("consumer"));
    /// ```
    pub fn work<T>(&self, name: &str, work: impl FnOnce() -> T) -> T {
        self.work_span(name).in_scope(work)
    }

    /// [`Context::work`] for an async function: the span is entered in every poll of `work`, and only
    /// then.
    ///
    /// ```
    /// use tina4_service::{Context, service};
    ///
    /// #[service]
    /// async fn consumer(ctx: &Context) {
    ///     # async fn ship(order: u32) {}
    ///     for order in 1..=3 {
    ///         ctx.work_async("order", ship(order)).await;
    ///     }
    /// }
    /// ```
    #[cfg(feature = "tokio")]
    pub async fn work_async<W: Future>(&self, name: &str, work: W) -> W::Output {
        let span = self.work_span(name);
        let mut work = pin!(work);
        poll_fn(|cx| span.in_scope(|| work.as_mut().poll(cx))).await
    }

    fn work_span(&self, name: &str) -> tracing::Span {
        // A subscriber may block, and nothing may block the end of the process.
        if self.host.is_exiting() {
            tracing::Span::none()
        } else {
            tracing::info_span!(
                target: LOG_TARGET,
                "work",
                service = self.name(),
                name,
                run = self.run.number
            )
        }
    }

    /// The run's number, its due time, and how late it began.
    #[must_use]
    pub fn tick(&self) -> Tick {
        let RunInfo { number, attempt, due, occurrence, lateness: _ } = self.run;
        Tick {
            run: number,
            attempt,
            due: Some(occurrence)
                .filter(|occurrence| *occurrence != NO_OCCURRENCE)
                .and_then(wall_time)
                .unwrap_or_else(|| self.wall_at(due)),
            lateness: self.lateness(),
        }
    }

    fn wall_at(&self, instant: Nanos) -> SystemTime {
        self.host.clock().wall_at(instant)
    }
}
