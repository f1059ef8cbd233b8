//! The builder of services at run time.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "cron")]
use tina4_service_core::{Anchor, Cron, Timezone};
use tina4_service_core::{Key, OnTimeout, Ready, Restart, Setting, duration, name};

use crate::service::body::{Body, Closure, FunctionBody};
use crate::service::context::Context;
use crate::service::definition::{Built, Definition};
use crate::service::deployment::Deployment;
use crate::service::error_text::MAX_TEXT_BYTES;
use crate::service::given_settings::GivenSettings;
use crate::service::outcome::{HookOutcome, Outcome};
use crate::service::params::callable::Callable;
use crate::service::params::function::Signature;
use crate::service::params::hook::{ClosureHook, OnStop};
use crate::service::params::kind::{HookReturns, Returns};
use crate::service::settings::{ColdSettings, Settings, SettingsCache};
use crate::sys::place::Place;
use crate::text::bounded_text::bounded;

#[cfg(feature = "queue")]
mod queue;

/// A service built at run time; the keys of `#[service]` are its methods.
///
/// [`Service::new`] takes a closure, and [`Service::of`] a function with the parameters of a declared
/// service. Pass the result to [`register`](crate::register), then start it by name or with
/// `start_all`. `register` refuses invalid settings, and names the place where `new` or `of` was called.
///
/// ```
/// use tina4_service::{Runner, Service};
///
/// let runner = Runner::new();
/// for shop in ["berlin", "oslo"] {
///     runner.register(
///         Service::new(format!("import-{shop}"), move |_ctx| println!("importing {shop}"))
///             .interval("10m")
///             .max_restarts(5),
///     ).unwrap();
/// }
/// assert_eq!(runner.check().unwrap().services().len(), 2);
/// ```
#[must_use = "a service does nothing until it is passed to `register`"]
pub struct Service {
    name: Cow<'static, str>,
    place: Place,
    given: GivenSettings,
    body: Box<dyn Body>,
    cold: Option<Box<ColdSettings>>,
}

/// A length of time: a [`Duration`], or a string such as `"1h 30m"`.
pub trait IntoDuration {
    /// Converts the value to a [`Duration`].
    ///
    /// # Errors
    ///
    /// The string is not a duration; the error says what to write instead.
    fn into_duration(self) -> Result<Duration, String>;
}

impl IntoDuration for Duration {
    fn into_duration(self) -> Result<Duration, String> {
        Ok(self)
    }
}

impl IntoDuration for &str {
    fn into_duration(self) -> Result<Duration, String> {
        duration::parse(self).map_err(|error| error.to_string())
    }
}

impl IntoDuration for String {
    fn into_duration(self) -> Result<Duration, String> {
        self.as_str().into_duration()
    }
}

impl Service {
    /// Creates a continuous service: its function is called and runs until it returns.
    ///
    /// Set another schedule with [`Service::interval`], [`Service::delay`] or `cron`.
    #[track_caller]
    pub fn new<R, F>(name: impl Into<Cow<'static, str>>, body: F) -> Self
    where
        R: Outcome,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        let body = Closure::<_, F> {
            call: move |context: &Context| body(context).into_exit(),
            original: PhantomData,
        };
        Self::with_body(name.into(), Location::caller(), Box::new(body))
    }

