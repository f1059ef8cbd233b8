//! What is kept of each service.

use std::sync::Arc;

use crate::observe::info::{FailureCounts, Stats};
use crate::service::context::{NO_DATE, RunInfo};
use crate::service::instance::Instance;
use tina4_service_core::Nanos;
use tina4_service_core::Timers;
use tina4_service_core::lifecycle::Lifecycle;

/// One service. What only some of them need, or only at their end, is on the heap: there may be a
/// hundred thousand.
pub(super) struct Supervised {
    pub(super) instance: Arc<Instance>,
    pub(super) life: Lifecycle,
    pub(super) stats: Stats,
    /// The earliest of this service's entries in `timers`.
    pub(super) queued: Nanos,
    pub(super) rare: Option<Box<Cold>>,
    pub(super) end: Option<Box<EndInfo>>,
}

/// What few services have.
#[derive(Default)]
pub(super) struct Cold {
    pub(super) links: Links,
    pub(super) trouble: FailureCounts,
}

/// Who comes after whom.
#[derive(Default)]
pub(super) struct Links {
    pub(super) after: Vec<u32>,
    pub(super) dependents: Vec<u32>,
    /// How many of `dependents` are active.
    pub(super) active_dependents: u32,
}

/// How the activation is ending, or has ended.
#[derive(Default)]
pub(super) struct EndInfo {
    /// When it was asked to stop.
    pub(super) asked: Option<Nanos>,
    /// When its last run was over and its clean-up began.
    pub(super) clean_up_since: Option<Nanos>,
    pub(super) at: Option<Nanos>,
    /// The how manieth end that was: two may come at one instant.
    pub(super) nth: u64,
    pub(super) failed_hooks: u64,
}

impl Supervised {
    pub(super) fn after(&self) -> &[u32] {
        self.rare.as_ref().map_or(&[], |rare| &rare.links.after)
    }

    pub(super) fn dependents(&self) -> &[u32] {
        self.rare.as_ref().map_or(&[], |rare| &rare.links.dependents)
    }

    pub(super) fn active_dependents(&self) -> u32 {
        self.rare.as_ref().map_or(0, |rare| rare.links.active_dependents)
    }

    pub(super) fn links_mut(&mut self) -> &mut Links {
        &mut self.rare.get_or_insert_default().links
    }

    /// What went wrong so far.
    pub(super) fn trouble(&self) -> FailureCounts {
        self.rare.as_ref().map(|rare| rare.trouble.clone()).unwrap_or_default()
    }

    pub(super) fn trouble_mut(&mut self) -> &mut FailureCounts {
        &mut self.rare.get_or_insert_default().trouble
    }

    /// The run in progress, or the last one.
    pub(super) fn last_run(&self) -> RunInfo {
        let Self { life, stats, .. } = self;
        RunInfo {
            number: stats.runs,
            attempt: stats.attempt,
            due: life.run_due(),
            date: life.run_date().unwrap_or(NO_DATE),
            started: life.run_started(),
        }
    }

    pub(super) fn end_mut(&mut self) -> &mut EndInfo {
        self.end.get_or_insert_default()
    }

    /// Keeps the promise of `timers`: an entry no later than the deadline. Says whether it took a
    /// new one.
    #[inline]
    pub(super) fn rearm(&mut self, index: u32, timers: &mut Timers) -> bool {
        match self.life.deadline() {
            Some(deadline) if deadline < self.queued => {
                self.queued = deadline;
                timers.push(deadline, index);
                true
            }
            Some(_) | None => false,
        }
    }

    pub(super) fn note_asked(&mut self, now: Nanos) {
        self.end_mut().asked.get_or_insert(now);
    }

    pub(super) fn ended_at(&self) -> Option<Nanos> {
        self.end.as_ref().and_then(|end| end.at)
    }

    /// When the run or the clean-up in progress, or the last one, began.
    pub(super) fn executing_since(&self) -> Nanos {
        let clean_up = self.end.as_ref().and_then(|end| end.clean_up_since);
        clean_up.unwrap_or(self.life.run_started())
    }
}
