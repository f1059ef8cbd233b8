//! A bounded store of values that belong to many owners, in the order in which they were added.
//!
//! Each owner has a [`Chain`] of its values, oldest first, which it keeps itself; all values together form one list
//! as well. So the oldest value of an owner, and the oldest of all, are found and removed at once, however many
//! there are. The values are in one vector, whose slots are reused.

/// No place.
const NONE: u32 = u32::MAX;

/// The values of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    oldest: u32,
    newest: u32,
    len: u32,
}

impl Default for Chain {
    fn default() -> Self {
        Self { oldest: NONE, newest: NONE, len: 0 }
    }
}

impl Chain {
    /// The number of values.
    pub(crate) fn len(self) -> u32 {
        self.len
    }
}

/// The values of all owners. See the module documentation.
#[derive(Debug)]
pub(crate) struct Ledger<T> {
    slots: Vec<Slot<T>>,
    /// The first vacant place; each has the next one in `next`.
    vacant: u32,
    oldest: u32,
    newest: u32,
    len: u32,
}

#[derive(Debug)]
struct Slot<T> {
    /// `None`: the place is vacant.
    value: Option<T>,
    owner: u32,
    /// The next older and the next newer value of all.
    previous: u32,
    next: u32,
    /// The next newer value of the same owner.
    newer: u32,
}

impl<T> Default for Ledger<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), vacant: NONE, oldest: NONE, newest: NONE, len: 0 }
    }
}

impl<T> Ledger<T> {
    /// The number of values.
    pub(crate) fn len(&self) -> u32 {
        self.len
    }

    /// The owner of the oldest value.
    pub(crate) fn oldest_owner(&self) -> Option<u32> {
        self.slots.get(self.oldest as usize).map(|slot| slot.owner)
    }

    /// Adds a value as the newest one. `most`: how many values there can be, so that no more memory is taken.
    pub(crate) fn push(&mut self, chain: &mut Chain, owner: u32, value: T, most: u32) {
        let slot =
            Slot { value: Some(value), owner, previous: self.newest, next: NONE, newer: NONE };
        let place = match self.slots.get_mut(self.vacant as usize) {
            Some(vacant) => {
                let place = std::mem::replace(&mut self.vacant, vacant.next);
                *vacant = slot;
                place
            }
            None => {
                let len = self.slots.len();
                let place = u32::try_from(len).unwrap_or(NONE);
                if len == self.slots.capacity() {
                    let room = (most as usize).saturating_sub(len);
                    self.slots.reserve_exact(len.max(4).min(room).max(1));
                }
                self.slots.push(slot);
                place
            }
        };
        match self.slots.get_mut(self.newest as usize) {
            Some(newest) => newest.next = place,
            None => self.oldest = place,
        }
        match self.slots.get_mut(chain.newest as usize) {
            Some(newest) => newest.newer = place,
            None => chain.oldest = place,
        }
        (self.newest, chain.newest) = (place, place);
        self.len += 1;
        chain.len += 1;
    }

    /// Removes the oldest value of an owner.
    pub(crate) fn remove_oldest(&mut self, chain: &mut Chain) -> Option<T> {
        let place = chain.oldest;
        let slot = self.slots.get_mut(place as usize)?;
        let value = slot.value.take();
        let Slot { previous, next, newer, .. } = *slot;
        slot.next = std::mem::replace(&mut self.vacant, place);
        match self.slots.get_mut(previous as usize) {
            Some(previous) => previous.next = next,
            None => self.oldest = next,
        }
        match self.slots.get_mut(next as usize) {
            Some(next) => next.previous = previous,
            None => self.newest = previous,
        }
        chain.oldest = newer;
        if newer == NONE {
            chain.newest = NONE;
        }
        self.len -= 1;
        chain.len -= 1;
        value
    }

    /// Removes all values of an owner.
    pub(crate) fn clear(&mut self, chain: &mut Chain) {
        while self.remove_oldest(chain).is_some() {}
    }

    /// The newest value of an owner.
    pub(crate) fn newest_mut(&mut self, chain: Chain) -> Option<&mut T> {
        self.slots.get_mut(chain.newest as usize)?.value.as_mut()
    }

    /// The newest value of an owner for which this is true.
    #[cfg(feature = "queue")]
    pub(crate) fn find_mut(&mut self, chain: Chain, is_it: impl Fn(&T) -> bool) -> Option<&mut T> {
        let mut found = None;
        let mut place = chain.oldest;
        while let Some(slot) = self.slots.get(place as usize) {
            if slot.value.as_ref().is_some_and(&is_it) {
                found = Some(place);
            }
            place = slot.newer;
        }
        self.slots.get_mut(found? as usize)?.value.as_mut()
    }

    /// The values of an owner, oldest first.
    pub(crate) fn iter(&self, chain: Chain) -> impl Iterator<Item = &T> {
        let mut place = chain.oldest;
        std::iter::from_fn(move || {
            let slot = self.slots.get(place as usize)?;
            place = slot.newer;
            slot.value.as_ref()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::rng::SplitMix64;

    /// Random operations on a few owners, compared with a plain list.
    #[test]
    fn rule_110_chains_and_the_whole_list_keep_their_order() {
        const OWNERS: usize = 5;
        let mut random = SplitMix64::new(11);
        let mut ledger = Ledger::default();
        let mut chains = [Chain::default(); OWNERS];
        let mut model: Vec<(usize, u64)> = Vec::new();
        for number in 0..20_000_u64 {
            let owner = (random.next_u64() % OWNERS as u64) as usize;
            let chain = &mut chains[owner];
            match random.next_u64() % 8 {
                0..4 if model.len() < 40 => {
                    ledger.push(chain, owner as u32, number, 40);
                    model.push((owner, number));
                }
                0..6 => {
                    let oldest = model.iter().position(|(other, _)| *other == owner);
                    let expected = oldest.map(|oldest| model.remove(oldest).1);
                    assert_eq!(ledger.remove_oldest(chain), expected);
                }
                6 => {
                    ledger.clear(chain);
                    model.retain(|(other, _)| *other != owner);
                }
                _ => {
                    if let Some(oldest) = ledger.oldest_owner() {
                        let removed = ledger.remove_oldest(&mut chains[oldest as usize]);
                        assert_eq!(removed, Some(model.remove(0).1));
                    }
                }
            }
            assert_eq!(ledger.len() as usize, model.len());
            assert_eq!(ledger.oldest_owner(), model.first().map(|(owner, _)| *owner as u32));
            for (owner, chain) in chains.iter().enumerate() {
                let own = model.iter().filter(|(other, _)| *other == owner);
                let expected: Vec<_> = own.map(|(_, number)| *number).collect();
                assert_eq!(ledger.iter(*chain).copied().collect::<Vec<_>>(), expected);
                assert_eq!(chain.len() as usize, expected.len());
                assert_eq!(ledger.newest_mut(*chain).copied(), expected.last().copied());
            }
        }
        assert!(ledger.slots.capacity() <= 40, "{} places", ledger.slots.capacity());
    }
}
