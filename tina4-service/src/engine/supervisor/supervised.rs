//! The supervisor's data about each service.

use std::borrow::Cow;
use std::sync::Arc;

use crate::observe::stats::{FailureCounts, Stats};
use crate::plan::order::Link;
use crate::service::context::{NO_OCCURRENCE, RunInfo};
use crate::service::instance::Instance;
use tina4_service_core::lifecycle::Lifecycle;
use tina4_service_core::{Nanos, Timers};

/// One service. There may be a hundred thousand of them, so rarely used data is boxed.
pub(super) struct Supervised {
    pub(super) instance: Arc<Instance>,
    pub(super) life: Lifecycle,
    pub(super) stats: Stats,
    /// The due time of this service's current entry in the timer queue, which is never later than its
    /// next wake-up; `Nanos::MAX` if it has none. All its other entries are outdated.
    pub(super) queued: Nanos,
    cold: Option<Box<Cold>>,
    pub(super) end: Option<Box<EndInfo>>,
}

/// Data that few services have.
#[derive(Default)]
struct Cold {
    links: Links,
    failures: FailureCounts,
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
    /// The services in its `after` that this runner leaves out.
    pub(super) left_out: Vec<Cow<'static, str>>,
}

/// Data about the end of the activation.
#[derive(Default)]
pub(super) struct EndInfo {
    /// When the service was asked to stop.
    pub(super) stop_requested: Option<Nanos>,
    /// When its clean-up began, after its last run.
    pub(super) clean_up_since: Option<Nanos>,
    /// When the activation ended; `None`: not yet.
    pub(super) ended_at: Option<Nanos>,
    /// Sequence number of this end; timestamps can tie.
    pub(super) sequence: u64,
    pub(super) failed_hooks: u64,
    /// The number of the shutdown that stopped it while it was blocked; 0: none.
    pub(super) blocked_at_shutdown: u64,
    /// It has failed for good, even if its clean-up never ends.
    pub(super) has_failed: bool,
}

impl Supervised {
    pub(super) fn new(instance: Arc<Instance>, now: Nanos) -> Self {
        let life = Lifecycle::new(instance.definition.run_kind(), now);
        Self { instance, life, stats: Stats::new(), queued: Nanos::MAX, cold: None, end: None }
    }

    pub(super) fn dependencies(&self) -> &[Link] {
        self.cold.as_ref().map_or(&[], |cold| &cold.links.dependencies)
    }

    pub(super) fn left_out(&self) -> &[Cow<'static, str>] {
        self.cold.as_ref().map_or(&[], |cold| &cold.links.left_out)
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

    pub(super) fn clear_links(&mut self) {
        if let Some(cold) = &mut self.cold {
            cold.links = Links::default();
        }
    }

    pub(super) fn failures(&self) -> FailureCounts {
        self.cold.as_ref().map(|cold| cold.failures.clone()).unwrap_or_default()
    }

    pub(super) fn failures_mut(&mut self) -> &mut FailureCounts {
        &mut self.cold.get_or_insert_default().failures
    }

    /// The run in progress, or the last one.
    pub(super) fn last_run(&self) -> RunInfo {
        let Self { life, stats, .. } = self;
        RunInfo {
            number: stats.runs,
            attempt: stats.attempt,
            due: life.run_due(),
            occurrence: life.run_occurrence().unwrap_or(NO_OCCURRENCE),
            started: life.run_started(),
        }
    }

    pub(super) fn end_mut(&mut self) -> &mut EndInfo {
        self.end.get_or_insert_default()
    }

    /// Makes sure that the timer queue has an entry no later than the life cycle's next wake-up.
    /// Returns whether it added one.
    #[inline]
    pub(super) fn rearm(&mut self, index: u32, timers: &mut Timers) -> bool {
        match self.life.next_wake_up() {
            Some(wake_up) if wake_up < self.queued => {
                self.queued = wake_up;
                timers.push(wake_up, index);
                true
            }
            Some(_) | None => false,
        }
    }

    pub(super) fn record_stop_request(&mut self, now: Nanos) {
        self.end_mut().stop_requested.get_or_insert(now);
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
