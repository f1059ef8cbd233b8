//! Reads the settings of the runner itself that a deployment may change.

use std::time::Duration;

use tina4_service_core::deployment::{Assignment, SettableKey};
use tina4_service_core::{Draft, Fault, Setting};

use super::{Deployment, fault_of};
use crate::service::deployment::deployed::SettingFault;
use crate::service::deployment::deployed_runner::DeployedRunner;
use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::deployment::runner_setting::RunnerSetting;
use crate::service::deployment::setting_source::SettingSource;
use crate::service::deployment::variables::Variable;
use crate::text::nearest::nearest;
use crate::text::one_line::OneLine;

impl Deployment {
    /// Reads the settings of the runner itself; the environment takes precedence.
    pub(super) fn read_runner_settings(&mut self) {
        let mut written: Vec<(RunnerSetting, SettingSource, String)> = Vec::new();
        for setting in RunnerSetting::ALL {
            let value = match setting {
                RunnerSetting::ShutdownTimeout => &self.settings.shutdown_timeout,
                RunnerSetting::Quiesce => &self.settings.quiesce,
                RunnerSetting::UnhealthyAfter => &self.settings.unhealthy_after,
                RunnerSetting::DumpOnSigusr1 => &self.settings.dump_on_sigusr1,
            };
            let value = value.iter().cloned();
            written.extend(value.map(|value| (setting, SettingSource::Settings, value)));
        }
        for (name, variable) in &self.variables.of_runner {
            match RunnerSetting::ALL.into_iter().find(|setting| setting.is_named(name)) {
                Some(setting) => {
                    let source = SettingSource::Variable(variable.name.clone());
                    written.push((setting, source, variable.value.clone()));
                }
                None => self.faults.push(self.unknown_runner_setting(name, variable)),
            }
        }
        for (setting, source, value) in written {
            match parse(setting, &value) {
                Ok(Setting::StopTimeout(timeout)) => {
                    self.runner.shutdown_timeout = Some((timeout, source));
                }
                Ok(Setting::InitialDelay(quiesce)) => {
                    self.runner.quiesce = Some((quiesce, source));
                }
                Ok(Setting::MaxRestarts(count)) => {
                    self.runner.unhealthy_after = Some((count, source));
                }
                Ok(Setting::Autostart(dump)) => self.runner.dump_on_sigusr1 = Some((dump, source)),
                // The parser returns a value of the key that it was given.
                Ok(_) => {}
                Err(problem) => {
                    self.faults.push(fault_of(&source, setting.as_str(), &value, &problem));
                }
            }
        }
    }

    fn unknown_runner_setting(&self, name: &str, variable: &Variable) -> SettingFault {
        let prefix = &self.variables.prefix;
        let known = |setting: &str| self.variables.name_of_runner_setting(setting);
        let names = RunnerSetting::ALL.map(RunnerSetting::as_str);
        let remedy = match nearest(name, names) {
            Some(setting) => format!("did you mean `{}`?", known(setting)),
            None => {
                let [names @ .., last] = names.map(|name| format!("`{}`", known(name)));
                let names = names.join(", ");
                format!("the name of a variable is `{prefix}__<SERVICE>__<KEY>`, {names} or {last}")
            }
        };
        let problem =
            format!("it names neither a service with a key nor a setting of the runner; {remedy}");
        SettingFault { setting: OneLine(&variable.name).to_string(), problem }
    }

    /// The timeout of the shutdown, if it was changed.
    pub(crate) fn shutdown_timeout(&self) -> Option<Duration> {
        self.runner.shutdown_timeout.as_ref().map(|(timeout, _)| *timeout)
    }

    /// How long services keep running after a stop signal, if that was changed.
    pub(crate) fn quiesce(&self) -> Option<Duration> {
        self.runner.quiesce.as_ref().map(|(quiesce, _)| *quiesce)
    }

    /// After how many consecutive crashes a service is unhealthy, if that was changed.
    pub(crate) fn unhealthy_after(&self) -> Option<u32> {
        self.runner.unhealthy_after.as_ref().map(|(count, _)| *count)
    }

