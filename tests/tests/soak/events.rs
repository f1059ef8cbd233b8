//! Counts the events of a runner that happen too often for a log line each.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};
use tests::{TIMEOUT, until};
use tina4_service::{Change, Event, Runner, Service};

/// The number of events of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Events {
    pub(crate) crashed_by_error: u64,
    pub(crate) crashed_by_panic: u64,
    /// Runs that were cancelled by their timeout.
    pub(crate) cancelled: u64,
    pub(crate) returned: u64,
    /// Events of any kind that this test was too slow for.
    pub(crate) missed: u64,
}

impl Events {
    pub(crate) fn crashed(&self) -> u64 {
        self.crashed_by_error + self.crashed_by_panic + self.cancelled
    }

    /// Whether an exact count agrees with the number of events that were seen.
    pub(crate) fn agree(&self, exact: u64, seen: u64) -> bool {
        (seen..=seen + self.missed).contains(&exact)
    }

    fn add(&mut self, change: &Change) {
        if let Change::Crashed { cause, .. } = change {
            if cause.starts_with("panicked") {
                self.crashed_by_panic += 1;
            } else if cause.starts_with("cancelled") {
                self.cancelled += 1;
            } else {
                self.crashed_by_error += 1;
            }
        } else if let Change::Missed { count } = change {
            self.missed += count;
        } else if matches!(change, Change::Returned { .. }) {
            self.returned += 1;
        }
    }
}

/// Counts the events of one runner in a thread of its own.
pub(crate) struct Counter {
    events: Receiver<Event>,
    is_over: Arc<AtomicBool>,
    counts: Receiver<Events>,
}

impl Counter {
    pub(crate) fn new(runner: &Runner) -> Self {
        let (events, is_over) = (runner.subscribe(), Arc::new(AtomicBool::new(false)));
        let (sender, counts) = bounded(1);
        let (received, told) = (events.clone(), Arc::clone(&is_over));
        tests::spawn(move || {
            let _ = sender.send(count(&received, &told));
        });
        Self { events, is_over, counts }
    }

    /// The events until now. The runner must have ended everything.
    pub(crate) fn end(self, runner: &Runner) -> Events {
        until("all events are counted", || self.events.is_empty());
        // Another event tells how many were missed before it.
        runner.register(Service::new("last", |_| {})).expect("a new name");
        self.is_over.store(true, Ordering::SeqCst);
        self.counts.recv_timeout(TIMEOUT).expect("it only counts")
    }
}

fn count(events: &Receiver<Event>, is_over: &AtomicBool) -> Events {
    let mut counts = Events::default();
    loop {
        // Before the look: everything was sent before the end.
        let is_over = is_over.load(Ordering::SeqCst);
        match events.recv_timeout(Duration::from_millis(20)) {
            Ok(event) => counts.add(&event.change),
            Err(RecvTimeoutError::Timeout) if !is_over => {}
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return counts,
        }
    }
}
