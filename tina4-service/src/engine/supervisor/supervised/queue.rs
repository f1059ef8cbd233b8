//! The jobs of a supervised service with a queue.

use std::sync::Arc;
use std::time::Duration;

use super::Supervised;
use crate::engine::supervisor::jobs::Jobs;
use crate::engine::work::{WorkItem, WorkKind};
use crate::service::context::{Context, NO_OCCURRENCE, RunInfo};
use crate::service::instance::Instance;
use crate::service::job_host::JobHost;
use tina4_service_core::lifecycle::{Action, Consuming, Lifecycle};
use tina4_service_core::{Nanos, Timers};

impl Supervised {
    /// The jobs of its queue, if it has one.
    #[inline]
    pub(in super::super) fn jobs(&self) -> Option<&Jobs> {
        self.cold.as_deref()?.jobs.as_deref()
    }

    pub(in super::super) fn jobs_mut(&mut self) -> Option<&mut Jobs> {
        self.cold.as_deref_mut()?.jobs.as_deref_mut()
    }

    /// The jobs and what decides about them.
    pub(in super::super) fn jobs_and_life(&mut self) -> Option<(&mut Jobs, &Lifecycle, &Instance)> {
        let Self { cold, life, instance, .. } = self;
        Some((cold.as_deref_mut()?.jobs.as_deref_mut()?, life, instance))
    }

    /// [`Supervised::rearm`], for the jobs.
    #[cold]
    pub(in super::super) fn rearm_jobs(&mut self, index: u32, timers: &mut Timers) {
        if let Some(due) = self.jobs().and_then(Jobs::due)
            && due < self.queued
        {
            self.queued = due;
            timers.push(due, index);
        }
    }

    /// Follows a step of the life cycle of a queue service, and returns what is left to do of its action: a
    /// run begins with a turn.
    #[cold]
    pub(in super::super) fn follow_life(&mut self, action: Action, now: Nanos) -> Action {
        let Some((jobs, life, instance)) = self.jobs_and_life() else { return action };
        let begins = matches!(action, Action::Run { .. });
        let consuming = life.consuming();
        jobs.may_turn = match consuming {
            Consuming::Claiming
            | Consuming::Pausing
            | Consuming::Stopping
            | Consuming::BackingOff => true,
            Consuming::Paused | Consuming::Abandoned => jobs.has_work(instance),
            Consuming::Nothing => false,
        };
        let has_changed = std::mem::replace(&mut jobs.consuming, consuming) != consuming;
        match consuming {
            // A turn has failed: whoever has recorded that says when the next one is due.
            Consuming::Claiming | Consuming::BackingOff | Consuming::Nothing => {}
            Consuming::Pausing | Consuming::Stopping | Consuming::Paused | Consuming::Abandoned => {
                if has_changed {
                    // What was claimed and not begun is given back by the next turn.
                    jobs.ready_since = None;
                    if jobs.may_turn {
                        jobs.request_turn(now);
                    }
                }
            }
        }
        if begins {
            jobs.request_turn(now);
        }
        if begins { Action::Nothing } else { action }
    }

    /// Whether its jobs are tasks.
    pub(in super::super) fn is_job_task(&self) -> bool {
        self.jobs().is_some_and(|jobs| jobs.is_async)
    }

    /// Whether its next turn is likely to find that there is nothing to do, without asking the engine.
    pub(in super::super) fn polls_in_passing(&self) -> bool {
        let now = Duration::from_nanos(self.instance.env.clock.now());
        self.instance.queue().is_some_and(|queue| queue.polls_in_passing(now))
    }

    /// The work item of a turn or of an item.
    #[cold]
    pub(in super::super) fn begin_jobs(&self, index: u32, kind: WorkKind) -> WorkItem {
        let handed_out = match kind {
            WorkKind::Job => self.jobs(),
            #[cfg(feature = "tokio")]
            WorkKind::Task => None,
            WorkKind::Turn | WorkKind::TurnWithoutClaims | WorkKind::Run | WorkKind::CleanUp => {
                None
            }
        };
        // The item was handed out in this critical section.
        let number_of_item = handed_out.map_or(0, |jobs| jobs.last_number);
        let item = handed_out.and_then(|jobs| jobs.active.get(&number_of_item));
        let due = item.map_or_else(|| self.life.run_due(), |item| item.began);
        let (number, attempt) = item
            .and_then(|item| item.run)
            .map_or((self.stats.runs, self.stats.attempt), |(run, attempt, _)| (run, attempt));
        let run = RunInfo { number, attempt, due, occurrence: NO_OCCURRENCE, lateness: 0 };
        let control = item.and_then(|_| self.instance.queue()?.control(number_of_item));
        let service = Arc::<Instance>::clone(&self.instance);
        let context = match control {
            None => Context::new(service, run),
            Some(control) => Context::new(Arc::new(JobHost { service, control }), run),
        };
        WorkItem { kind, index, number: number_of_item, context }
    }
}
