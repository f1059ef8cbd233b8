//! The settings of a service built at run time, and a cache through which services with equal settings
//! share them.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use tina4_service_core::{Draft, Spec};

use crate::service::deployment::Deployment;
use crate::service::deployment::deployed::{Configured, Deployed};
use crate::service::given_settings::GivenSettings;
use crate::service::params::hook::DynHook;
#[cfg(feature = "queue")]
use crate::service::queue_binding::QueueBinding;
use crate::sys::panics;
use crate::sys::place::Place;
use crate::sys::sync::{Mutex, lock};

/// The settings of a service built at run time. Services built by the same call in the source with
/// equal settings share them.
pub(crate) struct Settings {
    pub(crate) place: Place,
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
    /// The queue whose jobs it works on.
    #[cfg(feature = "queue")]
    pub(crate) queue: Option<QueueBinding>,
    /// The function that is told of each dead job.
    #[cfg(feature = "queue")]
    pub(crate) on_dead: Option<Box<dyn DynHook>>,
    /// The faults in the settings, for `register` to report.
    pub(crate) faults: Vec<String>,
    /// The groups that it belongs to.
    pub(crate) tags: Vec<Cow<'static, str>>,
    /// What the deployment has changed.
    pub(crate) deployed: Option<Deployed>,
}

/// As for the body of the service: a panic in a destructor must not leave the last owner's thread.
impl Drop for ColdSettings {
    fn drop(&mut self) {
        let on_stop = self.on_stop.take();
        let _ = panics::catch(|| drop(on_stop));
        #[cfg(feature = "queue")]
        {
            let on_dead = self.on_dead.take();
            let _ = panics::catch(|| drop(on_dead));
        }
    }
}

impl Settings {
    /// Validates the draft. Its faults are stored in `cold`, for `register` to report.
    pub(crate) fn new(place: Place, draft: &Draft, mut cold: Option<Box<ColdSettings>>) -> Self {
        let spec = draft.check().unwrap_or_else(|faults| {
            let known = &mut cold.get_or_insert_default().faults;
            known.extend(faults.iter().map(ToString::to_string));
            Spec::DEFAULT
        });
        Self { place, spec, cold }
    }

    /// Applies the changes of the deployment for the service with this name. Its own faults come first.
    pub(crate) fn apply(&mut self, deployment: &Deployment, name: &str) {
        if self.cold.as_ref().is_some_and(|cold| !cold.faults.is_empty()) {
            return;
        }
        let tags = self.cold.as_ref().map_or(&[][..], |cold| &cold.tags);
        if let Some(configured) = deployment.configure(name, &self.spec, tags) {
            let Configured { spec, tags, deployed } = configured;
            self.spec = spec.unwrap_or_else(|| self.spec.clone());
            let cold = self.cold.get_or_insert_default();
            cold.tags = tags.unwrap_or_else(|| std::mem::take(&mut cold.tags));
            cold.deployed = Some(deployed);
        }
        // A declared service that is not selected is left out of the runner. This one is registered by code
        // that may go on to use it, so it is disabled instead.
        let tags = self.cold.as_ref().map_or(&[][..], |cold| &cold.tags);
        if let Some(selectors) = deployment.selectors()
            && !selectors.selects(name, tags)
        {
            let deployed = self.cold.get_or_insert_default().deployed.get_or_insert_default();
            deployed.disabled = Some(selectors.text.as_str().into());
            deployed.is_left_out = true;
        }
    }

    pub(crate) fn on_stop(&self) -> Option<&(dyn DynHook + 'static)> {
        self.cold.as_ref()?.on_stop.as_deref()
    }
}

/// How many settings are cached: enough for a loop that registers services with a few different
/// settings.
const CAPACITY: usize = 8;

/// The last few valid settings, with what the builder was given for them.
///
/// A loop that registers many services calls the builder at the same place, often with the same
/// values: those services share one allocation. Settings with a cold part are not cached.
#[derive(Default)]
pub(crate) struct SettingsCache(Mutex<VecDeque<(GivenSettings, Arc<Settings>)>>);

impl fmt::Debug for SettingsCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SettingsCache").finish_non_exhaustive()
    }
}

impl SettingsCache {
    /// The settings of a builder without a cold part: from the cache, or validated now.
    pub(crate) fn get(&self, place: Place, given: &GivenSettings) -> Arc<Settings> {
        let equal = |(known, settings): &&(GivenSettings, Arc<Settings>)| {
            // perf: the line differs more often than the file, and is compared faster.
            let at = settings.place;
            (at.line, at.column) == (place.line, place.column)
                && known == given
                && at.file == place.file
        };
        if let Some((_, settings)) = lock(&self.0).iter().find(equal) {
            return Arc::clone(settings);
        }
        // Validates without holding the lock, because that may take a while.
        let settings = Arc::new(Settings::new(place, given.draft(), None));
        if settings.cold.is_none() {
            let mut recent = lock(&self.0);
            recent.truncate(CAPACITY - 1);
            recent.push_front((given.clone(), Arc::clone(&settings)));
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
            let service = Service::new("many", |_| {}).interval(period);
            service.into_definition(&cache, &Deployment::default());
        }
        assert_eq!(len(&cache), CAPACITY);
        // Settings with faults are not cached.
        let faulty = SettingsCache::default();
        let bad = Service::new("bad", |_| {}).interval(Duration::ZERO);
        let definition = bad.into_definition(&faulty, &Deployment::default());
        assert_eq!((definition.faults().len(), len(&faulty)), (1, 0));
    }
}