    /// Creates a continuous service from any function that `#[service]` accepts.
    ///
    /// The function takes up to eight parameters, in any order: [`&Context`](Context),
    /// [`Tick`](crate::Tick), [`Res<T>`](crate::Res), `Option<Res<T>>`, [`Local<T>`](crate::Local); with a queue,
    /// also one `Job<T>`. It
    /// returns `()`, [`Flow`](crate::Flow), `Result<(), E>`, `Result<Flow, E>` or `!`. With the feature
    /// `tokio`, it may be an `async fn`. A `Res<T>` that
    /// was not provided is reported by [`check`](crate::check), as for a declared service. A closure
    /// works, too, if its parameters have types: `|ctx: &Context, tick: Tick| ..`.
    ///
    /// Services that are created from one function have their own schedules, states and `Local` values.
    ///
    /// ```
    /// use tina4_service::{Context, Flow, Local, Res, Runner, Service};
    ///
    /// struct Prices(Vec<u32>);
    ///
    /// /// Imports one price per run.
    /// fn import(ctx: &Context, prices: Res<Prices>, mut next: Local<usize>) -> Flow {
    ///     let Some(price) = prices.0.get(*next) else { return Flow::Done };
    ///     println!("{}: {price}", ctx.name());
    ///     *next += 1;
    ///     Flow::Again
    /// }
    ///
    /// fn report(imported: Local<usize>) {
    ///     println!("{} prices imported", *imported);
    /// }
    ///
    /// let runner = Runner::new();
    /// runner.provide(Prices(vec![20, 30]));
    /// for shop in ["berlin", "oslo"] {
    ///     let name = format!("import-{shop}");
    ///     runner.register(Service::of(name, import).on_stop_of(report).interval("10m")).unwrap();
    /// }
    /// runner.start_all()?;
    /// runner.wait();
    /// assert!(runner.services().iter().all(|service| service.runs == 3));
    /// # Ok::<(), tina4_service::StartError>(())
    /// ```
    #[track_caller]
    pub fn of<M: 'static, K: 'static, F>(name: impl Into<Cow<'static, str>>, function: F) -> Self
    where
        F: Signature<M>,
        <F as Signature<M>>::Output: Returns<K>,
        F: Callable<M, K>,
        <F as Callable<M, K>>::Value: Outcome,
    {
        let body = FunctionBody { function, marker: PhantomData };
        Self::with_body(name.into(), Location::caller(), Box::new(body))
    }

    fn with_body(
        name: Cow<'static, str>,
        place: &'static Location<'static>,
        body: Box<dyn Body>,
    ) -> Self {
        let place = Place::from(place);
        Self { name, place, given: GivenSettings::default(), body, cold: None }
    }

    fn cold_mut(&mut self) -> &mut ColdSettings {
        self.cold.get_or_insert_default()
    }

    /// Stores a duration; if it cannot be read, records a fault.
    fn set_duration(
        &mut self,
        key: Key,
        value: impl IntoDuration,
        setting: fn(Duration) -> Setting,
    ) {
        match value.into_duration() {
            Ok(duration) => self.given.set(setting(duration)),
            Err(problem) => self.record_invalid(key, problem),
        }
    }

    fn record_invalid(&mut self, key: Key, problem: impl fmt::Display) {
        self.given.mark_unreadable(key);
        let problem = bounded(MAX_TEXT_BYTES, format_args!("`{key}`: {problem}"));
        self.cold_mut().faults.push(problem);
    }

    /// Fixed rate: the period from one due time to the next.
    ///
    /// Due times are counted from the start of the service, after its
    /// [`initial_delay`](Service::initial_delay), unless there is an `anchor`. A restart after a crash
    /// does not move them.
    pub fn interval(mut self, period: impl IntoDuration) -> Self {
        self.set_duration(Key::Interval, period, Setting::Interval);
        self
    }

    /// Fixed delay: the pause between the end of a run and the next start.
    pub fn delay(mut self, pause: impl IntoDuration) -> Self {
        self.set_duration(Key::Delay, pause, Setting::Delay);
        self
    }

    /// Calendar time: a cron expression with five fields, or with six.
    ///
    /// The first of six fields is for seconds. See [`Schedule::cron`](crate::Schedule::cron) for
    /// the syntax.
    #[cfg(feature = "cron")]
    pub fn cron(mut self, expression: impl AsRef<str>) -> Self {
        match Cron::parse(expression.as_ref()) {
            Ok(cron) => self.given.set(Setting::Cron(cron)),
            Err(problem) => self.record_invalid(Key::Cron, format_args!("{problem:#}")),
        }
        self
    }

    /// The time zone of [`Service::cron`] and [`Service::anchor`]. Default: `"local"`.
    ///
    /// It is `"local"`, `"UTC"` or an IANA name.
    #[cfg(feature = "cron")]
    pub fn timezone(mut self, name: impl AsRef<str>) -> Self {
        match Timezone::parse(name.as_ref()) {
            Ok(timezone) => self.given.set(Setting::Timezone(timezone)),
            Err(problem) => self.record_invalid(Key::Timezone, problem),
        }
        self
    }

    /// How long after its due time a run may begin, to share a wake-up with others. Default: that of
    /// the runner, [`Builder::tolerance`](crate::Builder::tolerance).
    ///
    /// It must be shorter than the interval, the delay, or the shortest time between two occurrences of
    /// `cron`.
    pub fn tolerance(mut self, tolerance: impl IntoDuration) -> Self {
        self.set_duration(Key::Tolerance, tolerance, Setting::Tolerance);
        self
    }

    /// Puts the due times of [`Service::interval`] on the wall clock. Default: none.
    ///
    /// `time` is a civil date and time, such as `"2026-01-02 09:00"`, or a time of day, such as
    /// `"00:00"`. Due times lie on the wall clock's grid through it, before it and after it, and the
    /// service does not run when it starts. See [`Schedule::anchored`](crate::Schedule::anchored) for
    /// the intervals that are possible, and for what happens when clocks change.
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// // Every second Friday at nine o'clock.
    /// runner.register(
    ///     Service::new("payroll", |_ctx| println!("paid"))
    ///         .interval("14d")
    ///         .anchor("2026-01-02 09:00")
    ///         .timezone("UTC"),
    /// ).unwrap();
    /// assert!(runner.check().is_ok());
    /// ```
    #[cfg(feature = "cron")]
    pub fn anchor(mut self, time: impl AsRef<str>) -> Self {
        match Anchor::parse(time.as_ref()) {
            Ok(anchor) => self.given.set(Setting::Anchor(anchor)),
            Err(problem) => self.record_invalid(Key::Anchor, problem),
        }
        self
    }

    /// A pause before the first run; not with `cron` or `anchor`. Default: none.
    pub fn initial_delay(mut self, pause: impl IntoDuration) -> Self {
        self.set_duration(Key::InitialDelay, pause, Setting::InitialDelay);
        self
    }

    /// Delays each run by a random time of up to `limit`. Default: none.
    ///
    /// The delays do not accumulate.
    pub fn jitter(mut self, limit: impl IntoDuration) -> Self {
        self.set_duration(Key::Jitter, limit, Setting::Jitter);
        self
    }

    /// A run that takes longer than this is reported as stuck. Default: none.
    pub fn timeout(mut self, limit: impl IntoDuration) -> Self {
        self.set_duration(Key::Timeout, limit, Setting::Timeout);
        self
    }

    /// What happens to a run that exceeds its [`Service::timeout`]. Default: [`OnTimeout::Report`].
    ///
    /// With [`OnTimeout::Cancel`], the run is asked to return, and counts as a crash once it has:
    ///
    /// ```
    /// use tina4_service::{OnTimeout, Runner, Service};
    ///
    /// let runner = Runner::new();
    /// let import = Service::new("import", |ctx| {
    ///     for _page in 1..=1000 {
    ///         if ctx.is_stopping() {
    ///             break;
    ///         }
    ///     }
    /// });
    /// runner.register(import.interval("10m").timeout("5m").on_timeout(OnTimeout::Cancel)).unwrap();
    /// assert!(runner.check().is_ok());
    /// ```
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.given.set(Setting::OnTimeout(on_timeout));
        self
    }

