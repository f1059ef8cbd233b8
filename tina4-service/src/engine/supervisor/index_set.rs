//! A set of services.

/// A set of services by index: a bit for each.
#[derive(Debug, Default)]
pub(super) struct IndexSet {
    words: Vec<u64>,
    len: usize,
}

impl IndexSet {
    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub(super) fn contains(&self, index: u32) -> bool {
        let (word, bit) = place(index);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Adds or removes a service.
    pub(super) fn set(&mut self, index: u32, is_in: bool) {
        if self.contains(index) == is_in {
            return;
        }
        let (word, bit) = place(index);
        if is_in {
            if self.words.len() <= word {
                self.words.resize(word + 1, 0);
            }
            self.words[word] |= bit;
            self.len += 1;
        } else {
            self.words[word] &= !bit;
            self.len -= 1;
        }
    }

    /// The indices in the set, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0_u32..).step_by(64).zip(&self.words).flat_map(|(first, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let next = (left != 0).then(|| first + left.trailing_zeros())?;
                left &= left - 1;
                Some(next)
            })
        })
    }
}

fn place(index: u32) -> (usize, u64) {
    (index as usize / 64, 1 << (index % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_112_a_set_of_services_has_what_was_added_and_not_removed() {
        let mut set = IndexSet::default();
        assert!(set.is_empty() && !set.contains(7));
        for index in [300, 0, 63, 64, 300] {
            set.set(index, true);
        }
        set.set(1_000, false);
        set.set(63, false);
        assert_eq!(set.iter().collect::<Vec<_>>(), [0, 64, 300]);
        [0, 64, 300].into_iter().for_each(|index| set.set(index, false));
        assert!(set.is_empty());
    }
}
