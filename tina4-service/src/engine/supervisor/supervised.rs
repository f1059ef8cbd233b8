//! The supervisor's data about each service.

use std::sync::Arc;

#[cfg(feature = "queue")]
use super::jobs::Jobs;
use crate::observe::ledger::Chain;
use crate::observe::log_limits::LogLimits;
use crate::observe::requester::Requester;
use crate::observe::run_durations::RunDurations;
use crate::observe::run_facts::RunFacts;
use crate::observe::stats::{FailureCounts, Stats};
use crate::plan::order::Link;
use crate::service::context::{NO_OCCURRENCE, RunInfo};
use crate::service::definition::Definition;
use crate::service::deployment::overridden_setting::OverriddenSetting;
use crate::service::environment::Environment;
use crate::service::instance::Instance;
use crate::service::registration::Registration;
use crate::time::schedule::Schedule;
use crate::time::zone::Zone;
#[cfg(feature = "tokio")]
use tina4_service_core::lifecycle::RunKind;
use tina4_service_core::lifecycle::{DueTime, Lifecycle};
use tina4_service_core::{Key, Nanos, Spec, Timers, Utc, WallNanos, Zone as CoreZone};

mod facts;
mod history;
mod overdue_look;
#[cfg(feature = "queue")]
mod queue;

/// The definition of the service in a free slot. Such a slot holds a service without a function, instead
/// of an `Option`, so that access to a service by its index costs no check.
static VACANT: Registration = Registration::VACANT;

/// One service. There may be a hundred thousand of them, so rarely used data is boxed.
pub(super) struct Supervised {
    pub(super) instance: Arc<Instance>,
    pub(super) life: Lifecycle,
    pub(super) stats: Stats,
    /// The instant of this service's current entry in the timer queue, which is never later than
    /// [`Supervised::wake_up_by`]; `Nanos::MAX` if it has none. All its other entries are outdated.
    pub(super) queued: Nanos,
    cold: Option<Box<Cold>>,
    pub(super) end: Option<Box<EndInfo>>,
}

/// Data that few services have.
#[derive(Default)]
struct Cold {
    links: Links,
    failures: FailureCounts,
    log_limits: Option<Box<LogLimits>>,
    facts: Option<Box<RunFacts>>,
    /// Its failures in the history of the runner.
    past_failures: Chain,
    /// The durations of its runs by size; `None`: nobody has asked for metrics.
    durations: Option<Box<RunDurations>>,
    /// Set by `reschedule`.
    schedule: Option<NewSchedule>,
    /// The jobs of its queue.
    #[cfg(feature = "queue")]
    jobs: Option<Box<Jobs>>,
}

/// The settings of a service whose schedule was changed at run time.
pub(super) struct NewSchedule {
    /// The settings of its definition, with the new schedule.
    pub(super) spec: Spec,
    /// The time zone of a calendar schedule.
    pub(super) zone: Option<Zone>,
    /// How long after a due time a run may begin; 0: the service has no tolerance.
    pub(super) tolerance: Nanos,
}

/// What one step of a service needs, borrowed from it at the same time.
pub(super) struct StepParts<'a> {
    pub(super) life: &'a mut Lifecycle,
    pub(super) instance: &'a Instance,
    pub(super) spec: &'a Spec,
    /// The wall time; 0 if the schedule does not need it.
    pub(super) wall: WallNanos,
    /// The time zone; UTC if the schedule does not need it.
    pub(super) zone: &'a dyn CoreZone,
    /// How long after a due time a run may begin; 0: the service has no tolerance.
    pub(super) tolerance: Nanos,
    /// The jobs of its queue, if it has one.
    #[cfg(feature = "queue")]
    pub(super) jobs: Option<&'a Jobs>,
}

/// The dependencies and dependents of a service.
#[derive(Default)]
pub(super) struct Links {
    /// The services in its `after` and `requires`.
    pub(super) dependencies: Vec<Link>,
    /// The services that depend on this one.
    pub(super) dependents: Vec<u32>,
    /// How many of `dependents` are active.
    pub(super) active_dependents: u32,
}

