//! The services of a runner, sorted by name: for the start order and for look-ups.

use crate::plan::instances::Instances;

/// Indices of services, sorted by name. Duplicate names are a fault, but are kept in the order in which
/// they were added.
#[derive(Debug, Default)]
pub(crate) struct Names {
    sorted: Vec<u32>,
}

impl Names {
    /// Adds the services that were added since the last call.
    pub(crate) fn update(&mut self, instances: &Instances<'_>) {
        let known = self.sorted.len();
        let mut new = instances.indices().skip(known);
        if new.len() == 1
            && let Some(index) = new.next()
        {
            let position =
                self.sorted.partition_point(|old| instances.name(*old) <= instances.name(index));
            self.sorted.insert(position, index);
            return;
        }
        self.sorted.extend(new);
        if known == self.sorted.len() {
            return;
        }
        let is_sorted = |indices: &[u32]| indices.is_sorted_by_key(|index| instances.name(*index));
        // Declared services are always sorted already.
        if !is_sorted(&self.sorted[known..]) {
            sort_by_name(&mut self.sorted[known..], instances);
        }
        if !is_sorted(&self.sorted[known.saturating_sub(1)..=known]) {
            // This sort is stable, and linear for two sorted parts.
            self.sorted.sort_by_key(|index| instances.name(*index));
        }
    }

    /// All indices, sorted by name.
    pub(crate) fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    /// The service with this name; the first one if there are several.
    pub(crate) fn find(&self, name: &str, instances: &Instances<'_>) -> Option<u32> {
        let position = self.sorted.partition_point(|index| instances.name(*index) < name);
        self.sorted.get(position).copied().filter(|index| instances.name(*index) == name)
    }
}

/// Sorts by name, then by index.
///
/// Generated names such as `service-1234` share a prefix, and usually differ in the eight bytes after
/// it. Comparing these bytes as a number, instead of the whole names, shortens the start of 10,000
/// services by a quarter.
fn sort_by_name(indices: &mut [u32], instances: &Instances<'_>) {
    let first = instances.name(indices[0]).as_bytes();
    let shared = |index: &u32| {
        let pairs = first.iter().zip(instances.name(*index).as_bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let common = indices.iter().map(shared).min().unwrap_or(0);
    let key = |index: u32| {
        let rest = &instances.name(index).as_bytes()[common..];
        let mut bytes = [0; 8];
        let length = rest.len().min(8);
        bytes[..length].copy_from_slice(&rest[..length]);
        u64::from_be_bytes(bytes)
    };
    let mut keyed: Vec<_> = indices.iter().map(|index| (key(*index), *index)).collect();
    keyed.sort_unstable();
    for undecided in keyed.chunk_by_mut(|(a, _), (b, _)| a == b) {
        undecided.sort_by_cached_key(|(_, index)| (instances.name(*index), *index));
    }
    for (slot, (_, index)) in indices.iter_mut().zip(keyed) {
        *slot = index;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::service::builder::Service;
    use crate::service::environment::Environment;
    use crate::service::instance::Instance;
    use crate::service::settings::SettingsCache;

    fn instance(name: String) -> Instance {
        let definition = Service::new(name, |_| {}).into_definition(&SettingsCache::default());
        Instance::new(definition, Arc::new(Environment::default()))
    }

    /// Similar and different names, some shorter or longer than a key of eight bytes, some duplicates.
    fn names() -> impl Strategy<Value = Vec<String>> {
        let name = prop_oneof!["service-[0-9]{1,4}", "[ab]{0,3}", "service-0000000[0-9]{0,4}é?\0?"];
        prop::collection::vec(name, 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
        #[test]
        fn names_are_sorted_and_found_in_batches_of_any_size(batches in prop::collection::vec(names(), 1..4)) {
            let (mut all, mut known) = (Vec::new(), Names::default());
            for batch in batches {
                all.extend(batch.into_iter().map(instance));
                let count = u32::try_from(all.len()).expect("few");
                let instances = Instances { count, get: &|index| &all[index as usize] };
                known.update(&instances);
                let mut expected: Vec<u32> = instances.indices().collect();
                expected.sort_by_key(|index| instances.name(*index));
                prop_assert_eq!(known.sorted(), &expected);
                for index in instances.indices() {
                    let first = instances.indices().find(|first| instances.name(*first) == instances.name(index));
                    prop_assert_eq!(known.find(instances.name(index), &instances), first);
                }
                prop_assert_eq!(known.find("nobody", &instances), None);
            }
        }
    }
}
