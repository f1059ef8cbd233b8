//! When which service is due: a queue with the earliest first.
//!
//! A heap, and beside it a plain queue for what comes in order anyway, as services of one period do
//! again and again. There it costs next to nothing to go in or out, however many there are.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::nanos::Nanos;

/// Due times of services, by index; at one instant the lower index comes first.
#[derive(Debug, Default)]
pub struct Timers {
    in_order: VecDeque<(Nanos, u32)>,
    heap: BinaryHeap<Reverse<(Nanos, u32)>>,
}

impl Timers {
    /// Adds a due time of a service.
    pub fn push(&mut self, due: Nanos, index: u32) {
        let entry = (due, index);
        // One that is far away must not keep the others out for as long: it goes to the heap.
        if self.is_before_last(entry) {
            self.heap.extend(self.in_order.pop_back().map(Reverse));
        }
        if self.is_before_last(entry) {
            self.heap.push(Reverse(entry));
        } else {
            self.in_order.push_back(entry);
        }
    }

    fn is_before_last(&self, entry: (Nanos, u32)) -> bool {
        self.in_order.back().is_some_and(|last| entry < *last)
    }

    /// Whether the earliest is in the heap.
    #[inline]
    fn heap_is_first(&self) -> bool {
        match (self.in_order.front(), self.heap.peek()) {
            (Some(first), Some(Reverse(other))) => other < first,
            (None, _) => true,
            (Some(_), None) => false,
        }
    }

    /// The earliest.
    #[inline]
    pub fn peek(&self) -> Option<(Nanos, u32)> {
        if self.heap_is_first() {
            self.heap.peek().map(|Reverse(entry)| *entry)
        } else {
            self.in_order.front().copied()
        }
    }

    /// Takes the earliest.
    #[inline]
    pub fn pop(&mut self) -> Option<(Nanos, u32)> {
        if self.heap_is_first() {
            self.heap.pop().map(|Reverse(entry)| entry)
        } else {
            self.in_order.pop_front()
        }
    }

    /// When the second one is due.
    pub fn second(&self) -> Option<Nanos> {
        let in_order = self.in_order.iter().take(2).map(|(due, _)| *due);
        // The two below the top of a heap are its next ones. Nobody promises that they lie here; the
        // test would tell, and a stand-by that looks too late is not counted on.
        let heap = self.heap.as_slice().iter().take(3).map(|Reverse((due, _))| *due);
        let (_, second) =
            in_order.chain(heap).fold((Nanos::MAX, Nanos::MAX), |(first, second), due| {
                if due < first { (due, first) } else { (first, second.min(due)) }
            });
        (self.len() > 1).then_some(second)
    }

    /// Whether there are no due times.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number of due times.
    #[must_use]
    pub fn len(&self) -> usize {
        self.in_order.len() + self.heap.len()
    }

    /// Reserves memory for `capacity` due times in all.
    pub fn reserve(&mut self, capacity: usize) {
        self.in_order.reserve(capacity.saturating_sub(self.len()));
    }

    /// Removes all due times.
    pub fn clear(&mut self) {
        self.in_order.clear();
        self.heap.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Whatever goes in and out, and in which order.
        #[test]
        fn the_earliest_comes_first(acts in prop::collection::vec(prop::option::of((0..20_u64, 0..9_u32)), 0..80)) {
            let (mut timers, mut all) = (Timers::default(), Vec::new());
            for act in acts {
                if let Some((due, index)) = act {
                    timers.push(due, index);
                    all.push((due, index));
                    all.sort_unstable();
                } else {
                    let first = (!all.is_empty()).then(|| all.remove(0));
                    prop_assert_eq!(timers.pop(), first);
                }
                prop_assert_eq!(timers.len(), all.len());
                prop_assert_eq!(timers.peek(), all.first().copied());
                prop_assert_eq!(timers.second(), all.get(1).map(|(due, _)| *due));
            }
        }
    }

    #[test]
    fn what_comes_in_order_stays_out_of_the_heap() {
        let mut timers = Timers::default();
        // One that is far away is no obstacle.
        timers.push(1_000_000, 4);
        (0..4).for_each(|index| timers.push(5, index));
        for _ in 0..1_000 {
            let (due, index) = timers.pop().expect("five of them");
            timers.push(due + 10, index);
        }
        assert_eq!((timers.in_order.len(), timers.heap.len()), (4, 1));
    }
}