    /// When to restart the service. Default: [`Restart::OnFailure`].
    pub fn restart(mut self, restart: Restart) -> Self {
        self.given.set(Setting::Restart(restart));
        self
    }

    /// The maximum number of restarts in a row before the service fails. Default: no limit.
    ///
    /// With [`Service::restart_window`], the restarts inside the window are counted instead.
    pub fn max_restarts(mut self, limit: u32) -> Self {
        self.given.set(Setting::MaxRestarts(limit));
        self
    }

    /// Counts restarts in this sliding window. Default: none.
    ///
    /// Without a window, consecutive restarts are counted.
    pub fn restart_window(mut self, window: impl IntoDuration) -> Self {
        self.set_duration(Key::RestartWindow, window, Setting::RestartWindow);
        self
    }

    /// The delay before the first restart in a row. Default: 1 s.
    ///
    /// It doubles with each further restart.
    pub fn backoff(mut self, first: impl IntoDuration) -> Self {
        self.set_duration(Key::Backoff, first, Setting::Backoff);
        self
    }

    /// The longest delay before a restart. Default: 60 s.
    pub fn max_backoff(mut self, longest: impl IntoDuration) -> Self {
        self.set_duration(Key::MaxBackoff, longest, Setting::MaxBackoff);
        self
    }

    /// How long a stop waits for this service. Default: 10 s.
    ///
    /// Then it is abandoned or, if its function is async, dropped.
    pub fn stop_timeout(mut self, limit: impl IntoDuration) -> Self {
        self.set_duration(Key::StopTimeout, limit, Setting::StopTimeout);
        self
    }

    /// The name of a service that this one comes after.
    ///
    /// This service starts once that one is [ready](Service::ready), has ended, or has crashed in its
    /// first run. It is stopped before that one. Call this method once for each such service.
    pub fn after(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.cold_mut().after.push(name.into());
        self
    }

    /// The name of a service that must be ready before this one starts.
    ///
    /// Like [`Service::after`], except that this service is [blocked](crate::State::Blocked) while that one is
    /// not ready and has failed, was stopped, or was not started. It starts by itself
    /// when that one becomes ready after all. Call this method once for each such service.
    ///
    /// ```
    /// use tina4_service::{Ready, Runner, Service, State};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("migrations", |_| {}).ready(Ready::Finished).autostart(false)).unwrap();
    /// runner.register(Service::new("web", |_| {}).interval("1h").requires("migrations")).unwrap();
    /// runner.start_all().unwrap();
    /// assert_eq!(runner.status()["web"], State::Blocked);
    /// runner.start("migrations").unwrap();
    /// runner.wait_ready("web").unwrap();
    /// # runner.stop_all();
    /// ```
    pub fn requires(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.cold_mut().requires.push(name.into());
        self
    }

