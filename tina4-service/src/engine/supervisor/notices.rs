//! What people want to be told of: which services are broken or overdue, and what was said of them.
//!
//! There are [`Notices`] only if there is a hook. They follow the changes of all services, which are rare. A run that ends well is
//! looked at only while some service is broken or overdue. Nothing tells that a service becomes overdue,
//! so each one with due times is looked at when that could be the case next: by the thread of a hook, or by the
//! clock of the test kit.
//!
//! For each service there is what is true and what was told. A change that comes too soon after one of its kind
//! is not told; once the time has passed, what is true then is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use crate::observe::log_limits::LineLimit;
use crate::observe::notice::NoticeKind;
use crate::observe::notice_queue::NoticeQueue;
use tina4_service_core::Nanos;

/// How long one kind of change of a service is not told again.
const THROTTLE: Nanos = 60_000_000_000;

/// A service whose runs end well is looked at no more often than this.
pub(super) const MIN_LOOK_INTERVAL: Nanos = 10_000_000_000;

/// The hooks of a runner, and what they were told.
#[derive(Default)]
pub(super) struct Notices {
    pub(super) hooks: Vec<Hook>,
    /// The number of notices until now.
    pub(super) told: u64,
    /// The services that are broken or overdue, or were told to be a short time ago.
    pub(super) tracked: BTreeMap<u32, Tracked>,
    /// When to look at which service, and the same by service.
    pub(super) looks: BTreeSet<(Nanos, u32)>,
    pub(super) look_of: BTreeMap<u32, Nanos>,
    /// How many of `tracked` are active and wait for a run that ends well.
    pub(super) awaiting: usize,
    /// The instant of the next look, as the hooks know it.
    pub(super) announced: Option<Nanos>,
    /// How often the log says that notices were lost, and how many it has not said.
    pub(super) lost: LineLimit,
    pub(super) lost_unsaid: u64,
}

/// One hook.
pub(super) struct Hook {
    pub(super) queue: Arc<NoticeQueue>,
    /// The number of notices before it was added.
    pub(super) since: u64,
}

/// How a service is, as far as crashes are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Health {
    #[default]
    Well,
    Broken,
    Failed,
}

/// One service.
#[derive(Debug, Default)]
pub(super) struct Tracked {
    pub(super) health: Health,
    pub(super) told_health: Health,
    /// Since when it is not well.
    pub(super) broken_since: Nanos,
    /// The crashes since it was well, the last ones in a row, and the cause of the last one.
    pub(super) crashes: u64,
    pub(super) in_a_row: u32,
    pub(super) cause: Option<Arc<str>>,
    /// Since when it is overdue.
    pub(super) overdue_since: Option<Nanos>,
    pub(super) is_told_overdue: bool,
    pub(super) told_overdue_since: Nanos,
    /// Whether a run has ended well since it was overdue.
    pub(super) has_succeeded: bool,
    /// When it was last told that it broke, failed, recovered, is overdue and is no longer.
    pub(super) last_told: [Option<Nanos>; 5],
    /// Whether it counts as one of those that wait for a run that ends well.
    pub(super) is_awaiting: bool,
    /// The numbers of the last notices that it broke or failed, and that it is overdue.
    pub(super) bad_notice: u64,
    pub(super) overdue_notice: u64,
    /// The changes since the last notice.
    pub(super) changes: u64,
}

impl Tracked {
    /// Records a crash of a service that is not well.
    pub(super) fn crash(&mut self, health: Health, in_a_row: u32, cause: &Arc<str>, now: Nanos) {
        if self.health == Health::Well {
            (self.broken_since, self.crashes) = (now, u64::from(in_a_row.max(1)));
        } else {
            self.crashes += 1;
        }
        self.health = health;
        (self.in_a_row, self.cause) = (in_a_row, Some(Arc::clone(cause)));
    }

    /// Whether only a run that ends well changes it for the better.
    pub(super) fn awaits_success(&self, is_periodic: bool) -> bool {
        (is_periodic && self.health != Health::Well) || self.overdue_since.is_some()
    }

