//! What the life cycles tell: counted, and passed on to subscribers and to the log.

use std::sync::Arc;
use std::time::Duration;

use super::{Supervisor, Todo};
use crate::engine::invoke::Crash;
use crate::observe::event::{Change, Event, LogLine};
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{Ending, Note};

/// Log lines that may wait to be written.
const MOST_LINES: usize = 10_000;

impl Supervisor {
    /// Counts what happened, and tells it.
    pub(super) fn take_note(&mut self, index: u32, note: Note, crash: Option<&Crash>, now: Nanos) {
        let entry = &mut self.entries[index as usize];
        let crash_text = || crash.map_or_else(|| "".into(), |crash| Arc::clone(&crash.text));
        let change = match note {
            Note::Started => {
                entry.unit.renew();
                self.aftermath.forgotten.extend(entry.unit.forget_locals());
                entry.end = None;
                self.last_report = None;
                Change::Started
            }
            Note::Skipped(count) => {
                entry.trouble_mut().skipped += count;
                Change::Skipped { count }
            }
            Note::Crashed { in_a_row, restart_in } => {
                entry.trouble_mut().crashes += 1;
                entry.trouble_mut().last_error = Some(crash_text());
                Change::Crashed { in_a_row, cause: crash_text(), restart_in }
            }
            Note::CrashedWhileStopping => match crash {
                Some(Crash { text, panicked: true, .. }) => {
                    Change::PanickedWhileStopping { cause: Arc::clone(text) }
                }
                // What it returned on its way out does not matter.
                Some(Crash { panicked: false, .. }) | None => return,
            },
            Note::Returned { restart_in } => {
                if restart_in.is_none() {
                    entry.trouble_mut().last_error =
                        Some("returned more often than `max_restarts`".into());
                }
                Change::Returned { restart_in }
            }
            Note::Restarted => {
                entry.trouble_mut().restarts += 1;
                Change::Restarted
            }
            Note::Stuck { running_for } => Change::Stuck { running_for },
            Note::Paused => Change::Paused,
            Note::Resumed => Change::Resumed,
            Note::Stopping => {
                // Somebody may wait inside this very service: see `stop_result`.
                self.news = true;
                self.aftermath.wakes.extend(entry.unit.request_stop());
                Change::Stopping
            }
            Note::Ended { ending, start_again } => {
                self.ends += 1;
                let end = entry.end_mut();
                (end.at, end.nth) = (Some(now), self.ends);
                let forgotten = entry.unit.forget_locals();
                self.aftermath.forgotten.extend(forgotten);
                if start_again {
                    self.todo.push_back(Todo::StartAgain(index));
                }
                match ending {
                    Ending::Stopped => Change::Stopped,
                    Ending::Finished => Change::Finished,
                    Ending::Failed => self.fail(index),
                }
            }
            Note::Abandoned { failed } => {
                self.ends += 1;
                let end = entry.end_mut();
                (end.at, end.nth) = (Some(now), self.ends);
                let running_for = Duration::from_nanos(now.saturating_sub(entry.executing_since()));
                if failed {
                    let change = self.fail(index);
                    self.record(index, change, now);
                }
                Change::Abandoned { running_for }
            }
            Note::LateEnd => {
                self.news = true;
                self.aftermath.forgotten.extend(entry.unit.forget_locals());
                let name = entry.unit.definition.name_str();
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
        let entry = self.entry(index);
        let cause = entry.trouble().last_error.unwrap_or_else(|| "".into());
        if entry.unit.definition.spec().critical {
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
            let unit = Some(Arc::clone(&self.entry(index).unit));
            self.log(LogLine { unit, change });
        }
    }

    /// The same for what concerns the runner as a whole.
    pub(super) fn record_of_runner(&mut self, change: Change) {
        if !self.subscribers.is_empty() {
            let at = self.env.clock.wall();
            self.subscribers.send(&Event { service: "".into(), at, change: change.clone() });
        }
        self.log(LogLine { unit: None, change });
    }

    /// A signal has asked the program to end.
    #[cfg(feature = "signals")]
    pub(crate) fn signal_arrived(&mut self, signal: crate::observe::signal::Signal) {
        self.record_of_runner(Change::SignalReceived { signal });
    }

    /// Puts a line aside. While the log blocks, so many may wait; then lines are lost, and counted.
    pub(super) fn log(&mut self, line: LogLine) {
        let log = &mut self.aftermath.log;
        if self.exiting {
            return line.done();
        }
        if log.len() >= MOST_LINES {
            self.lost_lines += 1;
            return line.done();
        }
        if self.lost_lines > 0 {
            let change = Change::Missed { count: std::mem::take(&mut self.lost_lines) };
            log.push(LogLine { unit: None, change });
        }
        log.push(line);
    }

    pub(super) fn tell_subscribers(&mut self, index: u32, change: &Change, now: Nanos) {
        let service = self.entry(index).unit.definition.name();
        let at = self.env.clock.wall_at(now);
        self.subscribers.send(&Event { service, at, change: change.clone() });
    }
}
