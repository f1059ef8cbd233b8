//! What whoever deploys the program has changed: variables of the environment, and a `Settings` value.
//!
//! Nothing is guessed: each service asks for its own settings, by its name. What nobody has asked for when the
//! services are checked is a fault.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use tina4_service_core::deployment::{
    Assignment, KeyError, MergeFault, Merged, SettableKey, merge,
};
use tina4_service_core::{Key, Spec};

use crate::service::deployment::deployed::{Configured, Deployed, SettingFault};
use crate::service::deployment::deployed_runner::DeployedRunner;
use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::deployment::selectors::Selectors;
use crate::service::deployment::setting_source::SettingSource;
use crate::service::deployment::settings::Settings;
use crate::service::deployment::variables::{Variable, Variables, mangled};
use crate::sys::sync::{Mutex, lock};
use crate::text::one_line::OneLine;

pub(crate) mod deployed;
mod deployed_runner;
#[cfg(feature = "serde")]
mod deserialize;
pub(crate) mod overridden_setting;
mod runner_setting;
mod runner_settings;
pub(crate) mod selectors;
pub(crate) mod setting_source;
pub(crate) mod settings;
mod unknown;
pub(crate) mod variables;

/// The changes of one runner.
#[derive(Debug, Default)]
pub(crate) struct Deployment {
    variables: Variables,
    settings: Settings,
    /// The names of all services that have asked for their settings.
    seen: Mutex<BTreeSet<String>>,
    /// The faults that concern no single service.
    faults: Vec<SettingFault>,
    runner: DeployedRunner,
    /// Which services run in this process.
    selectors: Option<Arc<Selectors>>,
}

/// One setting of one service, as it was written.
struct Written {
    source: SettingSource,
    /// The key, or why there is none with this name.
    key: Result<SettableKey, KeyError>,
    /// The name of the key as written.
    key_text: String,
    value: String,
}

impl Deployment {
    pub(crate) fn new(variables: Variables, settings: Settings) -> Self {
        let mut deployment = Self { variables, settings, ..Self::default() };
        deployment.faults.append(&mut deployment.variables.faults);
        deployment.read_runner_settings();
        deployment.selectors = deployment.selection().map(Arc::new);
        deployment
    }

    fn selection(&self) -> Option<Selectors> {
        if let Some(variable) = &self.variables.selection {
            let source = SettingSource::Variable(variable.name.clone());
            return Some(Selectors::of_deployment(&variable.value, &source));
        }
        let select = self.settings.select.as_ref()?;
        Some(Selectors::of_deployment(select, &SettingSource::Settings))
    }

    /// The selection of the deployment, if there is one.
    pub(crate) fn selectors(&self) -> Option<&Arc<Selectors>> {
        self.selectors.as_ref()
    }

    /// Whether nothing was changed in any service, and all are selected.
    #[inline]
    pub(crate) fn changes_no_service(&self) -> bool {
        self.variables.of_services.is_empty()
            && self.settings.services.is_empty()
            && self.selectors.is_none()
    }

    /// The settings of the service with this name, after the changes. `None`: nothing was changed.
    pub(crate) fn configure<T: AsRef<str>>(
        &self,
        name: &str,
        spec: &Spec,
        tags: &[T],
    ) -> Option<Configured> {
        if self.changes_no_service() {
            return None;
        }
        lock(&self.seen).insert(name.to_owned());
        let layers = [self.in_settings(name), self.in_variables(name)];
        if layers.iter().all(Vec::is_empty) {
            return None;
        }
        let mut faults = Vec::new();
        let mut unreadable = Vec::new();
        let layers = layers.map(|written| {
            let mut layer = Vec::new();
            for Written { source, key, key_text, value } in written {
                let assignment = match key {
                    Ok(key) => {
                        Assignment::parse(key, &value).and_then(check_feature).inspect_err(|_| {
                            if let SettableKey::Attribute(key) = key {
                                unreadable.push(key);
                            }
                        })
                    }
                    Err(error) => Err(self.unknown_key(&source, name, error)),
                };
                match assignment {
                    Ok(assignment) => layer.push((assignment, source)),
                    Err(problem) => {
                        let path = format!("services.{name}.{key_text}");
                        faults.push(fault_of(&source, &path, &value, &problem));
                    }
                }
            }
            layer
        });
        let tags = tags.iter().map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
        let tags = Some(&*tags).filter(|tags| !tags.is_empty());
        match merge(spec, tags, &layers, &unreadable) {
            Ok(merged) if faults.is_empty() => Some(configured(name, merged)),
            Ok(_) => Some(refused(faults)),
            Err(contradictions) => {
                faults.extend(contradictions.iter().map(|fault| contradiction(name, fault)));
                Some(refused(faults))
            }
        }
    }

    fn in_variables(&self, name: &str) -> Vec<Written> {
        let written = |variable: &Variable| Written {
            source: SettingSource::Variable(variable.name.clone()),
            key: variable.settable_key(),
            key_text: variable.key.clone(),
            value: variable.value.clone(),
        };
        self.variables.of_service(name).iter().map(written).collect()
    }

    fn in_settings(&self, name: &str) -> Vec<Written> {
        let written = |(key, value): (&String, &String)| Written {
            source: SettingSource::Settings,
            key: SettableKey::from_name(key),
            key_text: key.clone(),
            value: value.clone(),
        };
        self.settings.services.get(name).into_iter().flatten().map(written).collect()
    }

