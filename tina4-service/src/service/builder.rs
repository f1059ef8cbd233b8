//! A service that is not known at compile time.

use std::any::type_name;
use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;
use std::time::Duration;

#[cfg(feature = "cron")]
use tina4_service_core::{Cron, Timezone};
use tina4_service_core::{Draft, Key, Restart, Spec, duration, name};

use crate::service::context::Context;
use crate::service::error_text::LONGEST;
use crate::service::outcome::{Exit, HookOutcome, Outcome};
use crate::service::registration::{Body, Built, ColdSettings, Definition, Settings};
use crate::sys::sync::{Mutex, lock};
use crate::text::bounded_text::bounded;

/// A service built at run time; the keys of `#[service]` are its methods.
///
/// Give it to [`register`](crate::register), then start it by name or with `start_all`. What is
/// wrong with a setting is reported by [`check`](crate::check), together with everything else and
/// with the line that called [`Service::new`].
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
#[must_use = "a service does nothing until it is given to `register`"]
pub struct Service {
    name: Cow<'static, str>,
    place: &'static Location<'static>,
    draft: Draft,
    body: Box<dyn Body>,
    cold: Option<Box<ColdSettings>>,
}

/// A function as the body of a service, and as what it was written.
struct Closure<F, W> {
    call: F,
    written: PhantomData<fn() -> W>,
}

impl<F: Fn(&Context) -> Exit + Send + Sync, W> Body for Closure<F, W> {
    fn call(&self, context: &Context) -> Exit {
        (self.call)(context)
    }

    fn path(&self) -> &'static str {
        type_name::<W>()
    }
}

/// A length of time: a [`Duration`], or a text such as `"1h 30m"`.
pub trait IntoDuration {
    /// Converts it.
    ///
    /// # Errors
    ///
    /// What is wrong with the text and what to write instead.
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
    /// A continuous service: called once, runs until it returns. Give it a schedule with
    /// [`Service::interval`], [`Service::delay`] or `cron`.
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
                written: PhantomData,
            }),
            cold: None,
        }
    }

    fn cold_mut(&mut self) -> &mut ColdSettings {
        self.cold.get_or_insert_default()
    }

    fn read(&mut self, key: Key, value: impl IntoDuration) -> Option<Duration> {
        value.into_duration().map_err(|problem| self.unreadable(key, problem)).ok()
    }

    fn unreadable(&mut self, key: Key, problem: impl fmt::Display) {
        self.draft.unreadable.push(key);
        let problem = bounded(LONGEST, format_args!("`{key}`: {problem}"));
        self.cold_mut().faults.push(problem);
    }

    /// Fixed rate: a grid of instants from the first start.
    pub fn interval(mut self, period: impl IntoDuration) -> Self {
        self.draft.interval = self.read(Key::Interval, period);
        self
    }

    /// Fixed delay: the pause between the end of a run and the next start.
    pub fn delay(mut self, pause: impl IntoDuration) -> Self {
        self.draft.delay = self.read(Key::Delay, pause);
        self
    }

    /// Calendar time: a cron expression of five fields, or of six with the second first. See
    /// [`Schedule::cron`](crate::Schedule::cron) for what it may say.
    #[cfg(feature = "cron")]
    pub fn cron(mut self, expression: impl AsRef<str>) -> Self {
        self.draft.cron = Cron::parse(expression.as_ref())
            .map_err(|problem| self.unreadable(Key::Cron, format_args!("{problem:#}")))
            .ok();
        self
    }

    /// The time zone of [`Service::cron`]: `"local"`, `"UTC"` or an IANA name. Default: `"local"`.
    #[cfg(feature = "cron")]
    pub fn timezone(mut self, name: impl AsRef<str>) -> Self {
        self.draft.timezone = Timezone::parse(name.as_ref())
            .map_err(|problem| self.unreadable(Key::Timezone, problem))
            .ok();
        self
    }

    /// A pause before the first run; not with `cron`. Default: none.
    pub fn initial_delay(mut self, pause: impl IntoDuration) -> Self {
        self.draft.initial_delay = self.read(Key::InitialDelay, pause);
        self
    }

    /// Each run starts up to this much late, by chance; the grid stays. Default: none.
    pub fn jitter(mut self, most: impl IntoDuration) -> Self {
        self.draft.jitter = self.read(Key::Jitter, most);
        self
    }

    /// A run that takes longer is reported as stuck. Default: none.
    pub fn timeout(mut self, limit: impl IntoDuration) -> Self {
        self.draft.timeout = self.read(Key::Timeout, limit);
        self
    }

    /// Whether to restart. Default: [`Restart::OnFailure`].
    pub fn restart(mut self, restart: Restart) -> Self {
        self.draft.restart = Some(restart);
        self
    }

    /// Restarts in a row (or in the [`Service::restart_window`]) before it fails. Default: no limit.
    pub fn max_restarts(mut self, limit: u32) -> Self {
        self.draft.max_restarts = Some(limit);
        self
    }

    /// Count restarts in this sliding window. Default: none, count those in a row.
    pub fn restart_window(mut self, window: impl IntoDuration) -> Self {
        self.draft.restart_window = self.read(Key::RestartWindow, window);
        self
    }

    /// The delay before the first restart in a row; it doubles from there. Default: 1 s.
    pub fn backoff(mut self, first: impl IntoDuration) -> Self {
        self.draft.backoff = self.read(Key::Backoff, first);
        self
    }

    /// The longest delay before a restart. Default: 60 s.
    pub fn max_backoff(mut self, longest: impl IntoDuration) -> Self {
        self.draft.max_backoff = self.read(Key::MaxBackoff, longest);
        self
    }

    /// How long stop waits for this service. Default: 10 s.
    pub fn stop_timeout(mut self, limit: impl IntoDuration) -> Self {
        self.draft.stop_timeout = self.read(Key::StopTimeout, limit);
        self
    }

    /// Start after the service of this name is up, stop before it. May be called again.
    pub fn after(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.cold_mut().after.push(name.into());
        self
    }

    /// Clean-up when an activation ends: the first registered, so the last to run.
    pub fn on_stop<R, F>(mut self, hook: F) -> Self
    where
        R: HookOutcome,
        F: Fn(&Context) -> R + Send + Sync + 'static,
    {
        self.cold_mut().on_stop = Some(Box::new(move |context| hook(context).into_result()));
        self
    }

    /// `false`: `start_all` leaves it, `start(name)` starts it. Default: `true`.
    pub fn autostart(mut self, autostart: bool) -> Self {
        self.draft.autostart = Some(autostart);
        self
    }

    /// `true`: if it fails for good, the whole runner shuts down. Default: `false`.
    pub fn critical(mut self, critical: bool) -> Self {
        self.draft.critical = Some(critical);
        self
    }

    /// Checks name and settings. Faults go along, for `check` to report.
    pub(crate) fn into_definition(mut self, recent: &SettingsCache) -> Definition {
        if let Err(error) = name::check(&self.name) {
            self.cold_mut().faults.push(error.to_string());
        }
        let Self { name, place, draft, body, cold } = self;
        let settings = match cold {
            None => recent.share(place, draft),
            Some(cold) => Arc::new(check(place, &draft, Some(cold))),
        };
        Definition::Built(Built { name, settings, body })
    }
}

