//! The event log of a test.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use crate::observe::event::Event;
use crate::sys::sync::std_lock;

/// The events of a test: the newest ones, up to a limit.
#[derive(Clone, Debug, Default)]
pub(crate) struct EventLog(Arc<Mutex<EventLogState>>);

/// The content of an [`EventLog`].
#[derive(Debug, Default)]
pub(crate) struct EventLogState {
    pub(crate) events: VecDeque<Event>,
    /// The number of older events that were discarded.
    pub(crate) discarded: u64,
}

impl EventLogState {
    /// The number of events so far, including the discarded ones.
    pub(crate) fn total(&self) -> u64 {
        self.discarded + self.events.len() as u64
    }

    /// The events after the first `total`.
    pub(crate) fn since(&self, total: u64) -> impl Iterator<Item = &Event> {
        let first = total.saturating_sub(self.discarded);
        self.events.iter().skip(usize::try_from(first).unwrap_or(usize::MAX))
    }
}

impl EventLog {
    /// The maximum number of events that are kept.
    const MAX_EVENTS: usize = 100_000;

    pub(crate) fn read<T>(&self, read: impl FnOnce(&EventLogState) -> T) -> T {
        read(&self.lock())
    }

    pub(super) fn add(&self, event: &Event) {
        let mut log = self.lock();
        if log.events.len() >= Self::MAX_EVENTS {
            log.events.pop_front();
            log.discarded += 1;
        }
        log.events.push_back(event.clone());
    }

    fn lock(&self) -> MutexGuard<'_, EventLogState> {
        std_lock(&self.0)
    }
}
