//! Finds services by name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hasher, RandomState};

/// The services of a runner, by name. The names themselves stay in the services: the caller passes a
/// function that reads the name of a service.
///
/// A hash table from the hash of the name to the index of the service. If the slot of a hash is taken by
/// another name, the service gets the next free one (linear probing), so that names with equal hashes
/// are told apart.
#[derive(Debug, Default)]
pub(crate) struct Names<S = RandomState> {
    slots: HashMap<u64, u32, BuildHasherDefault<Unchanged>>,
    hasher: S,
}

impl<S: BuildHasher> Names<S> {
    /// The service with this name.
    pub(crate) fn find<'a>(&self, name: &str, name_of: impl Fn(u32) -> &'a str) -> Option<u32> {
        self.slots.get(&self.slot(name, name_of)).copied()
    }

    /// Adds a service with this name, unless another one has it; then returns that one.
    pub(crate) fn insert<'a>(
        &mut self,
        name: &str,
        index: u32,
        name_of: impl Fn(u32) -> &'a str,
    ) -> Result<(), u32> {
        let mut slot = self.hash(name);
        // perf: one search for each slot, as every registration comes here.
        loop {
            match self.slots.entry(slot) {
                Entry::Vacant(free) => {
                    free.insert(index);
                    return Ok(());
                }
                Entry::Occupied(other) if name_of(*other.get()) == name => return Err(*other.get()),
                Entry::Occupied(_) => slot = slot.wrapping_add(1),
            }
        }
    }

    /// Removes the service with this name, and returns it.
    pub(crate) fn remove<'a>(
        &mut self,
        name: &str,
        name_of: impl Fn(u32) -> &'a str,
    ) -> Option<u32> {
        let mut slot = self.slot(name, &name_of);
        let removed = self.slots.remove(&slot)?;
        // The services in the slots after this one may have been displaced by it.
        loop {
            slot = slot.wrapping_add(1);
            let Some(displaced) = self.slots.remove(&slot) else {
                return Some(removed);
            };
            let free = self.slot(name_of(displaced), &name_of);
            self.slots.insert(free, displaced);
        }
    }

    fn hash(&self, name: &str) -> u64 {
        // perf: without the byte that `str` adds to tell apart the fields of a larger key.
        let mut hasher = self.hasher.build_hasher();
        hasher.write(name.as_bytes());
        hasher.finish()
    }

    /// The slot of the service with this name, or the free one in which it belongs.
    fn slot<'a>(&self, name: &str, name_of: impl Fn(u32) -> &'a str) -> u64 {
        let mut slot = self.hash(name);
        while self.slots.get(&slot).is_some_and(|index| name_of(*index) != name) {
            slot = slot.wrapping_add(1);
        }
        slot
    }
}

/// The hasher of keys that are hashes already.
#[derive(Clone, Copy, Debug, Default)]
struct Unchanged(u64);

impl Hasher for Unchanged {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `u64` keys are used; this keeps the trait's promise for any other.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Few different hashes, the largest one included, so that most names collide.
    #[derive(Default)]
    struct FewHashes(u64);

    impl Hasher for FewHashes {
        fn finish(&self) -> u64 {
            u64::MAX - self.0 % 3
        }

        fn write(&mut self, bytes: &[u8]) {
            self.0 = bytes.iter().fold(self.0, |sum, byte| sum + u64::from(*byte));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]
        #[test]
        fn rule_36_names_are_found_and_free_again_even_if_their_hashes_are_equal(
            steps in prop::collection::vec((any::<bool>(), 0..12_usize), 0..80),
        ) {
            const NAMES: [&str; 12] = ["a", "b", "c", "d", "e", "f", "aa", "ab", "ba", "", "é", "g"];
            let mut names = Names::<BuildHasherDefault<FewHashes>>::default();
            // The services ever added; the index of each is its position.
            let mut all: Vec<&str> = Vec::new();
            let mut expected = BTreeMap::new();
            for (is_insertion, nth) in steps {
                let name = NAMES[nth];
                let name_of = |index: u32| all[index as usize];
                if is_insertion {
                    let index = u32::try_from(all.len()).expect("few");
                    all.push(name);
                    let answer = names.insert(name, index, |index| all[index as usize]);
                    match expected.get(name) {
                        Some(first) => prop_assert_eq!(answer, Err(*first)),
                        None => {
                            prop_assert_eq!(answer, Ok(()));
                            expected.insert(name, index);
                        }
                    }
                } else {
                    prop_assert_eq!(names.remove(name, name_of), expected.remove(name));
                }
                for name in NAMES {
                    let found = names.find(name, |index| all[index as usize]);
                    prop_assert_eq!(found, expected.get(name).copied());
                }
            }
        }
    }
}
