//! Merges the settings of the code with those of a deployment.

use std::collections::BTreeMap;

use super::assignment::{Assignment, can_be_unset};
use super::settable_key::SettableKey;
use crate::{Draft, Fault, Key, Schedule, Setting, Spec};

/// The keys that make up the schedule, of which a service has at most one.
const SCHEDULES: [Key; 3] = [Key::Interval, Key::Delay, Key::Cron];

/// The settings of a service after the deployment has changed some of them. `S` tells where a change comes
/// from.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged<S> {
    /// The settings.
    pub spec: Spec,
    /// The tags, if the deployment has set them.
    pub tags: Option<Vec<String>>,
    /// What has disabled the service, if anything: a key, the word that was its value, and the source.
    pub disabled_by: Option<(SettableKey, &'static str, S)>,
    /// Every key that the deployment has set, and those of the code that it made void, in the order of the
    /// keys.
    pub overridden: Vec<Overridden<S>>,
}

/// A key whose value is not that of the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overridden<S> {
    /// The key.
    pub key: SettableKey,
    /// Its value in the code, as text; `None`: it has none there.
    pub original: Option<String>,
    /// Its value now; `None`: it has none.
    pub value: Option<String>,
    /// The source of the change.
    pub source: S,
}

/// A contradiction between settings, at least one of which comes from the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergeFault<S> {
    /// The key at fault, and where its value comes from; `None`: from the code.
    pub key: (SettableKey, Option<S>),
    /// The key that it contradicts, likewise.
    pub related: Option<(SettableKey, Option<S>)>,
    /// The problem and its remedy.
    pub message: String,
}

/// Where a value comes from: the number of the layer, from 1, and its source.
type Origin<S> = (usize, S);

/// Merges the settings of the code with layers of changes, of which each takes precedence over those before
/// it.
///
/// A schedule replaces that of lower layers. Values of lower layers that have no effect any more because of a
/// higher one are dropped: a `timezone` that belongs to a `cron` which is replaced, or the `backoff` of a
/// service that is never restarted. Everything else that contradicts itself is a fault.
///
/// `unreadable`: keys of the deployment whose values could not be read. Rules that depend on one of them are
/// skipped, so that each mistake is reported once.
///
/// # Errors
///
/// Returns all contradictions.
///
/// ```
/// use std::time::Duration;
/// use tina4_service_core::deployment::{Assignment, SettableKey, merge};
/// use tina4_service_core::{Draft, Key};
///
/// let second = Duration::from_secs(1);
/// let draft = Draft { interval: Some(30 * second), jitter: Some(5 * second), ..Draft::default() };
/// let spec = draft.check().unwrap();
/// let faster = |period| {
///     let interval = SettableKey::Attribute(Key::Interval);
///     vec![vec![(Assignment::parse(interval, period).unwrap(), "the environment")]]
/// };
/// let merged = merge(&spec, None, &faster("10s"), &[]).unwrap();
/// assert_eq!(merged.overridden[0].original.as_deref(), Some("30s"));
///
/// let faults = merge(&spec, None, &faster("2s"), &[]).unwrap_err();
/// assert_eq!(faults[0].key, (SettableKey::Attribute(Key::Jitter), None));
/// ```
pub fn merge<S: Clone>(
    spec: &Spec,
    tags: Option<&str>,
    layers: &[Vec<(Assignment, S)>],
    unreadable: &[Key],
) -> Result<Merged<S>, Vec<MergeFault<S>>> {
    let original: BTreeMap<Key, Setting> =
        spec.settings().into_iter().map(|setting| (setting.key(), setting)).collect();
    let mut merge = Merge {
        settings: original.clone(),
        origins: BTreeMap::new(),
        off: None,
        enabled: None,
        tags: None,
        refused: Vec::new(),
        faults: Vec::new(),
    };
    for (layer, changes) in (1..).zip(layers) {
        merge.apply(layer, changes, &spec.schedule);
    }
    merge.resolve(&original, tags, unreadable)
}

/// A merge in progress.
struct Merge<S> {
    settings: BTreeMap<Key, Setting>,
    /// The keys that a layer has changed.
    origins: BTreeMap<Key, Origin<S>>,
    /// The schedule that is `off`.
    off: Option<(Key, Origin<S>)>,
    enabled: Option<(bool, Origin<S>)>,
    tags: Option<(Vec<String>, S)>,
    /// The schedules that were refused, because the function is written for none. Rules that depend on one are
    /// skipped, because they would be about a service with that schedule.
    refused: Vec<Key>,
    faults: Vec<MergeFault<S>>,
}

