//! Which log lines there are, and what they say beyond the change itself.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::Supervisor;
use super::journal::Starting;
use super::shutdown::ShutdownInProgress;
use super::supervised::Supervised;
use crate::observe::event::Change;
use crate::observe::log::LogLine;
use crate::observe::log::entry::{Entry, Skipped, Started, StartedMany, StopWaits, StoppedMany};
use crate::observe::log_limits::LogLimits;
use crate::service::instance::Instance;
use crate::time::schedule::Schedule;
use crate::time::wall::{WallReading, wall_after, wall_time};
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::{DueTime, Lifecycle, State};

/// The number of services up to which a start or a stop of all writes one line for each.
pub(super) const MAX_LINES: usize = 50;

/// How long a stop waits before it says for which services; after that, each time it has waited twice as long.
const FIRST_WAIT: Nanos = 1_000_000_000;

impl Supervisor {
    /// Queues the log line about a change of a service, if there is one. Most kinds of change are always written;
    /// those that may repeat quickly have a limit.
    // perf: one `match`, because each stop writes two lines for each service.
    pub(super) fn log_change(&mut self, index: u32, change: Change, now: Nanos) {
        let left_out = match change {
            Change::Started => return self.log_started(index),
            Change::Restarted => return self.log_restart(index, now),
            // One line reports several of them: see `record_skipped`.
            Change::Skipped { .. } => return,
            // Only subscribers want to know these. Runs of services with a schedule have a span.
            Change::Registered
            | Change::Ready
            | Change::RunBegan { .. }
            | Change::RunEnded { .. } => return,
            // The lines about all services that are started or stopped together say so, too.
            Change::WaitsFor { .. } if self.journal.starting.is_some() => return,
            Change::Stopping if self.shutdown.stopped_together().is_some() => return,
            Change::LeftOut { services } => {
                return match &mut self.journal.starting {
                    Some(starting) => starting.not_waited_for.extend(services),
                    None => {
                        let change = Change::LeftOut { services };
                        self.log(index, Entry::Change { change, left_out: 0 });
                    }
                };
            }
            Change::Disabled { .. } => {
                if let Some(starting) = &mut self.journal.starting {
                    return starting.disabled.push(index);
                }
                Some(0)
            }
            Change::Crashed { restart_in, .. } => {
                let is_first = self.registry.get(index).failures().crashes == 1;
                let left_out = match restart_in {
                    Some(_) => self.log_limits(index).crashes.allow(now),
                    None => Some(self.registry.get_mut(index).take_crashes_left_out()),
                };
                return match left_out {
                    Some(_) if is_first => self.log(index, Entry::FirstCrash(change)),
                    Some(left_out) => self.log(index, Entry::Change { change, left_out }),
                    None => {}
                };
            }
            Change::Returned { restart_in: Some(_) } => self.log_limits(index).crashes.allow(now),
            Change::Returned { restart_in: None } => {
                Some(self.registry.get_mut(index).take_crashes_left_out())
            }
            Change::Stuck { .. } => self.log_limits(index).stuck.allow(now),
            #[cfg(feature = "queue")]
            Change::JobFailed { .. } | Change::JobLost { .. } => {
                self.log_limits(index).jobs.allow(now)
            }
            Change::Stopped
            | Change::Cancelled
            | Change::Finished
            | Change::Failed { .. }
            | Change::Abandoned { .. } => {
                // Nothing more happens to the service on its own.
                if let Some((count, first)) = self.registry.get_mut(index).take_unreported_skips() {
                    self.log_skipped(index, count, first);
                }
                let instance = &self.registry.get(index).instance;
                if matches!(change, Change::Stopped)
                    && let Some(stopped) = self.shutdown.stopped_together()
                {
                    return stopped.push(Arc::clone(instance));
                }
                Some(0)
            }
            Change::Rescheduled { .. }
            | Change::Unregistered
            | Change::WaitsFor { .. }
            | Change::Blocked { .. }
            | Change::Unblocked
            | Change::Reset
            | Change::Requested { .. }
            | Change::Refused { .. }
            | Change::Paused
            | Change::Resumed
            | Change::Stopping
            | Change::HookFailed { .. }
            | Change::PanickedWhileStopping { .. }
            | Change::LateEnd
            | Change::StillAlive
            | Change::ThreadFailed { .. }
            | Change::SignalReceived { .. }
            | Change::Quiescing { .. }
            | Change::Selected { .. }
            | Change::Missed { .. } => Some(0),
            #[cfg(feature = "queue")]
            Change::JobDied { .. } | Change::JobReturned { .. } => Some(0),
        };
        if let Some(left_out) = left_out {
            self.log(index, Entry::Change { change, left_out });
        }
    }