/// Data about the end of the activation.
#[derive(Default)]
pub(super) struct EndInfo {
    /// When the service was asked to stop.
    pub(super) stop_requested: Option<Nanos>,
    /// When to log next that a stop waits for it; `None`: that was not asked yet.
    pub(super) report_at: Option<Nanos>,
    /// When its clean-up began, after its last run.
    pub(super) clean_up_since: Option<Nanos>,
    /// When the activation ended; `None`: not yet.
    pub(super) ended_at: Option<Nanos>,
    /// Sequence number of this end; timestamps can tie.
    pub(super) sequence: u64,
    pub(super) failed_hooks: u64,
    /// Its clean-up is a task.
    #[cfg(all(feature = "exit-hook", feature = "tokio"))]
    pub(super) has_hook_task: bool,
    /// The number of the shutdown that stopped it while it was blocked; 0: none.
    pub(super) blocked_at_shutdown: u64,
    /// Who asked for its next start while it was stopping.
    pub(super) start_by: Option<Requester>,
    /// It has failed for good, even if its clean-up never ends.
    pub(super) has_failed: bool,
}

impl Supervised {
    pub(super) fn new(instance: Arc<Instance>, now: Nanos) -> Self {
        let kind = instance.definition.run_kind();
        let life = match instance.definition.disabled() {
            Some(_) => Lifecycle::disabled(kind, now),
            None => Lifecycle::new(kind, now),
        };
        #[cfg(feature = "queue")]
        let cold = Jobs::new(&instance)
            .map(|jobs| Box::new(Cold { jobs: Some(Box::new(jobs)), ..Cold::default() }));
        #[cfg(not(feature = "queue"))]
        let cold = None;
        Self { instance, life, stats: Stats::new(), queued: Nanos::MAX, cold, end: None }
    }

    /// What a free slot holds.
    pub(super) fn vacant_instance(env: &Arc<Environment>) -> Arc<Instance> {
        Arc::new(Instance::new(Definition::Declared(&VACANT), Arc::clone(env)))
    }

    /// The settings that the service follows: those of its definition, unless its schedule was changed.
    #[inline]
    pub(super) fn spec(&self) -> &Spec {
        match self.cold.as_deref() {
            Some(Cold { schedule: Some(new), .. }) => &new.spec,
            Some(Cold { schedule: None, .. }) | None => self.instance.definition.spec(),
        }
    }

