//! The timer queue: which service is due next.
//!
//! A FIFO queue holds due times that arrive in ascending order, such as those of services with the
//! same period; a push or pop takes constant time. All other due times go to a binary heap.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use crate::nanos::Nanos;

/// A due time, and the index of its service.
type Entry = (Nanos, u32);

/// Due times of services, by index, in ascending order; ties go to the lower index.
#[derive(Debug, Default)]
pub struct Timers {
    in_order: VecDeque<Entry>,
    /// The earliest entry that is not in `in_order`; the others are in `heap`. Stored separately,
    /// because `BinaryHeap` gives access only to its first entry, and [`Timers::second_due`] needs
    /// two.
    first_out_of_order: Option<Entry>,
    heap: BinaryHeap<Reverse<Entry>>,
}

impl Timers {
    /// Adds a due time of a service.
    #[inline]
    pub fn push(&mut self, due: Nanos, index: u32) {
        let entry = (due, index);
        if self.is_before_last(entry) {
            self.push_out_of_order(entry);
        } else {
            self.in_order.push_back(entry);
        }
    }

    /// Adds an entry that is earlier than the last one in order. That last entry moves to the heap;
    /// if it is far ahead, all later entries would otherwise end up there.
    // perf: not inlined, so that the usual case need not spill registers.
    #[inline(never)]
    fn push_out_of_order(&mut self, entry: Entry) {
        if let Some(last) = self.in_order.pop_back() {
            self.push_heap(last);
        }
        if self.is_before_last(entry) {
            self.push_heap(entry);
        } else {
            self.in_order.push_back(entry);
        }
    }

    fn is_before_last(&self, entry: Entry) -> bool {
        self.in_order.back().is_some_and(|last| entry < *last)
    }

    fn push_heap(&mut self, entry: Entry) {
        match &mut self.first_out_of_order {
            None => self.first_out_of_order = Some(entry),
            Some(first) => {
                let later = if entry < *first { std::mem::replace(first, entry) } else { entry };
                self.heap.push(Reverse(later));
            }
        }
    }

    /// Whether to take the next entry from `first_out_of_order` instead of `in_order`.
    #[inline]
    fn takes_out_of_order(&self) -> bool {
        match (self.in_order.front(), &self.first_out_of_order) {
            (Some(front), Some(first)) => first < front,
            (None, _) => true,
            (Some(_), None) => false,
        }
    }

    /// The earliest due time and its service.
    #[must_use]
    #[inline]
    pub fn peek(&self) -> Option<(Nanos, u32)> {
        if self.takes_out_of_order() {
            self.first_out_of_order
        } else {
            self.in_order.front().copied()
        }
    }

    /// Removes the earliest due time.
    #[inline]
    pub fn pop(&mut self) -> Option<(Nanos, u32)> {
        if self.takes_out_of_order() {
            let next = self.heap.pop().map(|Reverse(entry)| entry);
            std::mem::replace(&mut self.first_out_of_order, next)
        } else {
            self.in_order.pop_front()
        }
    }

    /// The second-earliest due time.
    #[must_use]
    pub fn second_due(&self) -> Option<Nanos> {
        let heap = self.heap.peek().map(|Reverse(entry)| entry);
        let candidates = self.in_order.iter().take(2).chain(&self.first_out_of_order).chain(heap);
        let (_, second) = candidates.fold((Nanos::MAX, Nanos::MAX), |(first, second), (due, _)| {
            if *due < first { (*due, first) } else { (first, second.min(*due)) }
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
    #[inline]
    pub fn len(&self) -> usize {
        self.in_order.len() + usize::from(self.first_out_of_order.is_some()) + self.heap.len()
    }

    /// Reserves memory for a total of `capacity` due times.
    pub fn reserve(&mut self, capacity: usize) {
        self.in_order.reserve(capacity.saturating_sub(self.len()));
    }

    /// Removes all due times.
    pub fn clear(&mut self) {
        self.in_order.clear();
        self.first_out_of_order = None;
        self.heap.clear();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(crate::proptest_config::config())]

        /// Pushes (`Some`) and pops (`None`) in random order.
        #[test]
        fn the_earliest_due_time_comes_first(steps in prop::collection::vec(prop::option::of((0..20_u64, 0..9_u32)), 0..80)) {
            let (mut timers, mut all) = (Timers::default(), Vec::new());
            for step in steps {
                if let Some((due, index)) = step {
                    timers.push(due, index);
                    all.push((due, index));
                    all.sort_unstable();
                } else {
                    let first = (!all.is_empty()).then(|| all.remove(0));
                    prop_assert_eq!(timers.pop(), first);
                }
                prop_assert_eq!(timers.len(), all.len());
                prop_assert_eq!(timers.peek(), all.first().copied());
                prop_assert_eq!(timers.second_due(), all.get(1).map(|(due, _)| *due));
            }
        }
    }

    #[test]
    fn due_times_in_ascending_order_stay_out_of_the_heap() {
        let mut timers = Timers::default();
        // A due time far ahead must not change that.
        timers.push(1_000_000, 4);
        (0..4).for_each(|index| timers.push(5, index));
        for _ in 0..1_000 {
            let (due, index) = timers.pop().expect("there are five");
            timers.push(due + 10, index);
        }
        assert_eq!((timers.in_order.len(), timers.first_out_of_order), (4, Some((1_000_000, 4))));
        assert!(timers.heap.is_empty());
    }
}
