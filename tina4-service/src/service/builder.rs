//! The builder of services at run time.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "cron")]
use tina4_service_core::{Cron, Timezone};
use tina4_service_core::{Draft, Key, OnTimeout, Restart, duration, name};

use crate::service::context::Context;
use crate::service::definition::{Body, Built, Definition};
use crate::service::error_text::MAX_TEXT_BYTES;
use crate::service::outcome::{Exit, HookOutcome, Outcome};
use crate::service::settings::{ColdSettings, Settings, SettingsCache};
use crate::text::bounded_text::bounded;

/// A service built at run time; the keys of `#[service]` are its methods.
///
/// Pass it to [`register`](crate::register), then start it by name or with `start_all`. Invalid
/// settings are reported by [`check`](crate::check), together with all other faults and with the
/// place where [`Service::new`] was called.
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
///     );
/// }
/// assert_eq!(runner.check().unwrap().services().len(), 2);
/// ```
#[must_use = "a service does nothing until it is passed to `register`"]
pub struct Service {
    name: Cow<'static, str>,
    place: &'static Location<'static>,
    draft: Draft,
    body: Box<dyn Body>,
    cold: Option<Box<ColdSettings>>,
}

/// The body of a service: `call` wraps the user's function, whose type is `Original`.
struct Closure<F, Original> {
    call: F,
    original: PhantomData<fn() -> Original>,
}

impl<F: Fn(&Context) -> Exit + Send + Sync, Original> Body for Closure<F, Original> {
    fn call(&self, context: &Context) -> Exit {
        (self.call)(context)
    }