/// Checks what was written. Where it has faults, they are among the extras.
fn check(
    place: &'static Location<'static>,
    draft: &Draft,
    mut cold: Option<Box<ColdSettings>>,
) -> Settings {
    let spec = draft.check().unwrap_or_else(|faults| {
        let known = &mut cold.get_or_insert_default().faults;
        known.extend(faults.iter().map(ToString::to_string));
        Spec::DEFAULT
    });
    Settings { place, spec, cold }
}

/// So many settings are remembered: as many lines or periods as a loop is likely to register.
const CAPACITY: usize = 8;

/// The last few settings that were found to be good, and what was written: the next service from the
/// same line often has the same, and then shares them. Those with extras belong to one service alone.
#[derive(Default)]
pub(crate) struct SettingsCache(Mutex<VecDeque<(Draft, Arc<Settings>)>>);

impl SettingsCache {
    /// The settings of a service without extras: those of one before it, or checked now.
    fn share(&self, place: &'static Location<'static>, draft: Draft) -> Arc<Settings> {
        let equal = |(known, settings): &&(Draft, Arc<Settings>)| {
            std::ptr::eq(settings.place, place) && *known == draft
        };
        if let Some((_, settings)) = lock(&self.0).iter().find(equal) {
            return Arc::clone(settings);
        }
        // Without the lock: it may take a while.
        let settings = Arc::new(check(place, &draft, None));
        if settings.cold.is_none() {
            let mut recent = lock(&self.0);
            recent.truncate(CAPACITY - 1);
            recent.push_front((draft, Arc::clone(&settings)));
        }
        settings
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

    /// It may come from an `IntoDuration` of the user's.
    #[test]
    fn rule_25_a_fault_is_short_however_long_the_text_is() {
        let recent = SettingsCache::default();
        let text = format!("1{}", "y".repeat(1_000_000));
        let definition = Service::new("s", |_| {}).interval(text).into_definition(&recent);
        let [fault] = definition.faults() else { panic!("{} faults", definition.faults().len()) };
        assert!(fault.starts_with("`interval`: unknown unit `yy") && fault.len() <= LONGEST);
        assert!(fault.ends_with("[cut off at 16 KiB]"));
    }

    /// However many a loop registers.
    #[test]
    fn few_settings_are_remembered() {
        let recent = SettingsCache::default();
        let known = |recent: &SettingsCache| lock(&recent.0).len();
        for hours in 1..=100 {
            let period = Duration::from_secs(3_600 * hours);
            Service::new("many", |_| {}).interval(period).into_definition(&recent);
        }
        assert_eq!(known(&recent), CAPACITY);
        // What has faults is not among them.
        let faulty = SettingsCache::default();
        let definition =
            Service::new("bad", |_| {}).interval(Duration::ZERO).into_definition(&faulty);
        assert_eq!((definition.faults().len(), known(&faulty)), (1, 0));
    }
}
