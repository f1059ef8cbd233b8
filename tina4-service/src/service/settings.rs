//! The settings of a service built at run time, and a cache through which services with equal settings
//! share them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;

use tina4_service_core::{Draft, Spec};

use crate::service::params::hook::DynHook;
use crate::sys::panics;
use crate::sys::sync::{Mutex, lock};

/// The settings of a service built at run time. Services built by the same call in the source with
/// equal settings share them.
pub(crate) struct Settings {
    pub(crate) place: &'static Location<'static>,
    pub(crate) spec: Spec,
    /// Boxed, because few services have any. Settings with this part are never shared.
    pub(crate) cold: Option<Box<ColdSettings>>,
}

/// The settings that few services have.
#[derive(Default)]
pub(crate) struct ColdSettings {
    pub(crate) after: Vec<Cow<'static, str>>,
    pub(crate) requires: Vec<Cow<'static, str>>,
    pub(crate) on_stop: Option<Box<dyn DynHook>>,
    /// The faults in the settings, for `register` to report.
    pub(crate) faults: Vec<String>,
}

/// As for the body of the service: a panic in a destructor must not leave the last owner's thread.
impl Drop for ColdSettings {
    fn drop(&mut self) {
        let on_stop = self.on_stop.take();
        let _ = panics::catch(|| drop(on_stop));
    }
}

impl Settings {
    /// Validates the draft. Its faults are stored in `cold`, for `register` to report.
    pub(crate) fn new(
        place: &'static Location<'static>,
        draft: &Draft,
        mut cold: Option<Box<ColdSettings>>,
    ) -> Self {
        let spec = draft.check().unwrap_or_else(|faults| {
            let known = &mut cold.get_or_insert_default().faults;
            known.extend(faults.iter().map(ToString::to_string));
            Spec::DEFAULT
        });
        Self { place, spec, cold }
    }

    pub(crate) fn on_stop(&self) -> Option<&(dyn DynHook + 'static)> {
        self.cold.as_ref()?.on_stop.as_deref()
    }
}

/// How many settings are cached: enough for a loop that registers services with a few different
/// settings.
const CAPACITY: usize = 8;

/// The last few valid settings, with the drafts that they came from.
///
/// A loop that registers many services calls the builder at the same place, often with the same
/// values: those services share one allocation. Settings with a cold part are not cached.
#[derive(Default)]
pub(crate) struct SettingsCache(Mutex<VecDeque<(Draft, Arc<Settings>)>>);

impl fmt::Debug for SettingsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsCache").finish_non_exhaustive()
    }
}

impl SettingsCache {
    /// The settings for a draft without a cold part: from the cache, or validated now.
    pub(crate) fn get(&self, place: &'static Location<'static>, draft: Draft) -> Arc<Settings> {
        let equal = |(known, settings): &&(Draft, Arc<Settings>)| {
            std::ptr::eq(settings.place, place) && *known == draft
        };
        if let Some((_, settings)) = lock(&self.0).iter().find(equal) {
            return Arc::clone(settings);
        }
        // Validates without holding the lock, because that may take a while.
        let settings = Arc::new(Settings::new(place, &draft, None));
        if settings.cold.is_none() {
            let mut recent = lock(&self.0);
            recent.truncate(CAPACITY - 1);
            recent.push_front((draft, Arc::clone(&settings)));
        }
        settings
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::service::builder::Service;

    /// The cache stays small even if a loop registers many different settings.
    #[test]
    fn few_settings_are_cached() {
        let cache = SettingsCache::default();
        let len = |cache: &SettingsCache| lock(&cache.0).len();
        for hours in 1..=100 {
            let period = Duration::from_secs(3_600 * hours);
            Service::new("many", |_| {}).interval(period).into_definition(&cache);
        }
        assert_eq!(len(&cache), CAPACITY);
        // Settings with faults are not cached.
        let faulty = SettingsCache::default();
        let definition =
            Service::new("bad", |_| {}).interval(Duration::ZERO).into_definition(&faulty);
        assert_eq!((definition.faults().len(), len(&faulty)), (1, 0));
    }
}
