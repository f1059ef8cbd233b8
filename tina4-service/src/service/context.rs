//! What a running service sees of its runner.

use std::panic::Location;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use crossbeam_channel::Receiver;

use crate::service::builder::{Service, SettingsCache};
use crate::service::instance::{Environment, Instance, Registered};
use crate::service::outcome::HookOutcome;
use crate::service::params::Tick;
use crate::time::virtual_clock::IsStopping;
use crate::time::wall::wall_time;
use tina4_service_core::{Nanos, nanos};

/// A value that never comes: the message type of [`Context::stopping`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

/// The running service's view of its runner: is it asked to stop, sleep, clean up.
///
/// ```
/// use std::time::Duration;
/// use tina4_service::Context;
///
/// /// Looks at the sensor until it is asked to stop.
/// fn watch(ctx: &Context) {
///     while ctx.sleep(Duration::from_millis(1)) {
///         # break;
///     }
/// }
/// watch(&Context::standalone("watch"));
/// ```
#[derive(Debug)]
pub struct Context {
    instance: Arc<Instance>,
    order: RunInfo,
    stopping: OnceLock<Receiver<Never>>,
}

/// Which run this is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RunInfo {
    pub(crate) number: u64,
    pub(crate) attempt: u32,
    pub(crate) due: Nanos,
    /// The calendar time it is for, in seconds since 1970 UTC, if it is for one.
    pub(crate) date: Option<i64>,
    pub(crate) started: Nanos,
}

impl Context {
    #[inline]
    pub(crate) fn new(instance: Arc<Instance>, order: RunInfo) -> Self {
        Self { instance, order, stopping: OnceLock::new() }
    }

    /// Gives the instance back.
    #[inline]
    pub(crate) fn into_instance(self) -> Arc<Instance> {
        self.instance
    }

    /// A context that belongs to no runner, to call a service's function by hand in a test.
    ///
    /// It is never asked to stop, sleeps in real time, and drops its clean-ups without running
    /// them.
    #[must_use]
    #[track_caller]
    pub fn standalone(name: &str) -> Self {
        let service = Service::new(name.to_owned(), |_| {});
        let definition = service.into_definition(&SettingsCache::default());
        let env = Environment::default();
        let now = env.clock.now();
        let instance = Instance::new(definition, 0, Arc::new(env));
        Self::new(
            Arc::new(instance),
            RunInfo { number: 1, attempt: 1, due: now, date: None, started: now },
        )
    }

    pub(crate) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    pub(crate) fn order(&self) -> RunInfo {
        self.order
    }

    /// How late it began.
    pub(crate) fn lateness(&self) -> Duration {
        Duration::from_nanos(self.order.started.saturating_sub(self.order.due))
    }

    /// The service's name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.instance.definition.name_str()
    }

    /// Whether this service has been asked to stop: finish what you are at, and return.
    #[must_use]
    pub fn is_stopping(&self) -> bool {
        self.instance.stop_requested()
    }

    /// [`Context::is_stopping`], for somebody else to ask.
    fn is_stopping_later(&self) -> IsStopping {
        let instance = Arc::clone(&self.instance);
        Arc::new(move || instance.stop_requested())
    }

    /// Sleeps for `duration`, or until stop is requested; `false`: leave now.
    #[must_use = "`false` means that the service was asked to stop"]
    pub fn sleep(&self, duration: Duration) -> bool {
        let clock = &self.instance.env.clock;
        let until = clock.now().saturating_add(nanos(duration));
        clock.sleep_until(until, || self.is_stopping_later(), self.stop_receiver())
    }

    /// Becomes ready (disconnected) when stop is requested; for `crossbeam_channel::select!`.
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
        if let Some(clock) = self.instance.env.clock.as_virtual() {
            Arc::clone(clock).detach(self.is_stopping_later());
        }
        self.stop_receiver()
    }

    fn stop_receiver(&self) -> &Receiver<Never> {
        self.stopping.get_or_init(|| self.instance.stopping())
    }

    /// Has `hook` run once when this activation ends: after the last run, last registered first.
    ///
    /// It runs whether the service is stopped, finishes or fails; restarts after a crash do not
    /// end the activation. A hook registered again from the same source line replaces the old one,
    /// so a body that is restarted may simply register again. It may return `()` or
    /// `Result<(), E>`, or never; an error or a panic is reported, and the other hooks still run.
    #[track_caller]
    pub fn on_stop<R: HookOutcome>(&self, hook: impl FnOnce() -> R + Send + 'static) {
        let hook = Box::new(move || hook().into_result());
        let replaced = self.instance.add_hook(Registered { place: Location::caller(), hook });
        drop(replaced);
    }

    /// Says that this run is alive: the time of the key `timeout` starts again.
    pub fn heartbeat(&self) {
        self.instance.beat();
    }

    /// Which run this is, when it was due, how late it began.
    #[must_use]
    pub fn tick(&self) -> Tick {
        let RunInfo { number, attempt, due, date, started: _ } = self.order;
        Tick {
            run: number,
            attempt,
            due: date.and_then(wall_time).unwrap_or_else(|| self.wall_at(due)),
            lateness: self.lateness(),
        }
    }

    fn wall_at(&self, instant: Nanos) -> SystemTime {
        self.instance.env.clock.wall_at(instant)
    }
}
