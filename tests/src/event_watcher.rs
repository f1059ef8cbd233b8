//! Waits for events of services.

use std::collections::HashMap;

use crossbeam_channel::Receiver;
use tina4_service::{Change, Event, Runner};

use crate::{Stopwatch, TIMEOUT};

/// Reads a runner's events. Each service has its own position, so that waiting for an event of one
/// service loses no event of another.
#[derive(Debug)]
pub struct EventWatcher {
    events: Receiver<Event>,
    seen: Vec<Event>,
    /// The position in `seen`, by service.
    read: HashMap<String, usize>,
}

impl EventWatcher {
    /// Subscribes to the events from now on.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self { events: runner.subscribe(), seen: Vec::new(), read: HashMap::new() }
    }

    /// Waits for the next change of `service` for which `wanted` returns true, and skips those
    /// before it.
    ///
    /// # Panics
    ///
    /// If that takes longer than [`TIMEOUT`]; shows the last events.
    #[track_caller]
    pub fn wait_for(&mut self, service: &str, wanted: impl Fn(&Change) -> bool) -> Event {
        let stopwatch = Stopwatch::start();
        let mut position = self.read.get(service).copied().unwrap_or(0);
        loop {
            while let Some(event) = self.seen.get(position) {
                position += 1;
                if event.service == service && wanted(&event.change) {
                    self.read.insert(service.to_owned(), position);
                    return event.clone();
                }
            }
            let left = TIMEOUT.saturating_sub(stopwatch.elapsed());
            match self.events.recv_timeout(left) {
                Ok(event) if !left.is_zero() => self.seen.push(event),
                Ok(_) | Err(_) => {
                    let last = &self.seen[self.seen.len().saturating_sub(30)..];
                    panic!(
                        "timed out waiting for a change of `{service}`; the last events were {last:#?}"
                    )
                }
            }
        }
    }

    /// Waits until a run has begun.
    #[track_caller]
    pub fn wait_for_run_begin(&mut self, service: &str) -> Event {
        self.wait_for(service, |change| matches!(change, Change::RunBegan { .. }))
    }

    /// Waits until a run has ended.
    #[track_caller]
    pub fn wait_for_run_end(&mut self, service: &str) -> Event {
        self.wait_for(service, |change| matches!(change, Change::RunEnded { .. }))
    }

    /// Waits until a run has crashed.
    #[track_caller]
    pub fn wait_for_crash(&mut self, service: &str) -> Event {
        self.wait_for(service, |change| matches!(change, Change::Crashed { .. }))
    }

    /// Waits for exactly this change.
    #[track_caller]
    pub fn wait_for_change(&mut self, service: &str, wanted: &Change) -> Event {
        self.wait_for(service, |change| change == wanted)
    }

    /// Every change of `service` so far.
    pub fn changes(&mut self, service: &str) -> Vec<Change> {
        self.seen.extend(self.events.try_iter());
        self.seen
            .iter()
            .filter(|event| event.service == service)
            .map(|event| event.change.clone())
            .collect()
    }

    /// Every event so far.
    pub fn events(&mut self) -> &[Event] {
        self.seen.extend(self.events.try_iter());
        &self.seen
    }
}
