//! Storage for the values of `Local` parameters between the runs of a service.

use std::any::{Any, TypeId};
use std::cell::Cell;

/// A value of one `Local<T>`, with its type erased.
pub(crate) type LocalValue = Box<dyn Any + Send>;

/// The values of a service's `Local` parameters between its runs.
#[derive(Default)]
pub(crate) struct Locals {
    slots: Vec<Slot>,
    /// Incremented when all values are discarded, so that an older value is not put back.
    generation: u64,
}

/// One `Local<T>`: its type, and its value unless a run holds it.
type Slot = (TypeId, Option<LocalValue>);

/// The slot that a value was taken from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SlotId {
    index: usize,
    generation: u64,
}

/// User values to be dropped while no lock is held.
#[must_use = "dropping these runs user code; do it without holding a lock"]
pub(crate) struct Discarded {
    _slots: Vec<Slot>,
}

impl Locals {
    /// Removes every value. The caller drops the result after releasing the lock.
    pub(crate) fn discard(&mut self) -> Option<Discarded> {
        self.generation += 1;
        let slots = std::mem::take(&mut self.slots);
        (!slots.is_empty()).then_some(Discarded { _slots: slots })
    }

    /// Takes the value of the first slot for `id` that is not in the set `held`, and adds that slot
    /// to the set. If there is none, adds a slot, which has no value yet.
    pub(crate) fn take(&mut self, id: TypeId, held: &Cell<u64>) -> (SlotId, Option<LocalValue>) {
        let free = |slot: usize| held.get() & (1 << slot) == 0;
        let found = (0..self.slots.len()).find(|slot| self.slots[*slot].0 == id && free(*slot));
        let slot = found.unwrap_or_else(|| {
            self.slots.push((id, None));
            self.slots.len() - 1
        });
        held.set(held.get() | (1 << slot));
        (SlotId { index: slot, generation: self.generation }, self.slots[slot].1.take())
    }

    /// Stores `value` for the next run. If its generation has been discarded, returns it instead.
    ///
    /// The caller drops the result after releasing the lock.
    pub(crate) fn put_back(&mut self, slot: SlotId, value: LocalValue) -> Option<LocalValue> {
        match self.slots.get_mut(slot.index) {
            Some((_, kept)) if slot.generation == self.generation => kept.replace(value),
            Some(_) | None => Some(value),
        }
    }
}
