//! Follows the services of which people want to be told: see [`Notices`].

use std::sync::Arc;

use super::Supervisor;
use super::notices::{Health, Hook, MIN_LOOK_INTERVAL, Tracked};
use crate::observe::event::Change;
use crate::observe::log::LogLine;
use crate::observe::log::entry::Entry;
use crate::observe::notice::Notice;
use crate::observe::notice_queue::NoticeQueue;
use tina4_service_core::Nanos;
use tina4_service_core::lifecycle::RunOutcome;

/// How long a run of a service without due times must have lasted for it to have recovered.
const RECOVERY: Nanos = 60_000_000_000;

/// How long a service on a calendar is not looked at, at most.
const MAX_CALENDAR_LOOK: Nanos = 600_000_000_000;

/// How many services are looked at while the lock is held.
const MAX_LOOKS: usize = 100;

impl Supervisor {
    /// Adds a hook, which is told of what happens from now on.
    pub(crate) fn add_hook(&mut self, hook: Arc<NoticeQueue>, now: Nanos) {
        self.forget_removed_hooks();
        let is_first = self.notices.is_none();
        let notices = self.notices.get_or_insert_default();
        hook.set_look_at(notices.announced);
        notices.hooks.push(Hook { queue: hook, since: notices.told });
        if is_first {
            for index in self.registry.indices().collect::<Vec<_>>() {
                self.plan_look(index, 0, now);
            }
        }
    }

    /// Forgets the hooks that were removed. Without any hook, no service is followed.
    pub(crate) fn forget_removed_hooks(&mut self) {
        let Some(notices) = self.notices.as_deref_mut() else { return };
        notices.hooks.retain(|hook| !hook.queue.is_closed());
        if notices.hooks.is_empty() {
            self.notices = None;
            self.journal.set_awaits_success(false);
        }
    }

    /// The hooks.
    pub(crate) fn hooks(&self) -> Vec<Arc<NoticeQueue>> {
        let hooks = self.notices.iter().flat_map(|notices| &notices.hooks);
        hooks.map(|hook| Arc::clone(&hook.queue)).collect()
    }

    /// Follows a change of a service.
    // perf: not inlined, because few runners have hooks.
    #[inline(never)]
    pub(super) fn note_change(&mut self, index: u32, change: &Change, now: Nanos) {
        self.follow_change(index, change, now);
        // It may be active now, or no longer.
        self.note_awaiting(index);
    }

    fn follow_change(&mut self, index: u32, change: &Change, now: Nanos) {
        let consecutive = self.registry.get(index).life.consecutive_crashes();
        if let Change::Crashed { in_a_row, cause, restart_in: Some(_) } = change {
            return self.note_crash(index, *in_a_row, cause, now);
        }
        if let Change::Returned { restart_in: Some(_) } = change {
            return self.note_crash(index, consecutive, &Arc::from("it returned"), now);
        }
        if let Change::Failed { cause } = change {
            return self.track(index, now, |tracked| {
                tracked.crash(Health::Failed, consecutive, cause, now);
            });
        }
        if matches!(change, Change::Unregistered) {
            return self.forget_notices(index);
        }
        if self.is_tracked(index) && matches!(change, Change::Started | Change::Finished) {
            return self.track(index, now, |tracked| match (change, tracked.health) {
                (Change::Finished, _) => tracked.health = Health::Well,
                // It may recover, or fail again.
                (_, Health::Failed) => {
                    tracked.health = Health::Broken;
                    if tracked.told_health == Health::Failed {
                        tracked.told_health = Health::Broken;
                    }
                }
                (_, Health::Well | Health::Broken) => {}
            });
        }
        let changes_due_times = matches!(
            change,
            Change::Started
                | Change::Restarted
                | Change::Rescheduled { .. }
                | Change::Resumed
                | Change::Paused
                | Change::Unblocked
        );
        if changes_due_times {
            self.plan_look(index, 0, now);
        }
    }

