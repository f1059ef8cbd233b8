//! The services of a runner, by index.

use std::ops::Range;

use crate::service::definition::Definition;
use crate::service::instance::Instance;

/// Access to the services of a runner by index, independent of how they are stored.
pub(crate) struct Instances<'a> {
    pub(crate) count: u32,
    pub(crate) get: &'a dyn Fn(u32) -> &'a Instance,
}

impl<'a> Instances<'a> {
    pub(super) fn indices(&self) -> Range<u32> {
        0..self.count
    }

    pub(super) fn get(&self, index: u32) -> &'a Instance {
        (self.get)(index)
    }

    pub(super) fn name(&self, index: u32) -> &'a str {
        self.get(index).definition.name_str()
    }

    pub(super) fn definitions(&self) -> impl Iterator<Item = &'a Definition> {
        self.indices().map(|index| &self.get(index).definition)
    }
}