    /// When this service counts as ready, for services that depend on it.
    ///
    /// Default: with `interval` or `delay` once its first run has ended well; with `cron` once its first
    /// occurrence is planned; a continuous service once its first run has begun. A continuous service
    /// that another one names in [`after`](Service::after) or [`requires`](Service::requires) must say
    /// it.
    pub fn ready(mut self, ready: Ready) -> Self {
        self.given.set(Setting::Ready(ready));
        self
    }

    /// A hook that cleans up when an activation ends; it runs after all other hooks.
    ///
    /// It takes the context. [`Service::on_stop_of`] takes a function with other parameters. There is
    /// one such hook; the last call sets it.
    pub fn on_stop<R, F>(mut self, hook: F) -> Self
    where
        R: HookOutcome,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        let hook = ClosureHook(move |context: &Context| hook(context).into_result());
        self.cold_mut().on_stop = Some(Box::new(hook));
        self
    }

    /// Like [`Service::on_stop`], with any function that the key `on_stop` of `#[service]` accepts.
    ///
    /// The function takes the same parameters as that of a service, and returns `()`, `Result<(), E>`
    /// or `!`. The first `Local<T>` of the function and the first `Local<T>` of the hook are the same
    /// value; so are the second ones, and so on. See the example of [`Service::of`].
    pub fn on_stop_of<M: 'static, K: 'static, F>(mut self, function: F) -> Self
    where
        F: Signature<M>,
        <F as Signature<M>>::Output: HookReturns<K>,
        F: Callable<M, K>,
        <F as Callable<M, K>>::Value: HookOutcome,
    {
        self.cold_mut().on_stop = Some(Box::new(OnStop::new(function)));
        self
    }

    /// `false`: only `start(name)` starts the service, not `start_all`. Default: `true`.
    pub fn autostart(mut self, autostart: bool) -> Self {
        self.given.set(Setting::Autostart(autostart));
        self
    }

    /// `true`: if the service fails, the whole runner shuts down. Default: `false`.
    pub fn critical(mut self, critical: bool) -> Self {
        self.given.set(Setting::Critical(critical));
        self
    }

    /// The groups that the service belongs to, for the selection of services. Default: none.
    ///
    /// See [`Builder::only`](crate::Builder::only).
    ///
    /// ```
    /// use tina4_service::{Runner, Service};
    ///
    /// let runner = Runner::new();
    /// runner.register(Service::new("send", |_| {}).interval("1m").tags(["mail", "slow"])).unwrap();
    /// assert_eq!(runner.services()[0].tags, ["mail", "slow"]);
    /// ```
    pub fn tags<T: Into<Cow<'static, str>>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.cold_mut().tags = tags.into_iter().map(Into::into).collect();
        self
    }

    /// Validates the name and the settings, and applies the changes of the deployment. Faults are stored in
    /// the definition, for `register` and `check` to report.
    pub(crate) fn into_definition(
        mut self,
        cache: &SettingsCache,
        deployment: &Deployment,
    ) -> Definition {
        if let Err(error) = name::check(&self.name) {
            self.cold_mut().faults.push(error.to_string());
        }
        if self.cold.is_some() {
            self.check_tags();
        }
        let Self { name, place, given, body, cold } = self;
        let settings = match cold {
            None if deployment.changes_no_service() => cache.get(place, &given),
            cold => {
                let mut settings = Settings::new(place, given.draft(), cold);
                settings.apply(deployment, &name);
                // Without changes, it may share them after all.
                if settings.cold.is_none() { cache.get(place, &given) } else { Arc::new(settings) }
            }
        };
        Definition::Built(Built { name, settings, body })
    }

    fn check_tags(&mut self) {
        let cold = self.cold_mut();
        let mut seen = BTreeSet::new();
        for tag in &cold.tags {
            if let Err(problem) = name::check_tag(tag) {
                cold.faults
                    .push(bounded(MAX_TEXT_BYTES, format_args!("`{}`: {problem}", Key::Tags)));
            } else if !seen.insert(tag) {
                cold.faults
                    .push(format!("`{}`: `{tag}` is given more than once; keep one", Key::Tags));
            }
        }
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    /// The error of an `IntoDuration` may contain the whole input.
    #[test]
    fn rule_25_the_text_of_a_fault_is_bounded() {
        let cache = SettingsCache::default();
        let text = format!("1{}", "y".repeat(1_000_000));
        let service = Service::new("s", |_| {}).interval(text);
        let definition = service.into_definition(&cache, &Deployment::default());
        let [fault] = definition.faults() else { panic!("{} faults", definition.faults().len()) };
        assert!(fault.starts_with("`interval`: unknown unit `yy") && fault.len() <= MAX_TEXT_BYTES);
        assert!(fault.ends_with("[cut off at 16 KiB]"));
    }
}
