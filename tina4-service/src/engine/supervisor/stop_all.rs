//! Stops all services, in order and under one deadline; also at the end of the process.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::log::MAX_LINES;
use super::supervised::Supervised;
use super::{FollowUp, Supervisor};
use crate::engine::current;
use crate::engine::pool::poll::Poll;
use crate::observe::stop_report::{StopReport, StoppedService};
use tina4_service_core::lifecycle::{Input, State};
use tina4_service_core::{Nanos, nanos};

impl Supervisor {
    pub(crate) fn stop_all(
        &mut self,
        timeout: Duration,
        critical: Option<Cow<'static, str>>,
        now: Nanos,
    ) {
        let is_blocked = |service: &Supervised| service.life.state() == State::Blocked;
        if self.is_idle() && !self.registry.iter().any(is_blocked) {
            // A shutdown without active or blocked services is over immediately. It does not replace a
            // report, unless a critical service caused it.
            if critical.is_some() || self.shutdown.report().is_none() {
                let report = self.report(now, now, critical);
                self.shutdown.set_report(report);
                self.changed = true;
            }
            return;
        }
        let deadline = now.saturating_add(nanos(timeout));
        self.changed |= self.shutdown.begin(now, deadline, critical);
        #[cfg(all(target_os = "linux", feature = "systemd"))]
        self.tell_service_manager_of_stop(now);
        self.follow_ups.reserve(self.registry.len());
        self.begin_stop_log();
        self.deferred.reserve_log(self.active.min(MAX_LINES));
        for index in self.registry.indices() {
            self.follow_ups.push_back(FollowUp::Stop(index));
        }
        self.follow_up(now);
    }

    /// Whether nothing is active and no shutdown is in progress.
    pub(crate) fn is_idle(&self) -> bool {
        self.active == 0 && !self.shutdown.is_in_progress()
    }

    #[cfg(feature = "signals")]
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_in_progress()
    }

    /// Whether a shutdown is in progress, or has ended and no service has been started since.
    #[cfg(feature = "signals")]
    pub(crate) fn has_shut_down(&self) -> bool {
        self.shutdown.is_in_progress() || self.shutdown.report().is_some()
    }

    /// Once the deadline of the shutdown has passed, abandons the services that have not stopped.
    /// Returns when to call this again while a shutdown is in progress: at its deadline or, once that has
    /// passed, when the first of the tasks that are being dropped is abandoned. Workers handle the earlier deadlines of
    /// individual services.
    pub(crate) fn advance_shutdown(&mut self, now: Nanos) -> Option<Nanos> {
        if self.shutdown.deadline().is_some_and(|deadline| deadline <= now) {
            self.expire(now);
        }
        let deadline = self.shutdown.deadline()?;
        let stop_deadlines =
            || self.registry.iter().filter_map(|service| service.life.stop_deadline());
        let next =
            if deadline > now { deadline } else { stop_deadlines().min().unwrap_or(deadline) };
        Some(self.log_slow_shutdown(now).map_or(next, |log_at| log_at.min(next)))
    }

    /// The report of the shutdown, once it is over.
    pub(crate) fn shutdown_result(&mut self, now: Nanos) -> Poll<StopReport> {
        match self.advance_shutdown(now) {
            Some(next) => Poll::Pending(Some(next)),
            None => Poll::Ready(self.shutdown.report().cloned().unwrap_or_default()),
        }
    }

    /// The state of the services while a shutdown is in progress.
    pub(crate) fn interim_report(&self, now: Nanos) -> StopReport {
        match self.shutdown.current() {
            Some(current) => StopReport {
                in_progress: true,
                ..self.report(current.began, now, current.critical.clone())
            },
            None => self.report(now, now, None),
        }
    }

    /// Abandons every service whose stop deadline has passed, until there are none left: abandoning
    /// one may allow others to be stopped.
    fn expire(&mut self, now: Nanos) {
        loop {
            let is_late = |index: &u32| {
                let deadline = self.registry.get(*index).life.stop_deadline();
                deadline.is_some_and(|deadline| deadline <= now)
            };
            let late: Vec<_> = self.registry.indices().filter(is_late).collect();
            if late.is_empty() {
                return;
            }
            for index in late {
                self.apply(index, Input::Expired, now);
            }
        }
    }

    pub(super) fn report(
        &self,
        began: Nanos,
        now: Nanos,
        critical: Option<Cow<'static, str>>,
    ) -> StopReport {
        let mut services = Vec::with_capacity(self.registry.len());
        services.extend(self.registry.iter());
        // In the order in which they ended; those that have not ended, or were never
        // started, come first.
        services.sort_by_key(|service| {
            let sequence = service.end.as_ref().map_or(0, |end| end.sequence);
            (sequence, service.instance.definition.name_str())
        });
        let between = |from: Nanos, to: Nanos| Duration::from_nanos(to.saturating_sub(from));
        let stopped = |service: &Supervised| {
            let end = service.end.as_ref();
            let is_alive = service.life.state() == State::Abandoned && service.life.is_executing();
            let shutdown = self.shutdown.begun();
            let state = service.life.state();
            // One that is disabled, if it was started nevertheless.
            let has_stopped = state == State::Stopped
                || (state == State::Disabled && service.ended_at().is_some());
            let was_blocked =
                end.is_some_and(|end| end.blocked_at_shutdown == shutdown && shutdown > 0);
            StoppedService {
                name: service.instance.definition.name(),
                place: service.instance.definition.place(),
                state: if was_blocked && has_stopped {
                    State::Blocked
                } else if has_stopped {
                    State::Stopped
                } else {
                    state
                },
                took: end.and_then(|end| Some(between(end.stop_requested?, end.ended_at?))),
                age: is_alive.then(|| service.executing_for(now)),
                failed_hooks: end.map_or(0, |end| end.failed_hooks),
            }
        };
        StopReport {
            services: services.into_iter().map(stopped).collect(),
            took: between(began, now),
            critical,
            in_progress: false,
            forked: false,
        }
    }

    /// Prepares for the end of the process: starts nothing more, queues no more log lines, and stops
    /// everything. `caller`: the service whose run is ending the process and will therefore never
    /// return.
    #[cfg_attr(not(feature = "exit-hook"), allow(dead_code, reason = "used by the exit hook"))]
    pub(crate) fn begin_process_exit(
        &mut self,
        caller: Option<(usize, u32)>,
        timeout: Duration,
        now: Nanos,
    ) {
        self.exiting = true;
        self.deferred.set_exiting();
        self.env.exiting.store(true, Ordering::Relaxed);
        // The caller's thread is declared lost when the service's turn to stop comes, or immediately if
        // the service is stopping already.
        self.exiting_service = caller
            .filter(|(runner, _)| *runner == current::runner_id(&self.env))
            .map(|(_, index)| index);
        let registry = &self.registry;
        let is_stopping = |index: &mut u32| registry.get(*index).life.stop_deadline().is_some();
        if let Some(index) = self.exiting_service.take_if(is_stopping) {
            self.apply(index, Input::ThreadLost, now);
        }
        self.stop_all(timeout, None, now);
    }

    /// Declares the thread of this service lost, because the process is ending, so that another
    /// worker runs its clean-up. `false`: the service's turn to stop has not come yet, and nothing
    /// was done.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn declare_thread_lost(&mut self, index: u32, now: Nanos) -> bool {
        let is_stopping = self.registry.get(index).life.stop_deadline().is_some();
        if is_stopping {
            self.apply(index, Input::ThreadLost, now);
        }
        is_stopping
    }
}
