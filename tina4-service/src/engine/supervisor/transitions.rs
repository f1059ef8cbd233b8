//! Carries out, counts and reports the transitions of the life cycles.

use std::sync::Arc;
use std::time::Duration;

use super::{FollowUp, Supervisor};
use crate::observe::event::Change;
use crate::observe::stats::Stats;
use tina4_service_core::lifecycle::{Crash, EndReason, RunOutcome, State, Transition};
use tina4_service_core::{Exit, Nanos};

impl Supervisor {
    /// Carries out the effects of a transition, counts it and reports it.
    pub(super) fn apply_transition(&mut self, index: u32, transition: Transition, now: Nanos) {
        let service = self.registry.get_mut(index);
        let change = match transition {
            Transition::Started => {
                self.deferred.wake(service.instance.reset());
                self.deferred.discard(service.instance.take_locals());
                let by = self.requester.as_ref().filter(|(of, _)| *of == index);
                service.record_start(by.map(|(_, by)| by.clone()), now);
                if self.shutdown.forget_report() {
                    self.begin_start_up(now);
                }
                self.availability.has_begun = true;
                let services = self.registry.left_out(index);
                if !services.is_empty() {
                    self.record(index, Change::Started, now);
                    return self.record(index, Change::LeftOut { services }, now);
                }
                Change::Started
            }
            Transition::WaitsForDependencies => {
                Change::WaitsFor { services: self.names_of_unready_dependencies(index) }
            }
            Transition::Blocked => {
                let is_critical = service.instance.definition.spec().critical;
                if is_critical && self.registry.is_blocked_for_good(index) {
                    self.follow_ups.push_back(FollowUp::ShutDown(index));
                }
                let reason = self.reason(index).unwrap_or_default();
                Change::Blocked { by: self.names_of_unready_dependencies(index), reason }
            }
            Transition::Unblocked => Change::Unblocked,
            Transition::Skipped { count, first } => {
                return self.record_skipped(index, count, first, now);
            }
            Transition::Recovered { crashes } => return self.log_recovery(index, crashes, now),
            Transition::Crashed {
                crash: Crash { message, .. },
                consecutive_crashes,
                restart_in,
            } => {
                service.record_failure(now);
                service.failures_mut().crashes += 1;
                service.failures_mut().last_error = Some(Arc::clone(&message));
                self.remember_error(index, &message);
                Change::Crashed { in_a_row: consecutive_crashes, cause: message, restart_in }
            }
            Transition::CrashedWhileStopping(Crash { message, panicked: true, .. }) => {
                Change::PanickedWhileStopping { cause: message }
            }
            // An error that a run returns after it was asked to stop is ignored.
            Transition::CrashedWhileStopping(Crash { panicked: false, .. }) => return,
            Transition::Returned { restart_in } => {
                Change::Returned { restart_in: Some(restart_in) }
            }
            Transition::ReturnedTooOften { error } => {
                service.record_failure(now);
                service.failures_mut().last_error = Some(error.into());
                Change::Returned { restart_in: None }
            }
            Transition::Restarted => {
                service.failures_mut().restarts += 1;
                service.record_restart();
                Change::Restarted
            }
            Transition::Stuck { running_for } => Change::Stuck { running_for },
            Transition::RunCancelled => {
                // Like a stop request, it ends the run's wait for the stop of another service: see
                // `stop_result`.
                self.changed = true;
                service.record_cancelling();
                self.deferred.wake(service.instance.cancel_run());
                return;
            }
            Transition::RunDropped => {
                self.deferred.wake(service.instance.drop_run());
                return;
            }
            Transition::CancelledRunEnded => {
                service.record_cancelled();
                self.deferred.wake(service.instance.withdraw_stop());
                // The run may have returned `Ok`, but it counts as a crash.
                self.deferred.discard(service.instance.take_locals());
                return;
            }
            Transition::Rescheduled => {
                service.record_reschedule(now);
                Change::Rescheduled { schedule: service.schedule().to_string().into() }
            }
            Transition::Paused => {
                service.record_pause(now);
                Change::Paused
            }
            Transition::Resumed => {
                service.record_resume(now);
                Change::Resumed
            }
            Transition::Stopping => {
                // A run of this service may be waiting for another service to stop, and must not
                // continue to: see `stop_result`.
                self.changed = true;
                self.deferred.wake(service.instance.request_stop());
                #[cfg(feature = "queue")]
                if let Some(queue) = service.instance.queue() {
                    for sleepers in queue.stop_jobs() {
                        self.deferred.wake(Some(sleepers));
                    }
                }
                Change::Stopping
            }
            Transition::Ended { reason, start_again } => {
                self.ended += 1;
                service.record_end(now, self.ended);
                self.deferred.discard(service.instance.take_locals());
                if reason == EndReason::Stopped && service.instance.definition.disabled().is_some()
                {
                    self.follow_ups.push_back(FollowUp::Disable(index));
                }
                if start_again {
                    self.follow_ups.push_back(FollowUp::StartAgain(index));
                }
                match reason {
                    EndReason::Stopped => Change::Stopped,
                    EndReason::Cancelled => Change::Cancelled,
                    EndReason::Finished => Change::Finished,
                    EndReason::Failed => self.fail(index),
                }
            }
            Transition::Abandoned { failed } => {
                self.ended += 1;
                service.record_end(now, self.ended);
                service.record_abandoned();
                self.remember_abandoned(index, now);
                let service = self.registry.get(index);
                let running_for = service.executing_for(now);
                if failed {
                    let change = self.fail(index);
                    self.record(index, change, now);
                }
                Change::Abandoned { running_for }
            }
            Transition::LateEnd => {
                self.changed = true;
                self.deferred.discard(service.instance.take_locals());
                self.shutdown.ended_late(service.instance.definition.name_str());
                Change::LateEnd
            }
        };
        self.record(index, change, now);
    }

