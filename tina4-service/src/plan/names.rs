//! The services of a runner in the order of their names: to start in, and to be found by.

use super::Instances;

/// Every service by its name; of those with one name, which is a fault, the first one first.
#[derive(Debug, Default)]
pub(crate) struct Names {
    sorted: Vec<u32>,
}

impl Names {
    /// Takes in the services that were added since.
    pub(crate) fn update(&mut self, instances: &Instances<'_>) {
        let known = self.sorted.len();
        let mut new = instances.indices().skip(known);
        if new.len() == 1
            && let Some(index) = new.next()
        {
            let place =
                self.sorted.partition_point(|old| instances.name(*old) <= instances.name(index));
            self.sorted.insert(place, index);
            return;
        }
        self.sorted.extend(new);
        if known == self.sorted.len() {
            return;
        }
        let is_sorted = |indices: &[u32]| indices.is_sorted_by_key(|index| instances.name(*index));
        // As declared services always are.
        if !is_sorted(&self.sorted[known..]) {
            sort_by_name(&mut self.sorted[known..], instances);
        }
        if !is_sorted(&self.sorted[known.saturating_sub(1)..=known]) {
            // Stable, and linear for two parts that are sorted already.
            self.sorted.sort_by_key(|index| instances.name(*index));
        }
    }

    /// All indices, in the order of the names.
    pub(crate) fn sorted(&self) -> &[u32] {
        &self.sorted
    }

    /// The service of this name.
    pub(crate) fn find(&self, name: &str, instances: &Instances<'_>) -> Option<u32> {
        let place = self.sorted.partition_point(|index| instances.name(*index) < name);
        self.sorted.get(place).copied().filter(|index| instances.name(*index) == name)
    }
}

/// Sorts by name, then by index. Ten thousand names that are made from a number have a beginning in
/// common: numbers made from what comes right after it mostly decide, and compare fast.
fn sort_by_name(indices: &mut [u32], instances: &Instances<'_>) {
    let first = instances.name(indices[0]).as_bytes();
    let in_common = |index: &u32| {
        let pairs = first.iter().zip(instances.name(*index).as_bytes());
        pairs.take_while(|(a, b)| a == b).count()
    };
    let common = indices.iter().map(in_common).min().unwrap_or(0);
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
    for (place, (_, index)) in indices.iter_mut().zip(keyed) {
        *place = index;
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

    /// Names alike and not, too short for a number and too long for one, some of them twice.
    fn names() -> impl Strategy<Value = Vec<String>> {
        let name = prop_oneof!["service-[0-9]{1,4}", "[ab]{0,3}", "service-0000000[0-9]{0,4}é?\0?"];
        prop::collection::vec(name, 0..60)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
        /// Whatever is added, and however much at a time.
        #[test]
        fn names_are_in_order_and_found(batches in prop::collection::vec(names(), 1..4)) {
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