impl<S: Clone> Merge<S> {
    fn apply(&mut self, layer: usize, changes: &[(Assignment, S)], own: &Schedule) {
        let mut schedule = changes.iter().find(|(change, _)| is_schedule(change));
        let is_refused = schedule.is_some() && !own.is_periodic();
        if is_refused {
            schedule = None;
            for (change, source) in changes.iter().filter(|(change, _)| is_schedule(change)) {
                self.faults.push(gets_schedule(change, source, own));
                if let SettableKey::Attribute(key) = change.key() {
                    self.refused.push(key);
                }
            }
        }
        if let Some((_, source)) = schedule {
            self.off = None;
            for key in SCHEDULES {
                if self.settings.remove(&key).is_some() {
                    self.origins.insert(key, (layer, source.clone()));
                }
            }
        }
        let is_applied = |(change, _): &&(Assignment, S)| !(is_refused && is_schedule(change));
        for (change, source) in changes.iter().filter(is_applied) {
            let origin = (layer, source.clone());
            match change {
                Assignment::Set(setting) => {
                    self.settings.insert(setting.key(), setting.clone());
                    self.origins.insert(setting.key(), origin);
                }
                Assignment::Unset(key) => {
                    self.settings.remove(key);
                    self.origins.insert(*key, origin);
                }
                Assignment::Off(key) => {
                    if let Some((set, other)) = schedule {
                        self.faults.push(MergeFault {
                            key: (change.key(), Some(source.clone())),
                            related: Some((set.key(), Some(other.clone()))),
                            message: format!(
                                "`{key}` is `off`, which disables the service, and `{}` is set; remove one of them",
                                set.key()
                            ),
                        });
                    }
                    self.off = Some((*key, origin));
                }
                Assignment::Enabled(enabled) => self.enabled = Some((*enabled, origin)),
                Assignment::Tags(tags) => self.tags = Some((tags.clone(), source.clone())),
            }
        }
    }

    /// Checks the result. Drops values that a higher layer made void, until there are none left.
    fn resolve(
        mut self,
        original: &BTreeMap<Key, Setting>,
        original_tags: Option<&str>,
        unreadable: &[Key],
    ) -> Result<Merged<S>, Vec<MergeFault<S>>> {
        let disabled_by = self.disabled_by();
        let spec = loop {
            let mut draft =
                Draft { unreadable: [unreadable, &self.refused].concat(), ..Draft::default() };
            self.settings.values().cloned().for_each(|setting| draft.set(setting));
            let faults = match draft.check() {
                Ok(spec) => break spec,
                Err(faults) => faults,
            };
            let void: Vec<_> = faults.iter().filter_map(|fault| self.void(fault)).collect();
            if void.is_empty() {
                let faults: Vec<_> = faults.iter().map(|fault| self.located(fault)).collect();
                self.faults.extend(faults);
                return Err(self.faults);
            }
            for (key, origin) in void {
                self.settings.remove(&key);
                self.origins.insert(key, origin);
            }
        };
        if !self.faults.is_empty() {
            return Err(self.faults);
        }
        let overridden = self.overridden(original, original_tags);
        let tags = self.tags.map(|(tags, _)| tags);
        Ok(Merged { spec, tags, disabled_by, overridden })
    }

    /// The key that has no effect because of a higher layer, and the origin of what made it void.
    fn void(&self, fault: &Fault) -> Option<(Key, Origin<S>)> {
        if fault.is_in_value {
            return None;
        }
        let cause = self.origin_of_cause(fault.related_key?)?;
        let own = self.origins.get(&fault.key).map_or(0, |(layer, _)| *layer);
        (own < cause.0).then(|| (fault.key, cause.clone()))
    }

    /// Where the value of this key comes from, or the change that left it without one. What depends on one
    /// kind of schedule depends on all of them.
    fn origin_of_cause(&self, key: Key) -> Option<&Origin<S>> {
        let schedule = [Key::Interval, Key::Delay, Key::Cron, Key::Anchor];
        if !schedule.contains(&key) {
            return self.origins.get(&key);
        }
        schedule.iter().filter_map(|key| self.origins.get(key)).max_by_key(|(layer, _)| *layer)
    }

    fn located(&self, fault: &Fault) -> MergeFault<S> {
        let source = |key| {
            let origin = self.origins.get(&key);
            (SettableKey::Attribute(key), origin.map(|(_, source)| source.clone()))
        };
        MergeFault {
            key: source(fault.key),
            related: fault.related_key.filter(|key| self.settings.contains_key(key)).map(source),
            message: self.message(fault),
        }
    }