    /// Handles the final failure of a service, and returns the change to report. If the service is
    /// critical, or blocks one that is, queues a shutdown.
    fn fail(&mut self, index: u32) -> Change {
        self.registry.get_mut(index).end_mut().has_failed = true;
        let blocked = self.registry.critical_services_blocked_by(index);
        self.follow_ups.extend(blocked.into_iter().map(FollowUp::ShutDown));
        let service = self.registry.get(index);
        let cause = service.failures().last_error.unwrap_or_else(|| "".into());
        if service.instance.definition.spec().critical {
            self.follow_ups.push_back(FollowUp::ShutDown(index));
        }
        Change::Failed { cause }
    }

    /// Reports a change of a service.
    pub(super) fn record(&mut self, index: u32, change: Change, now: Nanos) {
        if self.journal.has_subscribers() {
            self.journal.publish(&self.registry.get(index).instance, &change, now);
        }
        if self.notices.is_some() {
            self.note_change(index, &change, now);
        }
        self.log_change(index, change, now);
    }

    /// Reports to subscribers that a service is ready, if that matters to anyone: others depend on it,
    /// or it has the key `ready`.
    pub(super) fn record_ready(&mut self, index: u32, now: Nanos) {
        if self.journal.has_subscribers() {
            let service = self.registry.get(index);
            let has_key = service.instance.definition.spec().ready.is_some();
            if has_key || !service.dependents().is_empty() {
                self.journal.publish(&service.instance, &Change::Ready, now);
            }
        }
    }

    /// Counts and reports the clean-up hooks that failed.
    pub(super) fn record_failed_hooks(&mut self, index: u32, failures: Vec<Arc<str>>, now: Nanos) {
        if !failures.is_empty() {
            self.registry.get_mut(index).end_mut().failed_hooks += failures.len() as u64;
        }
        for cause in failures {
            self.record(index, Change::HookFailed { cause }, now);
        }
    }

    /// Reports the end of a run that lasted `duration` and has not crashed.
    // perf: a part of every run; the compiler does not inline it on its own.
    #[inline(always)]
    pub(super) fn record_run_end(&mut self, index: u32, duration: Nanos, now: Nanos) {
        if self.journal.wants_run_ends() {
            self.publish_last_run_end(index, duration, Exit::Wait, now);
        }
    }

    #[inline(never)]
    fn publish_last_run_end(
        &mut self,
        index: u32,
        duration: Nanos,
        exit: Exit<&Crash>,
        now: Nanos,
    ) {
        let service = self.registry.get(index);
        let outcome = service.life.run_outcome(exit);
        self.publish_run_end(index, service.stats.runs, duration, outcome, now);
    }

    /// Publishes the beginning of the last run.
    // perf: not inlined, so that a run of which nobody wants to know does not pay for it.
    #[inline(never)]
    pub(super) fn publish_run_begin(&mut self, index: u32, lateness: Nanos, now: Nanos) {
        let service = self.registry.get(index);
        let (run, lateness) = (service.stats.runs, Duration::from_nanos(lateness));
        let (trigger, by) = (service.trigger(run), service.requester(run));
        let change = Change::RunBegan { run, lateness, trigger, by };
        self.journal.publish(&service.instance, &change, now);
    }

    /// Publishes the end of the run with this number, and tells those who wait for one that ends well.
    pub(super) fn publish_run_end(
        &mut self,
        index: u32,
        run: u64,
        duration: Nanos,
        outcome: RunOutcome,
        now: Nanos,
    ) {
        if self.journal.has_subscribers() {
            let service = self.registry.get(index);
            let (took, trigger) = (Duration::from_nanos(duration), service.trigger(run));
            let by = service.requester(run);
            let change = Change::RunEnded { run, took, outcome, trigger, by };
            self.journal.publish(&service.instance, &change, now);
        }
        self.note_run_end(index, outcome, now);
    }

    /// Records and reports the end of a run that has crashed, or whose service was asked to stop. `count`
    /// adds it to the statistics.
    // perf: cold, so that the end of any other run pays nothing for it.
    #[cold]
    #[inline(never)]
    pub(super) fn record_unusual_end(
        &mut self,
        index: u32,
        (ended, duration): (Nanos, Nanos),
        exit: Exit<&Crash>,
        count: fn(&mut Stats, Nanos, Nanos),
        now: Nanos,
    ) {
        let service = self.registry.get_mut(index);
        // The result of an abandoned run is discarded.
        if service.life.state() == State::Abandoned {
            return;
        }
        let outcome = service.life.run_outcome(exit);
        if !outcome.is_ok() {
            service.record_not_ok(outcome);
        }
        self.remember_end(index, (ended, duration), exit);
        let service = self.registry.get_mut(index);
        count(&mut service.stats, ended, duration);
        service.count_duration(duration);
        if self.journal.wants_run_ends() {
            self.publish_last_run_end(index, duration, exit, now);
        }
    }

    /// Reports that a signal has asked the program to end.
    #[cfg(feature = "signals")]
    pub(crate) fn signal_arrived(&mut self, signal: crate::observe::signal::Signal) {
        self.journal.record_for_runner(Change::SignalReceived { signal }, &mut self.deferred);
    }
}
