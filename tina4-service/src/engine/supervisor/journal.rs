//! Reports changes: to subscribers immediately, and to the log once the lock is released.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use crossbeam_channel::Receiver;

use crate::engine::pool::deferred::DeferredQueue;
use crate::observe::event::{Change, Event};
use crate::observe::log::LogLine;
use crate::observe::subscribers::Subscribers;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use tina4_service_core::Nanos;

/// Reports changes to subscribers and to the log.
pub(super) struct Journal {
    env: Arc<Environment>,
    subscribers: Subscribers,
    /// Whether the ends of runs are to be reported although nobody subscribes: a service is broken or overdue, and
    /// hooks want to know when it is well again.
    awaits_success: bool,
    /// Whether anybody subscribes.
    // perf: a field, because every run checks it.
    has_subscribers: bool,
    /// Whether anybody subscribes, or a success is awaited.
    // perf: one field, because every run checks it.
    wants_run_ends: bool,
    /// While `start_all` starts many services: those that share a log line.
    pub(super) starting: Option<Starting>,
}

/// What the log lines about many services say.
#[derive(Default)]
pub(super) struct Starting {
    pub(super) started: Vec<u32>,
    pub(super) disabled: Vec<u32>,
    /// The services in the `after` of any of them that do not run here.
    pub(super) not_waited_for: BTreeSet<Cow<'static, str>>,
}

impl Journal {
    pub(super) fn new(env: Arc<Environment>) -> Self {
        let subscribers = Subscribers::default();
        Self {
            env,
            subscribers,
            awaits_success: false,
            has_subscribers: false,
            wants_run_ends: false,
            starting: None,
        }
    }

    pub(super) fn subscribe(&mut self) -> Receiver<Event> {
        let receiver = self.subscribers.add();
        self.note_readers();
        receiver
    }

    #[cfg(feature = "testing")]
    pub(super) fn set_event_log(&mut self, event_log: crate::observe::event_log::EventLog) {
        self.subscribers.record(event_log);
        self.note_readers();
    }

    /// The number of events that subscribers were too slow for.
    pub(super) fn events_missed(&self) -> u64 {
        self.subscribers.missed()
    }

    pub(super) fn has_subscribers(&self) -> bool {
        self.has_subscribers
    }

    /// Whether the ends of runs are to be reported to anybody.
    pub(super) fn wants_run_ends(&self) -> bool {
        self.wants_run_ends
    }

    /// Sets whether the ends of runs are to be reported although nobody subscribes.
    pub(super) fn set_awaits_success(&mut self, awaits_success: bool) {
        self.awaits_success = awaits_success;
        self.note_readers();
    }

    fn note_readers(&mut self) {
        self.has_subscribers = !self.subscribers.is_empty();
        self.wants_run_ends = self.awaits_success || self.has_subscribers;
    }

    /// Reports a change that concerns the runner as a whole.
    pub(super) fn record_for_runner(&mut self, change: Change, deferred: &mut DeferredQueue) {
        if self.has_subscribers() {
            let at = self.env.clock.wall();
            self.subscribers.send(&Event { service: "".into(), at, change: change.clone() });
            self.note_readers();
        }
        deferred.log(LogLine::of_runner(change));
    }

    /// Reports a change of a service to subscribers only.
    pub(super) fn publish(&mut self, instance: &Instance, change: &Change, now: Nanos) {
        let service = instance.definition.name();
        let at = self.env.clock.wall_at(now);
        self.subscribers.send(&Event { service, at, change: change.clone() });
        self.note_readers();
    }
}
