//! The events of a test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::observe::event::Event;
use crate::sys::sync::std_lock;

/// The events of a test: the newest ones, up to a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record(Arc<Mutex<Recorded>>);

/// What a [`Record`] holds.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    pub(crate) events: VecDeque<Event>,
    /// The number of older events that were dropped.
    pub(crate) discarded: u64,
}

impl Recorded {
    /// The number of events so far, dropped ones included.
    pub(crate) fn total(&self) -> u64 {
        self.discarded + self.events.len() as u64
    }

    /// The events after the first `total`.
    pub(crate) fn since(&self, total: u64) -> impl Iterator<Item = &Event> {
        let first = total.saturating_sub(self.discarded);
        self.events.iter().skip(usize::try_from(first).unwrap_or(usize::MAX))
    }
}

impl Record {
    /// The number of events that are kept.
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