    /// Whether SIGUSR1 writes the services to the log, if that was changed.
    pub(crate) fn dump_on_sigusr1(&self) -> Option<bool> {
        self.runner.dump_on_sigusr1.as_ref().map(|(dump, _)| *dump)
    }

    /// What was changed in the runner itself; the arguments are the values in the code.
    pub(crate) fn runner_overridden(
        &self,
        in_code: Duration,
        quiesce_in_code: Duration,
        crashes: u32,
        dump: bool,
    ) -> Vec<OverriddenSetting> {
        let DeployedRunner { shutdown_timeout, quiesce, unhealthy_after, dump_on_sigusr1 } =
            &self.runner;
        let timeout = shutdown_timeout.as_ref().map(|(new, source)| {
            let text = |timeout| Setting::StopTimeout(timeout).to_string();
            overridden(RunnerSetting::ShutdownTimeout, text(in_code), text(*new), source)
        });
        let quiesce = quiesce.as_ref().map(|(new, source)| {
            let text = |quiesce| Setting::InitialDelay(quiesce).to_string();
            overridden(RunnerSetting::Quiesce, text(quiesce_in_code), text(*new), source)
        });
        let crashes = unhealthy_after.as_ref().map(|(new, source)| {
            let (original, value) = (crashes.to_string(), new.to_string());
            overridden(RunnerSetting::UnhealthyAfter, original, value, source)
        });
        let dump = dump_on_sigusr1.as_ref().map(|(new, source)| {
            overridden(RunnerSetting::DumpOnSigusr1, dump.to_string(), new.to_string(), source)
        });
        timeout.into_iter().chain(quiesce).chain(crashes).chain(dump).collect()
    }
}

fn overridden(
    setting: RunnerSetting,
    original: String,
    value: String,
    source: &SettingSource,
) -> OverriddenSetting {
    OverriddenSetting {
        key: setting.as_str(),
        original: Some(original),
        value: Some(value),
        source: source.clone(),
    }
}

/// Parses a value. The rules are those of a key of services with the same type.
fn parse(setting: RunnerSetting, value: &str) -> Result<Setting, String> {
    let name = setting.as_str();
    if value == "none" {
        return Err(format!("`{name}` always has a value; write one, or remove it"));
    }
    check_range(setting, value)?;
    let parsed = Assignment::parse(SettableKey::Attribute(setting.model()), value);
    match parsed.and_then(checked) {
        Ok(Setting::Autostart(true)) if !cfg!(all(unix, feature = "signals")) => Err(format!(
            "`{name}` needs the signal SIGUSR1 and the feature `signals` of tina4-service, which this program does not have; remove it"
        )),
        Ok(Setting::InitialDelay(_)) if !cfg!(feature = "signals") => Err(format!(
            "`{name}` needs the feature `signals` of tina4-service, which this program does not have; remove it"
        )),
        Ok(parsed) => Ok(parsed),
        Err(problem) => Err(problem.replace(setting.model().as_str(), name)),
    }
}

/// Refuses numbers for which the remedies of the key of a service would be wrong.
fn check_range(setting: RunnerSetting, value: &str) -> Result<(), String> {
    match setting {
        RunnerSetting::ShutdownTimeout | RunnerSetting::Quiesce | RunnerSetting::DumpOnSigusr1 => {
            Ok(())
        }
        RunnerSetting::UnhealthyAfter => match value.replace('_', "").parse::<i128>() {
            Ok(number) if u32::try_from(number).is_err() => Err(format!(
                "`{}` of `{number}` is out of range; use a number from `0`, which means never, to `{}`",
                setting.as_str(),
                u32::MAX
            )),
            // The parser says what is wrong with it.
            Ok(_) | Err(_) => Ok(()),
        },
    }
}

/// The setting that was parsed, if it is in range.
fn checked(assignment: Assignment) -> Result<Setting, String> {
    let Assignment::Set(setting) = assignment else {
        return Err("it cannot be turned off; write a value, or remove it".to_owned());
    };
    let mut draft = Draft::default();
    draft.set(setting.clone());
    let faults = |faults: Vec<Fault>| faults.first().map(ToString::to_string).unwrap_or_default();
    draft.check().map(|_| setting).map_err(faults)
}
