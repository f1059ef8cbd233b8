//! What the life cycles tell: counted, and passed on to subscribers and to the log.

use std::sync::Arc;
use std::time::Duration;

use super::{Supervisor, Todo};
use crate::engine::invoke::Crash;
use crate::observe::event::{Change, Event, LogLine};
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Ending, Transition};

/// Log lines that may wait to be written.
const MOST_LINES: usize = 10_000;

impl Supervisor {
    /// Counts what happened, and tells it.
    pub(super) fn apply_transition(
        &mut self,
        index: u32,
        transition: Transition,
        crash: Option<&Crash>,
        now: Nanos,
    ) {
        let service = &mut self.services[index as usize];
        let crash_text = || crash.map_or_else(|| "".into(), |crash| Arc::clone(&crash.text));
        let change = match transition {
            Transition::Started => {
                service.instance.renew();
                self.deferred.discarded.extend(service.instance.take_locals());
                service.end = None;
                self.last_report = None;
                Change::Started
            }
            Transition::Skipped(count) => {
                service.trouble_mut().skipped += count;
                Change::Skipped { count }
            }
            Transition::Crashed { in_a_row, restart_in } => {
                service.trouble_mut().crashes += 1;
                service.trouble_mut().last_error = Some(crash_text());
                Change::Crashed { in_a_row, cause: crash_text(), restart_in }
            }
            Transition::CrashedWhileStopping => match crash {
                Some(Crash { text, panicked: true, .. }) => {
                    Change::PanickedWhileStopping { cause: Arc::clone(text) }
                }
                // What it returned on its way out does not matter.
                Some(Crash { panicked: false, .. }) | None => return,
            },
            Transition::Returned { restart_in } => {
                if restart_in.is_none() {
                    service.trouble_mut().last_error =
                        Some("returned more often than `max_restarts`".into());
                }
                Change::Returned { restart_in }
            }
            Transition::Restarted => {
                service.trouble_mut().restarts += 1;
                Change::Restarted
            }
            Transition::Stuck { running_for } => Change::Stuck { running_for },
            Transition::Paused => Change::Paused,
            Transition::Resumed => Change::Resumed,
            Transition::Stopping => {
                // Somebody may wait inside this very service: see `stop_result`.
                self.news = true;
                self.deferred.sleepers.extend(service.instance.request_stop());
                Change::Stopping
            }
            Transition::Ended { ending, start_again } => {
                self.ends += 1;
                let end = service.end_mut();
                (end.at, end.nth) = (Some(now), self.ends);
                let discarded = service.instance.take_locals();
                self.deferred.discarded.extend(discarded);
                if start_again {
                    self.todo.push_back(Todo::StartAgain(index));
                }
                match ending {
                    Ending::Stopped => Change::Stopped,
                    Ending::Finished => Change::Finished,
                    Ending::Failed => self.fail(index),
                }
            }
            Transition::Abandoned { failed } => {
                self.ends += 1;
                let end = service.end_mut();
                (end.at, end.nth) = (Some(now), self.ends);
                let running_for =
                    Duration::from_nanos(now.saturating_sub(service.executing_since()));
                if failed {
                    let change = self.fail(index);
                    self.record(index, change, now);
                }
                Change::Abandoned { running_for }
            }
            Transition::LateEnd => {
                self.news = true;
                self.deferred.discarded.extend(service.instance.take_locals());
                let name = service.instance.definition.name_str();
                let reported = self.last_report.iter_mut().flat_map(|last| &mut last.services);
                reported
                    .filter(|service| service.name == name)
                    .for_each(|service| service.age = None);
                Change::LateEnd
            }
        };
        self.record(index, change, now);
    }

    /// A service has failed for good; if it is critical, everything stops.
    fn fail(&mut self, index: u32) -> Change {
        let service = self.service(index);
        let cause = service.trouble().last_error.unwrap_or_else(|| "".into());
        if service.instance.definition.spec().critical {
            self.todo.push_back(Todo::ShutDown(index));
        }
        Change::Failed { cause }
    }

    /// Tells subscribers at once, and the log once the lock is released.
    pub(super) fn record(&mut self, index: u32, change: Change, now: Nanos) {
        if !self.subscribers.is_empty() {
            self.tell_subscribers(index, &change, now);
        }
        if LogLine::is_for(&change) {
            let instance = Some(Arc::clone(&self.service(index).instance));
            self.log(LogLine { instance, change });
        }
    }

    /// The same for what concerns the runner as a whole.
    pub(super) fn record_of_runner(&mut self, change: Change) {
        if !self.subscribers.is_empty() {
            let at = self.env.clock.wall();
            self.subscribers.send(&Event { service: "".into(), at, change: change.clone() });
        }
        self.log(LogLine { instance: None, change });
    }

    /// A signal has asked the program to end.
    #[cfg(feature = "signals")]
    pub(crate) fn signal_arrived(&mut self, signal: crate::observe::signal::Signal) {
        self.record_of_runner(Change::SignalReceived { signal });
    }

    /// Puts a line aside. While the log blocks, so many may wait; then lines are lost, and counted.
    pub(super) fn log(&mut self, line: LogLine) {
        let log = &mut self.deferred.log;
        if self.exiting {
            return line.done();
        }
        if log.len() >= MOST_LINES {
            self.lost_lines += 1;
            return line.done();
        }
        if self.lost_lines > 0 {
            let change = Change::Missed { count: std::mem::take(&mut self.lost_lines) };
            log.push(LogLine { instance: None, change });
        }
        log.push(line);
    }

    pub(super) fn tell_subscribers(&mut self, index: u32, change: &Change, now: Nanos) {
        let service = self.service(index).instance.definition.name();
        let at = self.env.clock.wall_at(now);
        self.subscribers.send(&Event { service, at, change: change.clone() });
    }
}
