//! What the names and functions in `after` and `requires` stand for.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::plan::names::Names;
use crate::plan::selection::Selection;
use crate::service::definition::Definition;
use crate::service::instance::Instance;
use crate::service::registration::Dependency;

/// The services of a runner by name, those that it leaves out, and the names that services wait for.
pub(crate) struct Directory {
    names: Names,
    selection: Selection,
    /// The names of the declared functions, those of the services that are left out included.
    functions: HashMap<TypeId, Cow<'static, str>>,
    /// The positions in `selection.excluded`, by name.
    excluded: HashMap<Cow<'static, str>, usize>,
    /// The names in `after` and `requires` that no service has.
    awaited: HashMap<String, Awaited>,
}

/// A name that services wait for.
#[derive(Debug, Default)]
struct Awaited {
    /// The services that name it.
    dependents: BTreeSet<u32>,
    /// Whether a service had this name and was unregistered.
    was_unregistered: bool,
}

/// What an entry of `after` or `requires` stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The service with this index.
    Service(u32),
    /// A declared service that this runner leaves out.
    LeftOut(&'a Definition),
    /// A service that was unregistered.
    Unregistered,
    /// There is no such service.
    Unknown,
}

impl Directory {
    pub(crate) fn new(selection: Selection) -> Self {
        let excluded = &selection.excluded;
        let by_name =
            (0..).zip(excluded).map(|(position, excluded)| (excluded.definition.name(), position));
        Self {
            names: Names::default(),
            excluded: by_name.collect(),
            functions: excluded
                .iter()
                .filter_map(|excluded: &Arc<Instance>| name_of_function(&excluded.definition))
                .collect(),
            selection,
            awaited: HashMap::new(),
        }
    }

    pub(crate) fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Records the function of a declared service, so that others can name it by that.
    pub(crate) fn add_function(&mut self, definition: &Definition) {
        self.functions.extend(name_of_function(definition));
    }

    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn names_mut(&mut self) -> &mut Names {
        &mut self.names
    }

    /// The name of the service that this entry stands for. `None` for a function that has no service.
    pub(crate) fn name<'a>(&'a self, dependency: &Dependency<'a>) -> Option<&'a str> {
        match dependency {
            Dependency::Function { id, path: _ } => self.functions.get(id).map(|name| &**name),
            Dependency::Name(name) => Some(name),
        }
    }

    /// The service that this entry stands for. One that is left out may be replaced by another one with
    /// the same name.
    pub(crate) fn target<'a>(
        &'a self,
        dependency: &Dependency<'a>,
        name_of: impl Fn(u32) -> &'a str,
    ) -> Target<'a> {
        let Some(name) = self.name(dependency) else { return Target::Unknown };
        if let Some(index) = self.names.find(name, name_of) {
            return Target::Service(index);
        }
        let was_unregistered =
            || self.awaited.get(name).is_some_and(|awaited| awaited.was_unregistered);
        match self.excluded.get(name) {
            Some(position) => Target::LeftOut(&self.selection.excluded[*position].definition),
            None if was_unregistered() => Target::Unregistered,
            None => Target::Unknown,
        }
    }

    /// Records that a service waits for one with this name to be registered.
    pub(crate) fn await_name(&mut self, name: &str, index: u32) {
        match self.awaited.get_mut(name) {
            Some(awaited) => {
                awaited.dependents.insert(index);
            }
            None => {
                let dependents = BTreeSet::from([index]);
                let awaited = Awaited { dependents, was_unregistered: false };
                self.awaited.insert(name.to_owned(), awaited);
            }
        }
    }

    /// Records that these services wait for the one with this name, which was unregistered, to be
    /// registered again.
    pub(crate) fn await_again(&mut self, name: &str, dependents: BTreeSet<u32>) {
        if !dependents.is_empty() {
            let awaited = self.awaited.entry(name.to_owned()).or_default();
            awaited.dependents.extend(dependents);
            awaited.was_unregistered = true;
        }
    }

    /// Records that a service no longer waits for one with this name.
    pub(crate) fn forget_wait(&mut self, name: &str, index: u32) {
        if let Some(awaited) = self.awaited.get_mut(name) {
            awaited.dependents.remove(&index);
            if awaited.dependents.is_empty() {
                self.awaited.remove(name);
            }
        }
    }

    /// Returns the services that wait for one with this name, which exists now, if any do.
    pub(crate) fn take_awaiting(&mut self, name: &str) -> Option<BTreeSet<u32>> {
        // perf: nearly always empty, and a search hashes the name.
        if self.awaited.is_empty() {
            return None;
        }
        self.awaited.remove(name).map(|awaited| awaited.dependents)
    }
}

fn name_of_function(definition: &Definition) -> Option<(TypeId, Cow<'static, str>)> {
    Some((definition.id()?, definition.name()))
}
