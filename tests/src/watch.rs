//! Waits for what happens to a service.

use std::collections::HashMap;

use crossbeam_channel::Receiver;
use tina4_service::{Change, Event, Runner};

use crate::{PATIENCE, Stopwatch};

/// Reads a runner's events. Each service is read at its own pace: an event of one that came before
/// that of another is not lost.
#[derive(Debug)]
pub struct Watch {
    events: Receiver<Event>,
    seen: Vec<Event>,
    /// How many of `seen` were looked at, for each service.
    read: HashMap<String, usize>,
}

impl Watch {
    /// Watches from now on.
    #[must_use]
    pub fn new(runner: &Runner) -> Self {
        Self { events: runner.subscribe(), seen: Vec::new(), read: HashMap::new() }
    }

    /// The next change of `service` that is `wanted`; those before it are passed over.
    ///
    /// # Panics
    ///
    /// If it does not come within [`PATIENCE`]; says what came instead.
    #[track_caller]
    pub fn until(&mut self, service: &str, wanted: impl Fn(&Change) -> bool) -> Event {
        let watch = Stopwatch::start();
        let mut place = self.read.get(service).copied().unwrap_or(0);
        loop {
            while let Some(event) = self.seen.get(place) {
                place += 1;
                if event.service == service && wanted(&event.change) {
                    self.read.insert(service.to_owned(), place);
                    return event.clone();
                }
            }
            let left = PATIENCE.saturating_sub(watch.elapsed());
            match self.events.recv_timeout(left) {
                Ok(event) if !left.is_zero() => self.seen.push(event),
                Ok(_) | Err(_) => {
                    let last = &self.seen[self.seen.len().saturating_sub(30)..];
                    panic!("waited in vain for a change of `{service}`; the last were {last:#?}")
                }
            }
        }
    }

    /// Waits until a run has begun.
    #[track_caller]
    pub fn began(&mut self, service: &str) -> Event {
        self.until(service, |change| matches!(change, Change::RunBegan { .. }))
    }

    /// Waits until a run has ended.
    #[track_caller]
    pub fn ended(&mut self, service: &str) -> Event {
        self.until(service, |change| matches!(change, Change::RunEnded { .. }))
    }

    /// Waits until a run has crashed.
    #[track_caller]
    pub fn crashed(&mut self, service: &str) -> Event {
        self.until(service, |change| matches!(change, Change::Crashed { .. }))
    }

    /// Waits for exactly this change.
    #[track_caller]
    pub fn change(&mut self, service: &str, wanted: &Change) -> Event {
        self.until(service, |change| change == wanted)
    }

    /// Every change of `service` up to now.
    pub fn all(&mut self, service: &str) -> Vec<Change> {
        self.seen.extend(self.events.try_iter());
        self.seen
            .iter()
            .filter(|event| event.service == service)
            .map(|event| event.change.clone())
            .collect()
    }

    /// Every event up to now.
    pub fn events(&mut self) -> &[Event] {
        self.seen.extend(self.events.try_iter());
        &self.seen
    }
}