    fn path(&self) -> &'static str {
        type_name::<Original>()
    }
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
        Self {
            name: name.into(),
            place: Location::caller(),
            draft: Draft::default(),
            body: Box::new(Closure::<_, F> {
                call: move |context: &Context| body(context).into_exit(),
                original: PhantomData,
            }),
            cold: None,
        }
    }

    fn cold_mut(&mut self) -> &mut ColdSettings {
        self.cold.get_or_insert_default()
    }

    /// Converts the value of a key to a duration; if that fails, records a fault.
    fn parse_duration(&mut self, key: Key, value: impl IntoDuration) -> Option<Duration> {
        value.into_duration().map_err(|problem| self.record_invalid(key, problem)).ok()
    }

    fn record_invalid(&mut self, key: Key, problem: impl fmt::Display) {
        self.draft.unreadable.push(key);
        let problem = bounded(MAX_TEXT_BYTES, format_args!("`{key}`: {problem}"));
        self.cold_mut().faults.push(problem);
    }

    /// Fixed rate: the period from one due time to the next.
    ///
    /// Due times are counted from the start of the service, after its
    /// [`initial_delay`](Service::initial_delay). A restart after a crash does not move them.
    pub fn interval(mut self, period: impl IntoDuration) -> Self {
        self.draft.interval = self.parse_duration(Key::Interval, period);
        self
    }

    /// Fixed delay: the pause between the end of a run and the next start.
    pub fn delay(mut self, pause: impl IntoDuration) -> Self {
        self.draft.delay = self.parse_duration(Key::Delay, pause);
        self
    }

    /// Calendar time: a cron expression with five fields, or with six.
    ///
    /// The first of six fields is for seconds. See [`Schedule::cron`](crate::Schedule::cron) for
    /// the syntax.
    #[cfg(feature = "cron")]
    pub fn cron(mut self, expression: impl AsRef<str>) -> Self {
        self.draft.cron = Cron::parse(expression.as_ref())
            .map_err(|problem| self.record_invalid(Key::Cron, format_args!("{problem:#}")))
            .ok();
        self
    }

    /// The time zone of [`Service::cron`]: `"local"`, `"UTC"` or an IANA name. Default: `"local"`.
    #[cfg(feature = "cron")]
    pub fn timezone(mut self, name: impl AsRef<str>) -> Self {
        self.draft.timezone = Timezone::parse(name.as_ref())
            .map_err(|problem| self.record_invalid(Key::Timezone, problem))
            .ok();
        self
    }

    /// A pause before the first run; not with `cron`. Default: none.
    pub fn initial_delay(mut self, pause: impl IntoDuration) -> Self {
        self.draft.initial_delay = self.parse_duration(Key::InitialDelay, pause);
        self
    }

    /// Delays each run by a random time of up to `limit`. Default: none.
    ///
    /// The delays do not accumulate.
    pub fn jitter(mut self, limit: impl IntoDuration) -> Self {
        self.draft.jitter = self.parse_duration(Key::Jitter, limit);
        self
    }

    /// A run that takes longer than this is reported as stuck. Default: none.
    pub fn timeout(mut self, limit: impl IntoDuration) -> Self {
        self.draft.timeout = self.parse_duration(Key::Timeout, limit);
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
    /// runner.register(import.interval("10m").timeout("5m").on_timeout(OnTimeout::Cancel));
    /// assert!(runner.check().is_ok());
    /// ```
    pub fn on_timeout(mut self, on_timeout: OnTimeout) -> Self {
        self.draft.on_timeout = Some(on_timeout);
        self
    }

    /// When to restart the service. Default: [`Restart::OnFailure`].
    pub fn restart(mut self, restart: Restart) -> Self {
        self.draft.restart = Some(restart);
        self
    }

    /// The maximum number of restarts in a row before the service fails. Default: no limit.
    ///
    /// With [`Service::restart_window`], the restarts inside the window are counted instead.
    pub fn max_restarts(mut self, limit: u32) -> Self {
        self.draft.max_restarts = Some(limit);
        self
    }

    /// Counts restarts in this sliding window. Default: none.
    ///
    /// Without a window, consecutive restarts are counted.
    pub fn restart_window(mut self, window: impl IntoDuration) -> Self {
        self.draft.restart_window = self.parse_duration(Key::RestartWindow, window);
        self
    }

    /// The delay before the first restart in a row. Default: 1 s.
    ///
    /// It doubles with each further restart.
    pub fn backoff(mut self, first: impl IntoDuration) -> Self {
        self.draft.backoff = self.parse_duration(Key::Backoff, first);
        self
    }

    /// The longest delay before a restart. Default: 60 s.
    pub fn max_backoff(mut self, longest: impl IntoDuration) -> Self {
        self.draft.max_backoff = self.parse_duration(Key::MaxBackoff, longest);
        self
    }

    /// How long a stop waits for this service. Default: 10 s.
    pub fn stop_timeout(mut self, limit: impl IntoDuration) -> Self {
        self.draft.stop_timeout = self.parse_duration(Key::StopTimeout, limit);
        self
    }

    /// The name of a service that must be up first.
    ///
    /// This service is stopped before that one. Call this method once for each such service.
    pub fn after(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.cold_mut().after.push(name.into());
        self
    }

    /// A hook that cleans up when an activation ends; it runs after all other hooks.
    pub fn on_stop<R, F>(mut self, hook: F) -> Self
    where
        R: HookOutcome,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        self.cold_mut().on_stop = Some(Box::new(move |context| hook(context).into_result()));
        self
    }

    /// `false`: only `start(name)` starts the service, not `start_all`. Default: `true`.
    pub fn autostart(mut self, autostart: bool) -> Self {
        self.draft.autostart = Some(autostart);
        self
    }

    /// `true`: if the service fails, the whole runner shuts down. Default: `false`.
    pub fn critical(mut self, critical: bool) -> Self {
        self.draft.critical = Some(critical);
        self
    }

    /// Validates the name and the settings. Faults are stored in the definition, for `check` to report.
    pub(crate) fn into_definition(mut self, cache: &SettingsCache) -> Definition {
        if let Err(error) = name::check(&self.name) {
            self.cold_mut().faults.push(error.to_string());
        }
        let Self { name, place, draft, body, cold } = self;
        let settings = match cold {
            None => cache.get(place, draft),
            Some(cold) => Arc::new(Settings::new(place, &draft, Some(cold))),
        };
        Definition::Built(Built { name, settings, body })
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
        let definition = Service::new("s", |_| {}).interval(text).into_definition(&cache);
        let [fault] = definition.faults() else { panic!("{} faults", definition.faults().len()) };
        assert!(fault.starts_with("`interval`: unknown unit `yy") && fault.len() <= MAX_TEXT_BYTES);
        assert!(fault.ends_with("[cut off at 16 KiB]"));
    }
}