    /// Whether there is nothing to tell, and nothing that could be.
    pub(super) fn is_settled(&self) -> bool {
        let is_well = self.health == Health::Well && self.overdue_since.is_none();
        // The next notice says how many changes were left out.
        is_well && self.untold() == [None; 2] && self.changes == 0
    }

    /// What is true and was not told: the positions of these kinds in `last_told`.
    pub(super) fn untold(&self) -> [Option<usize>; 2] {
        let health = match (self.told_health, self.health) {
            (Health::Well, Health::Broken) => Some(0),
            (Health::Well | Health::Broken, Health::Failed) => Some(1),
            (Health::Broken | Health::Failed, Health::Well) => Some(2),
            // It was started again.
            (Health::Failed, Health::Broken)
            | (Health::Well, Health::Well)
            | (Health::Broken, Health::Broken)
            | (Health::Failed, Health::Failed) => None,
        };
        let overdue = match (self.is_told_overdue, self.overdue_since) {
            (false, Some(_)) => Some(3),
            (true, None) => Some(4),
            (true, Some(_)) | (false, None) => None,
        };
        [health, overdue]
    }

    /// The number of the notice that this one follows, the `number`-th one: a hook that was not told of it is not told
    /// of this one either.
    pub(super) fn follows(&mut self, kind: &NoticeKind, number: u64) -> u64 {
        match kind {
            NoticeKind::Broke { .. } | NoticeKind::Failed { .. } => self.bad_notice = number,
            NoticeKind::Overdue { .. } => self.overdue_notice = number,
            NoticeKind::Recovered { .. } => return self.bad_notice,
            NoticeKind::NoLongerOverdue { .. } => return self.overdue_notice,
        }
        number
    }

    /// When this kind of notice may be told.
    pub(super) fn may_tell_at(&self, kind: usize) -> Nanos {
        self.last_told[kind].map_or(0, |told| told.saturating_add(THROTTLE))
    }

    /// Takes the next notice that may be told.
    pub(super) fn take_notice(&mut self, now: Nanos) -> Option<NoticeKind> {
        let kind =
            self.untold().into_iter().flatten().find(|kind| self.may_tell_at(*kind) <= now)?;
        self.last_told[kind] = Some(now);
        let since = |instant: Nanos| Duration::from_nanos(now.saturating_sub(instant));
        if kind < 3 {
            self.told_health = self.health;
        } else {
            self.is_told_overdue = self.overdue_since.is_some();
        }
        let cause = || self.cause.clone().unwrap_or_default();
        Some(match kind {
            0 => NoticeKind::Broke { in_a_row: self.in_a_row, cause: cause() },
            1 => NoticeKind::Failed { cause: cause() },
            2 => NoticeKind::Recovered { crashes: self.crashes, after: since(self.broken_since) },
            3 => {
                self.told_overdue_since = self.overdue_since.unwrap_or(now);
                NoticeKind::Overdue { overdue: since(self.told_overdue_since) }
            }
            _ => NoticeKind::NoLongerOverdue { after: since(self.told_overdue_since) },
        })
    }
}

impl Notices {
    /// Sets when to look at a service; `None`: not at all.
    pub(super) fn set_look(&mut self, index: u32, at: Option<Nanos>) {
        if let Some(old) = self.look_of.remove(&index) {
            self.looks.remove(&(old, index));
        }
        if let Some(at) = at {
            self.look_of.insert(index, at);
            self.looks.insert((at, index));
        }
    }

    /// Counts lost notices. Returns how many a log line is to report now; `None`: none is written.
    pub(super) fn count_lost(&mut self, count: u64, now: Nanos) -> Option<u64> {
        self.lost_unsaid += count;
        if count == 0 {
            return None;
        }
        self.lost.allow(now)?;
        Some(std::mem::take(&mut self.lost_unsaid))
    }

    /// Tells the hooks when the next look is due, if that has changed.
    pub(super) fn announce(&mut self) {
        let first = self.looks.first().map(|(at, _)| *at);
        if std::mem::replace(&mut self.announced, first) != first {
            self.hooks.iter().for_each(|hook| hook.queue.set_look_at(first));
        }
    }
}

impl Drop for Notices {
    fn drop(&mut self) {
        self.hooks.iter().for_each(|hook| hook.queue.close(false));
    }
}