    fn note_crash(&mut self, index: u32, in_a_row: u32, cause: &Arc<str>, now: Nanos) {
        let limit = self.env.unhealthy_after;
        let is_unhealthy = limit > 0 && in_a_row >= limit;
        if is_unhealthy || self.is_tracked(index) {
            self.track(index, now, |tracked| {
                if is_unhealthy || tracked.health != Health::Well {
                    tracked.crash(Health::Broken, in_a_row, cause, now);
                }
            });
        }
    }

    /// Follows the end of a run. Called only while some active service waits for one that ends well, or somebody subscribes.
    pub(super) fn note_run_end(&mut self, index: u32, outcome: RunOutcome, now: Nanos) {
        if !outcome.is_ok() || !self.is_tracked(index) {
            return;
        }
        let is_periodic = self.registry.get(index).spec().schedule.is_periodic();
        self.track(index, now, |tracked| {
            tracked.has_succeeded = true;
            if is_periodic {
                tracked.health = Health::Well;
            }
        });
    }

    fn is_tracked(&self, index: u32) -> bool {
        self.notices.as_ref().is_some_and(|notices| notices.tracked.contains_key(&index))
    }

    /// Changes what is known of a service, tells the hooks of it, and plans the next look.
    fn track(&mut self, index: u32, now: Nanos, change: impl FnOnce(&mut Tracked)) {
        let Some(notices) = self.notices.as_deref_mut() else { return };
        let service = self.registry.get(index);
        let tracked = notices.tracked.entry(index).or_default();
        let before = (tracked.health, tracked.overdue_since.is_some());
        change(tracked);
        if (tracked.health, tracked.overdue_since.is_some()) != before {
            tracked.changes += 1;
        }
        let mut lost = 0;
        while let Some(kind) = tracked.take_notice(now) {
            let left_out = std::mem::take(&mut tracked.changes).saturating_sub(1);
            let (service, at) = (service.instance.definition.name(), self.env.clock.wall_at(now));
            let follows = tracked.follows(&kind, notices.told);
            notices.told += 1;
            let notice = Notice { service, at, kind, left_out, missed: 0 };
            let hooks = notices.hooks.iter().filter(|hook| hook.since <= follows);
            lost += hooks.filter(|hook| !hook.queue.push(&notice)).count() as u64;
        }
        if let Some(count) = notices.count_lost(lost, now) {
            let entry = Entry::NoticesLost { count };
            self.deferred.log(LogLine { instance: None, entry });
        }
        self.note_awaiting(index);
        self.plan_look(index, 0, now);
    }

    /// Notes whether a service waits for a run that ends well. One that is not active waits for a start, and costs
    /// nothing until then.
    fn note_awaiting(&mut self, index: u32) {
        let Some(notices) = self.notices.as_deref_mut() else { return };
        let Some(tracked) = notices.tracked.get_mut(&index) else { return };
        let service = self.registry.get(index);
        let is_periodic = service.spec().schedule.is_periodic();
        let is_awaiting = service.life.state().is_active() && tracked.awaits_success(is_periodic);
        let was_awaiting = std::mem::replace(&mut tracked.is_awaiting, is_awaiting);
        notices.awaiting = notices.awaiting + usize::from(is_awaiting) - usize::from(was_awaiting);
        self.journal.set_awaits_success(notices.awaiting > 0);
    }