    fn log_limits(&mut self, index: u32) -> &mut LogLimits {
        self.registry.get_mut(index).log_limits_mut()
    }

    /// Writes that a service was started, or leaves that to the line about all services.
    fn log_started(&mut self, index: u32) {
        if let Some(starting) = &mut self.journal.starting {
            return starting.started.push(index);
        }
        let service = self.registry.get(index);
        let next = next_due_time(&service.life, self.env.clock.wall_reading());
        let schedule = service.schedule();
        self.log(index, Entry::Started(Box::new(Started { schedule, next })));
    }

    /// Writes that a service without due times runs again. The others are reported once they have recovered.
    fn log_restart(&mut self, index: u32, now: Nanos) {
        let service = self.registry.get_mut(index);
        if service.instance.definition.spec().schedule.is_periodic() {
            return;
        }
        let crashes = service.life.consecutive_crashes();
        if let Some(left_out) = service.log_limits_mut().recoveries.allow(now) {
            self.log(index, Entry::RunsAgain { crashes, left_out });
        }
    }

    /// Reports skipped due times: every time to subscribers, and once a minute to the log.
    pub(super) fn record_skipped(&mut self, index: u32, count: u64, first: DueTime, now: Nanos) {
        let service = self.registry.get_mut(index);
        service.failures_mut().skipped += count;
        let unreported = service.log_limits_mut().skips.add(count, first, now);
        if self.journal.has_subscribers() {
            let instance = &self.registry.get(index).instance;
            self.journal.publish(instance, &Change::Skipped { count }, now);
        }
        if let Some((count, first)) = unreported {
            self.log_skipped(index, count, first);
        }
    }

    /// Writes that a service has run well again after crashes.
    pub(super) fn log_recovery(&mut self, index: u32, crashes: u32, now: Nanos) {
        let limit = &mut self.log_limits(index).recoveries;
        if let Some(left_out) = limit.allow(now) {
            self.log(index, Entry::Recovered { crashes, left_out });
        }
    }

    /// Announces that `start_all` begins: whether there will be one line for all services. Returns the place of
    /// that line in the log.
    pub(super) fn begin_start_log(&mut self, order: &[u32]) -> usize {
        let has_line = |index: &&u32| {
            let service = self.registry.get(**index);
            super::start::starts_with_all(service) || service.life.state() == State::Disabled
        };
        if order.iter().filter(has_line).take(MAX_LINES + 1).count() > MAX_LINES {
            let started = Vec::with_capacity(order.len());
            self.journal.starting = Some(Starting { started, ..Starting::default() });
        } else {
            self.deferred.reserve_log(order.len());
        }
        self.deferred.log_length()
    }

    /// Writes one line for all services that were started, and one for those that are disabled, if they are too many
    /// for a line each.
    pub(super) fn end_start_log(&mut self, place: usize) {
        let Some(Starting { started, disabled, not_waited_for }) = self.journal.starting.take()
        else {
            return;
        };
        let mut of_many =
            |entry| self.deferred.insert_log(place, LogLine { instance: None, entry });
        if !disabled.is_empty() {
            let instance = |index: &u32| self.registry.get(*index).instance.clone();
            of_many(Entry::DisabledMany(disabled.iter().map(instance).collect()));
        }
        if started.is_empty() {
            return;
        }
        let services = || started.iter().map(|index| self.registry.get(*index));
        let is_waiting = |service: &&Supervised| service.life.is_waiting_for_dependencies();
        let reading = self.env.clock.wall_reading();
        let next = services().filter_map(|service| next_due_time(&service.life, reading)).min();
        let many = StartedMany {
            waiting: services().filter(is_waiting).count(),
            next,
            services: services().map(with_new_schedule).collect(),
            not_waited_for: not_waited_for.into_iter().collect(),
        };
        of_many(Entry::StartedMany(Box::new(many)));
    }

    /// Announces that `stop_all` begins: if it stops many services, they share a line.
    pub(super) fn begin_stop_log(&mut self) {
        let active = self.active;
        if let Some(current) = self.shutdown.current_mut().filter(|_| active > MAX_LINES) {
            current.stopped.get_or_insert_with(|| Vec::with_capacity(active));
        }
    }

