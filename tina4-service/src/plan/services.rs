//! The services of a runner, as a check sees them.

use crate::plan::directory::{Directory, Target};
use crate::plan::order::{Graph, Link};
use crate::service::definition::Definition;
use crate::service::instance::Instance;
use crate::service::registration::Dependency;

/// How many bytes of a name are in its sort key.
const KEY_BYTES: usize = 5;
/// The rest of the key.
const POSITION_MASK: u64 = (1 << 24) - 1;

/// Access to the services of a runner by index, independent of how they are stored.
pub(crate) struct Services<'a> {
    /// The indices of all services, in ascending order.
    pub(crate) indices: &'a [u32],
    pub(crate) directory: &'a Directory,
    /// Services whose name another one has already.
    pub(crate) duplicates: &'a [u32],
    /// The services with a queue.
    #[cfg(feature = "queue")]
    pub(crate) queue_services: &'a [u32],
    pub(crate) instance: &'a dyn Fn(u32) -> &'a Instance,
    /// Whether the schedule of a service was changed at run time.
    pub(crate) is_rescheduled: &'a dyn Fn(u32) -> bool,
    pub(crate) graph: Graph<'a>,
}

impl<'a> Services<'a> {
    pub(super) fn instance(&self, index: u32) -> &'a Instance {
        (self.instance)(index)
    }

    pub(super) fn definition(&self, index: u32) -> &'a Definition {
        &self.instance(index).definition
    }

    pub(super) fn name(&self, index: u32) -> &'a str {
        self.definition(index).name_str()
    }

    pub(super) fn dependencies(&self, index: u32) -> &'a [Link] {
        (self.graph.dependencies)(index)
    }

    pub(super) fn dependents(&self, index: u32) -> &'a [u32] {
        (self.graph.dependents)(index)
    }

    pub(super) fn target(&self, dependency: &Dependency<'a>) -> Target<'a> {
        self.directory.target(dependency, |index| self.name(index))
    }

    /// All indices, sorted by name, and by index where services have the same name.
    ///
    /// Generated names such as `service-1234` share a prefix, and usually differ in the five bytes
    /// after it. Sorting numbers made of these bytes and the index, instead of comparing the whole names,
    /// shortens the start of 10,000 services by a quarter.
    pub(super) fn by_name(&self) -> Vec<u32> {
        // Declared services are always sorted already.
        if self.indices.is_sorted_by_key(|index| self.name(*index)) {
            return self.indices.to_vec();
        }
        let first = self.indices.first().map_or("", |index| self.name(*index)).as_bytes();
        let shared = |index: &u32| {
            let pairs = first.iter().zip(self.name(*index).as_bytes());
            pairs.take_while(|(a, b)| a == b).count()
        };
        let common = self.indices.iter().map(shared).min().unwrap_or(0);
        // The position among the indices fills the bytes that the name leaves.
        let key = |(position, index): (u64, &u32)| {
            let rest = &self.name(*index).as_bytes()[common..];
            let mut bytes = [0; 8];
            let length = rest.len().min(KEY_BYTES);
            bytes[..length].copy_from_slice(&rest[..length]);
            u64::from_be_bytes(bytes) | position
        };
        if self.indices.len() > POSITION_MASK as usize {
            let mut sorted = self.indices.to_vec();
            sorted.sort_by(|a, b| self.name(*a).cmp(self.name(*b)));
            return sorted;
        }
        let mut keys: Vec<u64> = (0..).zip(self.indices).map(key).collect();
        keys.sort_unstable();
        let index = |key: u64| self.indices[(key & POSITION_MASK) as usize];
        for undecided in keys.chunk_by_mut(|a, b| a & !POSITION_MASK == b & !POSITION_MASK) {
            undecided.sort_by_cached_key(|key| (self.name(index(*key)), *key));
        }
        keys.into_iter().map(index).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::service::builder::Service;
    use crate::service::deployment::Deployment;
    use crate::service::environment::Environment;
    use crate::service::settings::SettingsCache;

    fn instance(name: String) -> Instance {
        let service = Service::new(name, |_| {});
        let definition = service.into_definition(&SettingsCache::default(), &Deployment::default());
        Instance::new(definition, Arc::new(Environment::default()))
    }

    /// Similar and different names, some shorter or longer than a key, some duplicates.
    fn names() -> impl Strategy<Value = Vec<String>> {
        let name = prop_oneof!["service-[0-9]{1,4}", "[ab]{0,3}", "service-0000000[0-9]{0,4}é?\0?"];
        prop::collection::vec(name, 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
        #[test]
        fn services_are_sorted_by_name_then_by_index(names in names()) {
            let all: Vec<_> = names.into_iter().map(instance).collect();
            let indices: Vec<u32> = (0_u32..).take(all.len()).collect();
            let directory = Directory::new(Default::default());
            let graph = Graph { limit: all.len(), dependencies: &|_| &[], dependents: &|_| &[] };
            let services = Services {
                indices: &indices,
                directory: &directory,
                duplicates: &[],
                #[cfg(feature = "queue")]
                queue_services: &[],
                instance: &|index| &all[index as usize],
                is_rescheduled: &|_| false,
                graph,
            };
            let mut expected = indices.clone();
            expected.sort_by_key(|index| services.name(*index));
            prop_assert_eq!(services.by_name(), expected);
        }
    }
}