    /// Plans when to look at a service again, but not before `earliest`.
    fn plan_look(&mut self, index: u32, earliest: Nanos, now: Nanos) {
        let Some(notices) = self.notices.as_deref_mut() else { return };
        let service = self.registry.get(index);
        let tracked = notices.tracked.get(&index);
        let mut at = None;
        let mut plan = |instant: Nanos| at = Some(at.map_or(instant, |at: Nanos| at.min(instant)));
        let is_overdue = tracked.is_some_and(|tracked| tracked.overdue_since.is_some());
        if !is_overdue && let Some(from) = service.overdue_from(now, self.env.clock.wall_reading())
        {
            let planned = service.life.next_run().filter(|run| *run < Nanos::MAX);
            let from = if from < now { planned.unwrap_or(now).max(from) } else { from };
            // The wall clock may be set forward, or the machine suspended.
            let limit = if service.is_on_calendar() { now + MAX_CALENDAR_LOOK } else { Nanos::MAX };
            plan(from.saturating_add(1).min(limit).max(earliest));
        }
        if let Some(tracked) = tracked {
            if is_overdue && tracked.has_succeeded {
                plan(now);
            }
            tracked.untold().into_iter().flatten().for_each(|kind| plan(tracked.may_tell_at(kind)));
            if tracked.is_settled() {
                plan((0..5).map(|kind| tracked.may_tell_at(kind)).max().unwrap_or(now));
            }
            let is_active = service.life.state().is_active();
            if tracked.health != Health::Well && is_active && !service.spec().schedule.is_periodic()
            {
                let began = service.life.running_since().unwrap_or(now);
                plan(began.saturating_add(RECOVERY));
            }
        }
        notices.set_look(index, at);
        notices.announce();
    }

    fn forget_notices(&mut self, index: u32) {
        let Some(notices) = self.notices.as_deref_mut() else { return };
        if let Some(tracked) = notices.tracked.remove(&index) {
            notices.awaiting -= usize::from(tracked.is_awaiting);
            self.journal.set_awaits_success(notices.awaiting > 0);
        }
        notices.set_look(index, None);
        notices.announce();
    }

    /// When to call [`Supervisor::look_for_notices`] next.
    pub(super) fn next_notice_look(&self) -> Option<Nanos> {
        self.notices.as_ref()?.announced
    }

    /// Looks at the services that could be overdue, and at those of which something is to be told now. There may be more
    /// left.
    pub(crate) fn look_for_notices(&mut self, now: Nanos) {
        for _ in 0..MAX_LOOKS {
            let Some(notices) = self.notices.as_deref_mut() else { return };
            let Some((_, index)) = notices.looks.first().copied().filter(|(at, _)| *at <= now)
            else {
                break;
            };
            notices.set_look(index, None);
            self.look_at(index, now);
        }
        if let Some(notices) = self.notices.as_deref_mut() {
            // The hook whose thread looks has forgotten the instant.
            notices.hooks.iter().for_each(|hook| hook.queue.set_look_at(notices.announced));
        }
    }

    fn look_at(&mut self, index: u32, now: Nanos) {
        let service = self.registry.get(index);
        let reading = self.env.clock.wall_reading();
        let overdue = service.overdue_for(now, reading).map(|length| now.saturating_sub(length));
        let is_running_well = !service.spec().schedule.is_periodic()
            && service.life.running_since().is_some()
            && service.life.unrecovered_crashes(service.spec(), now) == 0;
        if self.is_tracked(index) || overdue.is_some() {
            self.track(index, now, |tracked| {
                let runs_long = now.saturating_sub(tracked.broken_since) >= RECOVERY;
                if is_running_well && runs_long {
                    tracked.health = Health::Well;
                }
                let has_succeeded = std::mem::take(&mut tracked.has_succeeded);
                match (tracked.overdue_since, overdue) {
                    (None, Some(_)) => tracked.overdue_since = overdue,
                    (Some(_), None) if has_succeeded => tracked.overdue_since = None,
                    (Some(_), Some(_) | None) | (None, None) => {}
                }
            });
        }
        let Some(notices) = self.notices.as_deref_mut() else { return };
        let is_over = |tracked: &Tracked| {
            tracked.is_settled() && (0..5).all(|kind| tracked.may_tell_at(kind) <= now)
        };
        if notices.tracked.get(&index).is_some_and(is_over) {
            notices.tracked.remove(&index);
        }
        self.plan_look(index, now.saturating_add(MIN_LOOK_INTERVAL), now);
    }
}