    /// The problem of a name that is not that of a key.
    fn unknown_key(&self, source: &SettingSource, service: &str, error: KeyError) -> String {
        match error {
            KeyError::Fixed(key) => format!(
                "`{key}` cannot be changed at deployment, because the code depends on it; change it there"
            ),
            KeyError::Unknown { nearest: Some(key) } => match source {
                SettingSource::Settings => format!("there is no such key; did you mean `{key}`?"),
                SettingSource::Variable(_) => format!(
                    "there is no such key; did you mean `{}`?",
                    self.variables.name_of(&mangled(service), key)
                ),
            },
            KeyError::Unknown { nearest: None } => {
                let keys: Vec<_> = SettableKey::all().map(|key| format!("`{key}`")).collect();
                format!("there is no such key; the keys are {}", keys.join(", "))
            }
        }
    }

    /// The faults that concern no single service.
    pub(crate) fn faults(&self) -> &[SettingFault] {
        &self.faults
    }
}

/// Refuses calendar times in a program that is built without them, as the attribute does.
fn check_feature(assignment: Assignment) -> Result<Assignment, String> {
    if let Assignment::Set(setting) = &assignment
        && !cfg!(feature = "cron")
        && [Key::Cron, Key::Timezone, Key::Anchor].contains(&setting.key())
    {
        return Err(format!(
            "`{}` needs the feature `cron` of tina4-service, which is turned off; build the program with it",
            setting.key()
        ));
    }
    Ok(assignment)
}

fn configured(name: &str, merged: Merged<SettingSource>) -> Configured {
    let Merged { spec, tags, disabled_by, overridden } = merged;
    let disabled = disabled_by.map(|(key, word, source)| match source {
        SettingSource::Settings => format!("services.{name}.{key} = {word}").into(),
        SettingSource::Variable(variable) => format!("{variable}={word}").into(),
    });
    let overridden = overridden
        .into_iter()
        .map(|overridden| OverriddenSetting {
            key: overridden.key.as_str(),
            original: overridden.original,
            value: overridden.value,
            source: overridden.source,
        })
        .collect();
    Configured {
        spec: Some(spec),
        tags: tags.map(|tags| tags.into_iter().map(Cow::Owned).collect()),
        deployed: Deployed { overridden, disabled, ..Deployed::default() },
    }
}

fn refused(faults: Vec<SettingFault>) -> Configured {
    Configured { spec: None, tags: None, deployed: Deployed { faults, ..Deployed::default() } }
}

/// The fault of one value. Values of variables have no quotation marks, so the remedy has none either.
fn fault_of(source: &SettingSource, path: &str, value: &str, problem: &str) -> SettingFault {
    match source {
        SettingSource::Settings => SettingFault {
            setting: format!("{} = {}", OneLine(path), OneLine(value)),
            problem: problem.to_owned(),
        },
        SettingSource::Variable(name) => SettingFault {
            setting: format!("{}={}", OneLine(name), OneLine(value)),
            problem: problem.replace("`\"", "`").replace("\"`", "`"),
        },
    }
}

/// The fault of two settings that contradict each other, with the sources of both.
fn contradiction(service: &str, fault: &MergeFault<SettingSource>) -> SettingFault {
    let shown = |(key, source): &(SettableKey, Option<SettingSource>)| match source {
        None => format!("`{key}` is set in the code"),
        Some(SettingSource::Settings) => format!("`{key}` in `Settings`"),
        Some(SettingSource::Variable(name)) => format!("`{key}` by `{name}`"),
    };
    let MergeFault { key, related, message } = fault;
    // What the deployment has changed is what can be corrected there.
    let changed = related.as_ref().filter(|_| key.1.is_none()).unwrap_or(key);
    let setting = match &changed.1 {
        Some(SettingSource::Variable(name)) => name.to_string(),
        Some(SettingSource::Settings) | None => format!("services.{service}.{}", changed.0),
    };
    let sources = match related {
        Some(related) => format!(" ({}, {})", shown(key), shown(related)),
        None => String::new(),
    };
    SettingFault { setting: OneLine(&setting).to_string(), problem: format!("{message}{sources}") }
}

#[cfg(all(test, not(feature = "cron"), not(shuttle)))]
mod tests {
    use super::*;

    #[test]
    fn rule_101_calendar_times_need_their_feature() {
        let variables = [("TINA4_SERVICES__S__CRON", "@daily"), ("TINA4_SERVICES__T__CRON", "off")];
        let variables = variables.map(|(name, value)| (name.into(), value.into()));
        let variables = Variables::read("TINA4", variables.to_vec());
        let deployment = Deployment::new(variables, Settings::default());
        let spec = Spec {
            schedule: tina4_service_core::Schedule::Delay(std::time::Duration::from_secs(1)),
            ..Spec::DEFAULT
        };
        let faults = deployment.configure::<&str>("s", &spec, &[]).unwrap().deployed.faults;
        assert!(faults[0].problem.starts_with("`cron` needs the feature `cron`"), "{faults:?}");
        let off = deployment.configure::<&str>("t", &spec, &[]).unwrap();
        assert!(off.deployed.disabled.is_some() && off.deployed.faults.is_empty());
    }
}
