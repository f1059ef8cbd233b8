//! Stopping everything, in order and under one deadline; the end of the process too.

use std::borrow::Cow;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Shutdown, Supervised, Supervisor, Todo};
use crate::engine::invoke;
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
        let deadline = now.saturating_add(nanos(timeout));
        match &mut self.shutdown {
            Some(shutdown) => {
                shutdown.deadline = shutdown.deadline.min(deadline);
                shutdown.critical = shutdown.critical.take().or(critical);
            }
            None if self.active > 0 => {
                self.shutdown = Some(Shutdown { began: now, deadline, critical });
                self.news = true;
            }
            // Nothing runs: what there is to say was said, or there is nothing to say.
            None => {
                if critical.is_some() || self.last_report.is_none() {
                    self.last_report = Some(self.report(now, now, critical));
                    self.news = true;
                }
                return;
            }
        }
        self.todo.extend(self.indices().map(Todo::Stop));
        self.pump(now);
    }

    pub(super) fn indices(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.services.len()).unwrap_or(u32::MAX)
    }

    /// Whether nothing is active and no shutdown is in progress.
    pub(crate) fn is_quiet(&self) -> bool {
        self.active == 0 && self.shutdown.is_none()
    }

    #[cfg(feature = "signals")]
    pub(crate) fn is_shutting_down(&self) -> bool {
        self.shutdown.is_some()
    }

    /// Whether a shutdown is in progress, or is over and nothing was started since.
    #[cfg(feature = "signals")]
    pub(crate) fn has_shut_down(&self) -> bool {
        self.shutdown.is_some() || self.last_report.is_some()
    }

    /// The report of a shutdown that is over, or until when to wait for it.
    pub(crate) fn shutdown_result(&mut self, now: Nanos) -> Result<StopReport, Option<Nanos>> {
        if self.shutdown.as_ref().is_some_and(|shutdown| shutdown.deadline <= now) {
            self.expire(now);
        }
        match &self.shutdown {
            Some(shutdown) => Err(Some(shutdown.deadline)),
            None => Ok(self.last_report.clone().unwrap_or_default()),
        }
    }

    /// How things stand while a shutdown is in progress.
    pub(crate) fn interim_report(&self, now: Nanos) -> StopReport {
        let began = self.shutdown.as_ref().map_or(now, |shutdown| shutdown.began);
        let critical = self.shutdown.as_ref().and_then(|shutdown| shutdown.critical.clone());
        let in_progress = self.shutdown.is_some();
        StopReport { in_progress, ..self.report(began, now, critical) }
    }

    /// Gives up on everything whose time is over, which may let others be told, and so on.
    pub(super) fn expire(&mut self, now: Nanos) {
        loop {
            let late: Vec<_> = self
                .indices()
                .filter(|index| {
                    let life = &self.service(*index).life;
                    life.stop_deadline().is_some_and(|deadline| deadline <= now)
                })
                .collect();
            if late.is_empty() {
                return;
            }
            for index in late {
                self.event(index, Input::Expired, now);
            }
        }
    }

    pub(super) fn report(
        &self,
        began: Nanos,
        now: Nanos,
        critical: Option<Cow<'static, str>>,
    ) -> StopReport {
        let mut services: Vec<_> = self.services.iter().collect();
        // In the order in which they ended, those that are still there first.
        services.sort_by_key(|service| {
            // Not by time: two may end at one instant.
            (service.end.as_ref().map_or(0, |end| end.nth), service.instance.definition.name_str())
        });
        let between = |from: Nanos, to: Nanos| Duration::from_nanos(to.saturating_sub(from));
        let service = |service: &Supervised| StoppedService {
            name: service.instance.definition.name(),
            place: service.instance.definition.place(),
            state: service.life.state(),
            took: service.end.as_ref().and_then(|end| Some(between(end.asked?, end.at?))),
            age: (service.life.state() == State::Abandoned && service.life.is_executing())
                .then(|| self.age(service, now)),
            failed_hooks: service.end.as_ref().map_or(0, |end| end.failed_hooks),
        };
        StopReport {
            services: services.into_iter().map(service).collect(),
            took: between(began, now),
            critical,
            in_progress: false,
            forked: false,
        }
    }

    /// The process ends: nothing starts any more, nothing is logged, everything stops. `inside`:
    /// the service whose run ends the process, and so never returns.
    #[cfg_attr(not(feature = "exit-hook"), allow(dead_code, reason = "the exit hook's own"))]
    pub(crate) fn exit(&mut self, inside: Option<(usize, u32)>, timeout: Duration, now: Nanos) {
        self.exiting = true;
        self.env.exiting.store(true, Ordering::Relaxed);
        // It is given up when its turn to stop comes, or at once if that has come already.
        self.vanished = inside
            .filter(|(runner, _)| *runner == invoke::runner_id(&self.env))
            .map(|(_, index)| index);
        let is_stopping =
            |index: &mut u32| self.services[*index as usize].life.stop_deadline().is_some();
        if let Some(index) = self.vanished.take_if(is_stopping) {
            self.event(index, Input::ThreadLost, now);
        }
        self.stop_all(timeout, None, now);
    }

    /// The thread that runs this service will never come back, because the process is ending: another
    /// one cleans up. `false`: the service's turn to stop has not come yet.
    #[cfg(feature = "exit-hook")]
    pub(crate) fn give_up(&mut self, index: u32, now: Nanos) -> bool {
        let is_stopping = self.service(index).life.stop_deadline().is_some();
        if is_stopping {
            self.event(index, Input::ThreadLost, now);
        }
        is_stopping
    }
}
