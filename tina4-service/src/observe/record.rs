//! The events of a test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::observe::event::Event;
use crate::sys::sync::std_lock;

/// Every event of a test, up to so many of the last ones.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Recorded>>);

/// What a [`Record`] holds.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) events: VecDeque<Event>,
    /// How many earlier ones are not kept.
    pub(crate) discarded: u64,
}

impl Recorded {
    /// How many events there ever were.
    pub(crate) fn total(&self) -> u64 {
        self.discarded + self.events.len() as u64
    }

    /// Those after so many.
    pub(crate) fn since(&self, total: u64) -> impl Iterator<Item = &Event> {
        let first = total.saturating_sub(self.discarded);
        self.events.iter().skip(usize::try_from(first).unwrap_or(usize::MAX))
    }
}

impl Record {
    /// How many events are kept.
    const KEPT: usize = 100_000;

    pub(crate) fn read<T>(&self, look: impl FnOnce(&Recorded) -> T) -> T {
        look(&self.lock())
    }

    pub(super) fn add(&self, event: &Event) {
        let mut recorded = self.lock();
        if recorded.events.len() >= Self::KEPT {
            recorded.events.pop_front();
            recorded.discarded += 1;
        }
        recorded.events.push_back(event.clone());
    }

    fn lock(&self) -> MutexGuard<'_, Recorded> {
        std_lock(&self.0)
    }
}
