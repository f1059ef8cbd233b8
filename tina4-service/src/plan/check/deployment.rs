//! Finds the faults in the selection of services and in what the deployment has changed.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Check;
use crate::plan::fault::Fault;
use crate::service::definition::Definition;
use crate::service::deployment::deployed::SettingFault;
use crate::service::deployment::selectors::{Pattern, Selectors};
use crate::service::instance::Instance;
use crate::service::registration;

impl<'s> Check<'_, 's> {
    /// Finds the faults in the runner's own settings.
    pub(super) fn selection(&mut self) {
        let services = self.services;
        let selection = services.directory.selection();
        if let Some(selectors) = &selection.selectors {
            self.selectors(selectors);
        }
        self.faults.extend(selection.invalid_stack_size.map(|bytes| Fault::StackSize { bytes }));
    }

    /// Finds the faults in `ready_needs`. It is no fault to name a service that the selection leaves out of this
    /// process.
    pub(super) fn ready_needs(&mut self) {
        let (services, env) = (self.services, self.env);
        let Some(needs) = &env.ready_needs else { return };
        let left_out = services.directory.selection().left_out().iter();
        let all = services.indices.iter().map(|index| services.definition(*index));
        for definition in all.chain(left_out.map(|excluded| &excluded.definition)) {
            // Records what it matches.
            needs.selects(definition.name_str(), &definition.tags());
        }
        self.selectors(needs);
    }

    /// Finds the words that could not be read, or that no service has matched.
    fn selectors(&mut self, selectors: &Selectors) {
        let Self { services, faults, .. } = self;
        let selection = services.directory.selection();
        let left_out = || selection.left_out().iter().map(|excluded| &excluded.definition);
        let all =
            || services.indices.iter().map(|index| services.definition(*index)).chain(left_out());
        let runner_setting =
            |SettingFault { setting, problem }| Fault::RunnerSetting { setting, problem };
        faults.extend(selectors.faults.iter().cloned().map(runner_setting));
        faults.extend(selectors.unmatched().map(|selector| {
            let (name, known) = match &selector.pattern {
                Pattern::Tag(tag) => {
                    let tags: BTreeSet<_> = all().flat_map(Definition::tags).collect();
                    let shown = tags.iter().map(|tag| format!("tag:{tag}").into());
                    (format!("tag:{tag}"), shown.collect())
                }
                Pattern::Name(name) => {
                    let is_tag = all().any(|known| known.tags().iter().any(|tag| tag == name));
                    let tag = is_tag.then(|| format!("tag:{name}").into());
                    let names = match tag {
                        Some(tag) => vec![tag],
                        None => all().map(Definition::name).collect(),
                    };
                    (name.clone(), names)
                }
                Pattern::All => ("all".to_owned(), Vec::new()),
                Pattern::Nothing => ("none".to_owned(), Vec::new()),
            };
            Fault::UnknownSelection { name, source: selectors.source.clone(), known }
        }));
    }

    /// Finds the faults in what the deployment has changed in the runner itself.
    pub(super) fn deployment(&mut self) {
        self.runner_settings(self.env.deployment.faults().to_vec());
    }

    /// Finds the settings of the deployment that are for no service, or for several.
    pub(super) fn unknown_settings(&mut self) {
        let (services, env) = (self.services, self.env);
        let left_out = services.directory.selection().left_out();
        let registered = services.indices.iter().map(|index| services.definition(*index));
        let all: Vec<_> =
            registered.chain(left_out.iter().map(|excluded| &excluded.definition)).collect();
        self.runner_settings(env.deployment.of_unknown_services(declared_names));
        self.misspelled_settings(&all);
        self.ambiguous_settings(&all);
    }

    /// Finds the settings of the deployment that may be for this service, but also for another one, or that have
    /// no effect because of their spelling.
    pub(super) fn unclear_settings_of(&mut self, definition: &'s Definition) {
        let (services, env) = (self.services, self.env);
        self.misspelled_settings(&[definition]);
        let left_out = services.directory.selection().left_out();
        let find = |name: &String| {
            let index = services.directory.names().find(name, |index| services.name(index));
            let named = |excluded: &&Arc<Instance>| excluded.definition.name_str() == name;
            let left_out = || left_out.iter().find(named).map(|excluded| &excluded.definition);
            index.map(|index| services.definition(index)).or_else(left_out)
        };
        let namesakes = env.deployment.namesakes(definition.name_str());
        let namesakes: Vec<_> = namesakes.iter().filter_map(find).collect();
        self.ambiguous_settings(&namesakes);
    }

    fn misspelled_settings(&mut self, definitions: &[&Definition]) {
        let names = definitions.iter().map(|definition| definition.name_str());
        self.runner_settings(self.env.deployment.misspelled(names));
    }

    /// Finds the variables that could be for several of these services.
    fn ambiguous_settings(&mut self, definitions: &[&Definition]) {
        let Self { env, faults, .. } = self;
        let names = definitions.iter().map(|definition| definition.name_str());
        let ambiguous = env.deployment.ambiguous(names).into_iter();
        faults.extend(ambiguous.map(|(variable, names)| {
            Fault::AmbiguousVariable {
                variable: variable.name.to_string(),
                services: definitions
                    .iter()
                    .filter(|definition| names.contains(&definition.name_str()))
                    .map(|definition| (definition.name(), definition.place()))
                    .collect(),
            }
        }));
    }

    fn runner_settings(&mut self, found: Vec<SettingFault>) {
        let fault = |SettingFault { setting, problem }| Fault::RunnerSetting { setting, problem };
        self.faults.extend(found.into_iter().map(fault));
    }
}

/// The names of all services that the program declares.
fn declared_names() -> Vec<&'static str> {
    registration::declared().into_iter().map(|declared| declared.name).collect()
}
