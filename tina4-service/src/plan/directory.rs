//! What the names and functions in `after` and `requires` stand for.

use std::any::TypeId;
use std::borrow::Cow;
use std::collections::HashMap;

use crate::plan::names::Names;
use crate::plan::selection::Selection;
use crate::service::definition::Definition;
use crate::service::registration::Dependency;

/// The services of a runner by name, those that it leaves out, and the names that services wait for.
pub(crate) struct Directory {
    names: Names,
    selection: Selection,
    /// The names of the declared functions, those of the services that are left out included.
    functions: HashMap<TypeId, Cow<'static, str>>,
    /// The positions in `selection.excluded`, by name.
    excluded: HashMap<Cow<'static, str>, usize>,
    /// The services that name one in `after` or `requires` that does not exist, by that name.
    awaiting: HashMap<String, Vec<u32>>,
}

/// What an entry of `after` or `requires` stands for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    /// The service with this index.
    Service(u32),
    /// A declared service that this runner leaves out.
    LeftOut(&'a Definition),
    /// There is no such service.
    Unknown,
}

impl Directory {
    pub(crate) fn new(selection: Selection) -> Self {
        let excluded = &selection.excluded;
        let by_name = (0..).zip(excluded).map(|(position, excluded)| (excluded.name(), position));
        Self {
            names: Names::default(),
            excluded: by_name.collect(),
            functions: excluded.iter().filter_map(name_of_function).collect(),
            selection,
            awaiting: HashMap::new(),
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
        match (self.names.find(name, name_of), self.excluded.get(name)) {
            (Some(index), _) => Target::Service(index),
            (None, Some(position)) => Target::LeftOut(&self.selection.excluded[*position]),
            (None, None) => Target::Unknown,
        }
    }

    /// Records that a service waits for one with this name to be registered.
    pub(crate) fn await_name(&mut self, name: String, index: u32) {
        let waiting = self.awaiting.entry(name).or_default();
        if !waiting.contains(&index) {
            waiting.push(index);
        }
    }

    /// Records that a service no longer waits for one with this name.
    pub(crate) fn forget_wait(&mut self, name: &str, index: u32) {
        if let Some(waiting) = self.awaiting.get_mut(name) {
            waiting.retain(|other| *other != index);
            if waiting.is_empty() {
                self.awaiting.remove(name);
            }
        }
    }

    /// The services that wait for one with this name.
    pub(crate) fn awaiting(&self, name: &str) -> &[u32] {
        match self.awaiting.is_empty() {
            true => &[],
            false => self.awaiting.get(name).map_or(&[], |waiting| waiting),
        }
    }
}

fn name_of_function(definition: &Definition) -> Option<(TypeId, Cow<'static, str>)> {
    Some((definition.id()?, definition.name()))
}