    /// What one step needs. Without `HAS_TIME_SETTINGS`, [`Instance::has_time_settings`] must be
    /// `false`.
    #[inline]
    pub(super) fn step_parts<const HAS_TIME_SETTINGS: bool>(&mut self) -> StepParts<'_> {
        let Self { instance, life, cold, .. } = self;
        let spec = instance.definition.spec();
        if !HAS_TIME_SETTINGS {
            return StepParts {
                life,
                instance,
                spec,
                wall: 0,
                zone: &Utc,
                tolerance: 0,
                #[cfg(feature = "queue")]
                jobs: None,
            };
        }
        match cold.as_deref() {
            Some(Cold { schedule: Some(NewSchedule { spec, zone, tolerance }), .. }) => {
                let (wall, zone): (_, &dyn CoreZone) = match zone {
                    Some(zone) => (instance.env.clock.wall_nanos(), zone),
                    None => (0, &Utc),
                };
                StepParts {
                    life,
                    instance,
                    spec,
                    wall,
                    zone,
                    tolerance: *tolerance,
                    // A queue service has no schedule that could be changed.
                    #[cfg(feature = "queue")]
                    jobs: None,
                }
            }
            cold @ (Some(Cold { schedule: None, .. }) | None) => {
                let (wall, zone) = instance.calendar();
                let tolerance = instance.tolerance();
                #[cfg(feature = "queue")]
                let jobs = cold.and_then(|cold| cold.jobs.as_deref());
                #[cfg(not(feature = "queue"))]
                let _ = cold;
                StepParts {
                    life,
                    instance,
                    spec,
                    wall,
                    zone,
                    tolerance,
                    #[cfg(feature = "queue")]
                    jobs,
                }
            }
        }
    }

    /// The time zone of its schedule; UTC if it needs none.
    fn zone(&self) -> &dyn CoreZone {
        let zone = match self.cold.as_deref() {
            Some(Cold { schedule: Some(new), .. }) => new.zone.as_ref(),
            Some(Cold { schedule: None, .. }) | None => self.instance.zone(),
        };
        zone.map_or(&Utc, |zone| zone)
    }

    /// How long after a due time a run may begin; 0: the service has no tolerance.
    // perf: cold, because few services have one.
    #[cold]
    pub(super) fn tolerance(&self) -> Nanos {
        match self.cold.as_deref() {
            Some(Cold { schedule: Some(new), .. }) => new.tolerance,
            Some(Cold { schedule: None, .. }) | None => self.instance.tolerance(),
        }
    }

    /// Whether the time zone of its schedule, if it has one, is known to this machine.
    pub(super) fn has_usable_zone(&self) -> bool {
        self.is_rescheduled() || self.instance.zone_fault().is_none()
    }

    /// Whether it has an async function.
    #[cfg(feature = "tokio")]
    pub(super) fn is_async(&self) -> bool {
        let definition = &self.instance.definition;
        definition.run_kind() == RunKind::Task || definition.on_stop_kind() == RunKind::Task
    }

    /// Whether its clean-up was made a task.
    #[cfg(all(feature = "exit-hook", feature = "tokio"))]
    pub(super) fn has_hook_task(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.has_hook_task)
    }

    /// Whether the schedule was changed at run time.
    pub(super) fn is_rescheduled(&self) -> bool {
        self.cold.as_ref().is_some_and(|cold| cold.schedule.is_some())
    }

    /// What the deployment has changed, without a schedule that was replaced at run time.
    pub(super) fn overridden(&self) -> Vec<OverriddenSetting> {
        let Some(deployed) = self.instance.definition.deployed() else { return Vec::new() };
        let is_replaced = |setting: &&OverriddenSetting| {
            let schedule = [Key::Interval, Key::Delay, Key::Cron, Key::Timezone, Key::Anchor];
            self.is_rescheduled() && schedule.iter().any(|key| key.as_str() == setting.key)
        };
        deployed.overridden.iter().filter(|setting| !is_replaced(setting)).cloned().collect()
    }

    pub(super) fn set_schedule(&mut self, schedule: NewSchedule) {
        self.instance.set_rescheduled();
        self.cold.get_or_insert_default().schedule = Some(schedule);
    }

    /// The schedule that the service follows, with its time zone.
    pub(super) fn schedule(&self) -> Schedule {
        match self.cold.as_deref() {
            Some(Cold { schedule: Some(NewSchedule { spec, zone, .. }), .. }) => {
                Schedule::new(spec.schedule.clone(), zone.clone())
            }
            Some(Cold { schedule: None, .. }) | None => self.instance.schedule(),
        }
    }

    pub(super) fn dependencies(&self) -> &[Link] {
        self.cold.as_ref().map_or(&[], |cold| &cold.links.dependencies)
    }

    pub(super) fn dependents(&self) -> &[u32] {
        self.cold.as_ref().map_or(&[], |cold| &cold.links.dependents)
    }

    pub(super) fn active_dependents(&self) -> u32 {
        self.cold.as_ref().map_or(0, |cold| cold.links.active_dependents)
    }

    pub(super) fn links_mut(&mut self) -> &mut Links {
        &mut self.cold.get_or_insert_default().links
    }

    pub(super) fn durations(&self) -> Option<&RunDurations> {
        self.cold.as_deref()?.durations.as_deref()
    }

    pub(super) fn set_durations(&mut self, durations: RunDurations) {
        self.cold.get_or_insert_default().durations = Some(Box::new(durations));
    }

    /// Counts the duration of a run by size, if somebody has asked for metrics.
    // perf: a part of every run. Few services have cold data, and only these look further.
    #[inline]
    pub(super) fn count_duration(&mut self, took: Nanos) {
        if let Some(cold) = self.cold.as_deref_mut()
            && let Some(durations) = cold.durations.as_deref_mut()
        {
            durations.add(took);
        }
    }

    /// Removes and returns the links to the services that it depends on.
    pub(super) fn take_dependencies(&mut self) -> Vec<Link> {
        self.cold
            .as_mut()
            .map(|cold| std::mem::take(&mut cold.links.dependencies))
            .unwrap_or_default()
    }

    pub(super) fn failures(&self) -> FailureCounts {
        self.cold.as_ref().map(|cold| cold.failures.clone()).unwrap_or_default()
    }

    pub(super) fn failures_mut(&mut self) -> &mut FailureCounts {
        &mut self.cold.get_or_insert_default().failures
    }

    pub(super) fn log_limits_mut(&mut self) -> &mut LogLimits {
        self.cold.get_or_insert_default().log_limits.get_or_insert_default()
    }

    /// Takes how many lines about crashes were left out since the last one.
    pub(super) fn take_crashes_left_out(&mut self) -> u64 {
        let limits = self.cold.as_mut().and_then(|cold| cold.log_limits.as_mut());
        limits.map_or(0, |limits| limits.crashes.take_left_out())
    }

    /// Takes what no log line has said yet of skipped due times.
    pub(super) fn take_unreported_skips(&mut self) -> Option<(u64, DueTime)> {
        self.cold.as_mut()?.log_limits.as_mut()?.skips.take_unreported()
    }

    /// The run in progress, or the last one.
    pub(super) fn last_run(&self) -> RunInfo {
        let Self { life, stats, .. } = self;
        RunInfo {
            number: stats.runs,
            attempt: stats.attempt,
            due: life.run_due(),
            occurrence: life.run_occurrence().unwrap_or(NO_OCCURRENCE),
            lateness: self.lateness(),
        }
    }

    /// How late the current or last run began, beyond its tolerance.
    #[inline]
    pub(super) fn lateness(&self) -> Nanos {
        self.life.run_lateness(|| self.tolerance())
    }

    pub(super) fn end_mut(&mut self) -> &mut EndInfo {
        self.end.get_or_insert_default()
    }

    /// By when the life cycle, or a job of the queue, needs its next wake-up, if it has one.
    // perf: not inlined, so that services without a tolerance and a queue do not pay for it.
    #[inline(never)]
    pub(super) fn wake_up_by(&self) -> Option<Nanos> {
        let wake_up = self.life.wake_up_by(self.tolerance());
        #[cfg(feature = "queue")]
        if let Some(due) = self.jobs().and_then(Jobs::due) {
            return Some(wake_up.map_or(due, |wake_up| wake_up.min(due)));
        }
        wake_up
    }

    /// Whether an entry of the timer queue with this instant is current: the life cycle needs its next
    /// wake-up then.
    #[inline]
    pub(super) fn is_current(&self, queued: Nanos) -> bool {
        // The first condition is enough without a tolerance.
        self.queued == queued
            && (self.life.next_wake_up() == Some(queued) || self.wake_up_by() == Some(queued))
    }

    /// Makes sure that the timer queue has an entry no later than [`Supervised::wake_up_by`]. Returns
    /// whether it added one.
    // perf: a large part of a step; the compiler does not inline it on its own.
    #[inline(always)]
    pub(super) fn rearm(&mut self, index: u32, tolerance: Nanos, timers: &mut Timers) -> bool {
        let wake_up =
            if tolerance == 0 { self.life.next_wake_up() } else { self.life.wake_up_by(tolerance) };
        match wake_up {
            Some(wake_up) if wake_up < self.queued => {
                self.queued = wake_up;
                timers.push(wake_up, index);
                true
            }
            Some(_) | None => false,
        }
    }

    /// Whether its code, or a turn of its queue, is being executed.
    pub(super) fn is_executing(&self) -> bool {
        #[cfg(feature = "queue")]
        if let Some(jobs) = self.jobs() {
            return jobs.is_executing() || (self.life.is_executing() && !jobs.may_turn());
        }
        self.life.is_executing()
    }

    pub(super) fn record_stop_request(&mut self, now: Nanos) {
        let end = self.end_mut();
        end.stop_requested.get_or_insert(now);
        // A stop withdraws the start that somebody may have asked for meanwhile.
        end.start_by = None;
    }

    /// Records that the activation has ended, as the `sequence`-th to end in this runner.
    pub(super) fn record_end(&mut self, now: Nanos, sequence: u64) {
        let end = self.end_mut();
        (end.ended_at, end.sequence) = (Some(now), sequence);
    }

    /// Whether the current or last activation has failed for good.
    pub(super) fn has_failed(&self) -> bool {
        self.end.as_ref().is_some_and(|end| end.has_failed)
    }

    pub(super) fn ended_at(&self) -> Option<Nanos> {
        self.end.as_ref().and_then(|end| end.ended_at)
    }

    /// When the run or the clean-up in progress, or the last one, began.
    pub(super) fn executing_since(&self) -> Nanos {
        let clean_up = self.end.as_ref().and_then(|end| end.clean_up_since);
        clean_up.unwrap_or(self.life.run_started())
    }

    /// How long the run or the clean-up in progress has been executing.
    pub(super) fn executing_for(&self, now: Nanos) -> std::time::Duration {
        std::time::Duration::from_nanos(now.saturating_sub(self.executing_since()))
    }
}