    /// The text of a fault, with the remedy that a deployment has: what the code sets can be unset, but not
    /// removed, and without its setting the value of the code applies again.
    fn message(&self, fault: &Fault) -> String {
        let mut message = fault.to_string();
        if can_be_unset(fault.key) {
            message = message.replace("or remove it", "or write `none`");
        }
        let keys = std::iter::once(fault.key).chain(fault.related_key);
        for key in keys.filter(|key| can_be_unset(*key) && !self.origins.contains_key(key)) {
            message =
                message.replace(&format!("remove `{key}`"), &format!("set `{key}` to `none`"));
        }
        message
    }

    /// What has disabled the service. The higher layer decides; in one layer, `enabled = true` contradicts a
    /// schedule that is `off`.
    fn disabled_by(&mut self) -> Option<(SettableKey, &'static str, S)> {
        let off = self.off.clone();
        let off = off.map(|(key, origin)| (SettableKey::Attribute(key), "off", origin));
        let (enabled, origin) = match self.enabled.clone() {
            Some(enabled) => enabled,
            None => return off.map(|(key, word, (_, source))| (key, word, source)),
        };
        let disabled = (!enabled).then(|| (SettableKey::Enabled, "false", origin.1.clone()));
        match off {
            Some((key, word, (layer, source))) if layer > origin.0 => {
                // It has no effect any more.
                self.enabled = self.enabled.take().filter(|(enabled, _)| !enabled);
                Some((key, word, source))
            }
            Some((_, _, (layer, _))) if layer < origin.0 && enabled => {
                self.off = None;
                None
            }
            Some((key, _, (layer, source))) if layer == origin.0 && enabled => {
                self.faults.push(MergeFault {
                    key: (key, Some(source)),
                    related: Some((SettableKey::Enabled, Some(origin.1))),
                    message: format!(
                        "`{key}` is `off`, which disables the service, and `enabled` is `true`; remove one of them"
                    ),
                });
                None
            }
            Some(_) | None => disabled,
        }
    }

    fn overridden(
        &self,
        original: &BTreeMap<Key, Setting>,
        original_tags: Option<&str>,
    ) -> Vec<Overridden<S>> {
        let has_calendar = [Key::Cron, Key::Anchor].iter().any(|key| original.contains_key(key));
        let has_queue = original.contains_key(&Key::Queue);
        let original_text = |key| match original.get(&key) {
            Some(setting) => Some(setting.to_string()),
            // Only a calendar has a time zone.
            None if key == Key::Timezone && !has_calendar => None,
            None if has_queue && key == Key::Backoff => Some("2s".to_owned()),
            None if has_queue && key == Key::MaxBackoff => Some("1h".to_owned()),
            None => Setting::default_text(key).map(str::to_owned),
        };
        let enabled = self.enabled.iter().map(|(enabled, (_, source))| Overridden {
            key: SettableKey::Enabled,
            original: Some("true".to_owned()),
            value: Some(enabled.to_string()),
            source: source.clone(),
        });
        let off = self.off.iter().map(|(key, (_, source))| Overridden {
            key: SettableKey::Attribute(*key),
            original: original_text(*key),
            value: Some("off".to_owned()),
            source: source.clone(),
        });
        let tags = self.tags.iter().map(|(tags, source)| Overridden {
            key: SettableKey::Attribute(Key::Tags),
            original: original_tags.map(str::to_owned),
            value: (!tags.is_empty()).then(|| tags.join(", ")),
            source: source.clone(),
        });
        let changed = self.origins.iter().map(|(key, (_, source))| Overridden {
            key: SettableKey::Attribute(*key),
            original: original_text(*key),
            value: self.settings.get(key).map(ToString::to_string),
            source: source.clone(),
        });
        let mut all: Vec<_> = enabled.chain(off).chain(changed).chain(tags).collect();
        all.sort_by_key(|overridden| overridden.key);
        all
    }
}

fn is_schedule(change: &Assignment) -> bool {
    match change {
        Assignment::Set(setting) => SCHEDULES.contains(&setting.key()),
        Assignment::Unset(_)
        | Assignment::Off(_)
        | Assignment::Enabled(_)
        | Assignment::Tags(_) => false,
    }
}

/// The fault of a schedule for a service that has no due times.
fn gets_schedule<S: Clone>(change: &Assignment, source: &S, own: &Schedule) -> MergeFault<S> {
    let key = change.key();
    let service = match own {
        Schedule::Queue(_) => "queue service, whose function is written to take jobs",
        Schedule::Continuous
        | Schedule::Interval(_)
        | Schedule::Delay(_)
        | Schedule::Calendar(..) => {
            "continuous service, whose function is written to run until it returns"
        }
    };
    MergeFault {
        key: (key, Some(source.clone())),
        related: None,
        message: format!(
            "`{key}` cannot be set for a {service}; remove `{key}`, or write `off` to disable the service"
        ),
    }
}
