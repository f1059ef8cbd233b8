//! Settings for services that do not exist, and those whose name could mean several.

use std::collections::BTreeMap;
use std::sync::Arc;

use tina4_service_core::deployment::{KeyError, SettableKey};

use super::Deployment;
use super::runner_setting::RunnerSetting;
use crate::service::deployment::deployed::SettingFault;
use crate::service::deployment::variables::{Variable, Variables, after_prefix, mangled, plain};
use crate::sys::sync::lock;
use crate::text::nearest::{nearest, remedy};
use crate::text::one_line::OneLine;

impl Deployment {
    /// The settings for services that do not exist. Services that were unregistered did exist. `declared`: the names of
    /// all services that the program declares, of which this runner may have none.
    pub(crate) fn of_unknown_services(
        &self,
        declared: impl Fn() -> Vec<&'static str>,
    ) -> Vec<SettingFault> {
        if self.changes_no_service() {
            return Vec::new();
        }
        let seen = lock(&self.seen);
        let names: Vec<&String> = seen.iter().collect();
        let by_mangled: BTreeMap<String, &String> =
            seen.iter().map(|name| (mangled(name), name)).collect();
        let mangled_names: Vec<&String> = by_mangled.keys().collect();
        let mut faults = Vec::new();
        for (service, variables) in &self.variables.of_services {
            if by_mangled.contains_key(service) {
                continue;
            }
            if let Some(name) = declared().into_iter().find(|name| mangled(name) == *service) {
                faults.extend(variables.iter().map(|variable| of_another_runner(variable, name)));
                continue;
            }
            let meant = nearest(service, &mangled_names);
            for variable in variables {
                let key = variable.settable_key().or_else(|error| match error {
                    KeyError::Fixed(key) => Ok(SettableKey::Attribute(key)),
                    KeyError::Unknown { nearest } => nearest.ok_or(()),
                });
                let remedy = match (meant, key) {
                    (Some(meant), Ok(key)) => {
                        format!("did you mean `{}`?", self.variables.name_of(meant, key))
                    }
                    (Some(meant), Err(())) => format!("did you mean the service `{meant}`?"),
                    (None, _) => remedy(service, &names),
                };
                faults.push(SettingFault {
                    setting: OneLine(&variable.name).to_string(),
                    problem: format!("there is no service `{}`; {remedy}", OneLine(service)),
                });
            }
        }
        for service in self.settings.services.keys().filter(|service| !seen.contains(*service)) {
            let shown = OneLine(service);
            faults.push(SettingFault {
                setting: format!("services.{shown}"),
                problem: format!("there is no service `{shown}`; {}", remedy(service, &names)),
            });
        }
        faults
    }

    /// Variables that are spelled like one for a service or the runner, but for the prefix, the letter case or
    /// the number of `_`. Names of services and keys can be recognized only here; anything else that begins in
    /// the same way belongs to somebody else.
    pub(crate) fn misspelled<'n>(&self, names: impl Iterator<Item = &'n str>) -> Vec<SettingFault> {
        let Variables { prefix, similar, .. } = &self.variables;
        if similar.is_empty() {
            return Vec::new();
        }
        let by_plain: BTreeMap<String, String> =
            names.map(mangled).map(|mangled| (plain(&mangled), mangled)).collect();
        let meant = |name: &str| {
            let spelled = plain(name);
            let rest = after_prefix(&spelled, prefix)?;
            if rest.is_empty() {
                return Some(prefix.clone());
            }
            let settings = RunnerSetting::ALL.map(RunnerSetting::as_str);
            if let Some(setting) = settings.into_iter().find(|setting| rest == plain(setting)) {
                return Some(self.variables.name_of_runner_setting(setting));
            }
            SettableKey::all().find_map(|key| {
                let service = rest.strip_suffix(&plain(key.as_str()))?.strip_suffix('_')?;
                Some(self.variables.name_of(by_plain.get(service)?, key))
            })
        };
        let fault = |name: &Arc<str>| {
            let meant = meant(name)?;
            let problem = format!("it has no effect; did you mean `{meant}`?");
            Some(SettingFault { setting: OneLine(name).to_string(), problem })
        };
        similar.iter().filter_map(fault).collect()
    }

    /// The names of services that are spelled like this one in variables, this one included.
    pub(crate) fn namesakes(&self, name: &str) -> Vec<String> {
        if self.variables.of_service(name).is_empty() {
            return Vec::new();
        }
        let own = mangled(name);
        lock(&self.seen).iter().filter(|seen| mangled(seen) == own).cloned().collect()
    }

    /// The variables whose name could mean several of these services.
    pub(crate) fn ambiguous<'n>(
        &self,
        names: impl Iterator<Item = &'n str>,
    ) -> Vec<(&Variable, Vec<&'n str>)> {
        if self.variables.of_services.is_empty() {
            return Vec::new();
        }
        let mut by_mangled: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for name in names {
            by_mangled.entry(mangled(name)).or_default().push(name);
        }
        by_mangled.retain(|_, names| {
            names.sort_unstable();
            // Two services with the same name are another fault.
            names.dedup();
            names.len() > 1
        });
        let variables = self.variables.of_services.iter();
        let of_several = variables.filter_map(|(service, variables)| {
            variables.first().zip(by_mangled.get(service).cloned())
        });
        of_several.collect()
    }
}

/// The program declares the service, but another runner has it: that of the program, and not this one, which may be
/// that of a library.
fn of_another_runner(variable: &Variable, name: &str) -> SettingFault {
    let name = OneLine(name);
    SettingFault {
        setting: OneLine(&variable.name).to_string(),
        problem: format!(
            "`{name}` is declared in this program, but this runner does not have it; give a runner with services of its own another `env_prefix`, or no variables with `env_vars`"
        ),
    }
}