    /// Writes one line for all services that this `stop_all` has stopped, if they are too many for a line each.
    pub(super) fn end_stop_log(&mut self, ended: &mut ShutdownInProgress, now: Nanos) {
        let instances = ended.stopped.take().unwrap_or_default();
        if !instances.is_empty() {
            let took = Duration::from_nanos(now.saturating_sub(ended.began));
            let entry = Entry::StoppedMany(Box::new(StoppedMany { instances, took }));
            self.deferred.log(LogLine { instance: None, entry });
        }
    }

    fn log_skipped(&mut self, index: u32, count: u64, first: DueTime) {
        let service = self.registry.get(index);
        let due = match first {
            DueTime::Instant(at) => Some(self.env.clock.wall_at(at)),
            DueTime::Occurrence(at) => wall_time(at),
        };
        // The run of the last occurrence may begin in the same step.
        let next = match service.life.running_since().and(service.life.run_occurrence()) {
            Some(at) => wall_time(at),
            None => next_due_time(&service.life, self.env.clock.wall_reading()),
        };
        let skipped = Skipped { count, schedule: service.schedule(), due, next };
        self.log(index, Entry::Skipped(Box::new(skipped)));
    }

    /// During a shutdown that takes long: writes which services it waits for, after a second and each time it has
    /// waited twice as long. Returns when to call this again.
    pub(super) fn log_slow_shutdown(&mut self, now: Nanos) -> Option<Nanos> {
        let current = self.shutdown.current_mut()?;
        let waited = now.saturating_sub(current.began);
        let due = current.report_at.unwrap_or(current.began.saturating_add(FIRST_WAIT));
        if due > now {
            current.report_at = Some(due);
            return Some(due);
        }
        let next = now.saturating_add(waited);
        current.report_at = Some(next);
        let limit = current.deadline;
        let stopping = |service: &&Supervised| service.life.stop_deadline().is_some();
        let services: Vec<_> = self.registry.iter().filter(stopping).collect();
        if !services.is_empty() {
            let behind = self.active.saturating_sub(services.len());
            let deadlines = services.iter().filter_map(|service| service.life.stop_deadline());
            let deadline = deadlines.min().unwrap_or(limit).min(limit);
            let names = services.iter().map(|service| service.instance.definition.name());
            let waits = StopWaits {
                services: names.collect(),
                behind,
                waited: Duration::from_nanos(waited),
                left: Duration::from_nanos(deadline.saturating_sub(now)),
            };
            let entry = Entry::StopWaits(Box::new(waits));
            self.deferred.log(LogLine { instance: None, entry });
        }
        Some(next)
    }

    /// [`Supervisor::log_slow_shutdown`] for the stop of one service.
    pub(super) fn log_slow_stop(&mut self, index: u32, now: Nanos) -> Option<Nanos> {
        if self.shutdown.is_in_progress() {
            return None;
        }
        let service = self.registry.get_mut(index);
        let deadline = service.life.stop_deadline()?;
        let name = service.instance.definition.name();
        let end = service.end_mut();
        let requested = end.stop_requested?;
        let due = end.report_at.unwrap_or(requested.saturating_add(FIRST_WAIT));
        if due > now {
            end.report_at = Some(due);
            return Some(due);
        }
        let waited = now.saturating_sub(requested);
        let next = now.saturating_add(waited);
        end.report_at = Some(next);
        let waits = StopWaits {
            services: vec![name],
            behind: 0,
            waited: Duration::from_nanos(waited),
            left: Duration::from_nanos(deadline.saturating_sub(now)),
        };
        self.deferred.log(LogLine { instance: None, entry: Entry::StopWaits(Box::new(waits)) });
        Some(next)
    }

    fn log(&mut self, index: u32, entry: Entry) {
        let instance = Some(self.registry.get(index).instance.clone());
        self.deferred.log(LogLine { instance, entry });
    }
}

/// A service, with its schedule if that was changed at run time.
fn with_new_schedule(service: &Supervised) -> (Arc<Instance>, Option<Box<Schedule>>) {
    let new = service.is_rescheduled().then(|| Box::new(service.schedule()));
    (service.instance.clone(), new)
}

/// The next due time of a service, if it is known.
pub(super) fn next_due_time(life: &Lifecycle, reading: WallReading) -> Option<SystemTime> {
    let occurrence = life.next_occurrence();
    occurrence.and_then(|(at, late)| wall_after(wall_time(at)?, late)).or_else(|| {
        let due = life.next_run().filter(|due| *due < Nanos::MAX);
        due.map(|due| reading.wall_rounded_up(due))
    })
}
