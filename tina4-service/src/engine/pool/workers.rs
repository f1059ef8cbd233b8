//! The bookkeeping of the worker threads: leader, stand-by, idle and arriving workers.

use std::sync::Arc;
#[cfg(feature = "exit-hook")]
use std::sync::Weak;

#[cfg(feature = "exit-hook")]
use super::worker_record::WorkerRecord;
use crate::sys::sync::Condvar;
use tina4_service_core::Nanos;

/// A stand-by wakes up this long after the due time that it watches, or later if `MIN_STAND_BY` has
/// not passed by then.
pub(super) const STAND_BY_SLACK: Nanos = 5_000_000;
/// The leader asks the system to wake it at most this long before the due time.
pub(super) const MAX_WAKE_LATENCY: Nanos = 200_000;
/// Work is short below this duration, or below the measured wake-up latency if that is longer: waking
/// another worker would take longer than the work.
const SHORT_RUN_LIMIT: Nanos = 20_000;
/// The number of idle workers that are kept, however long they are idle.
pub(super) const MIN_IDLE: usize = 2;
/// The minimum time between a failed attempt to spawn a thread and the next attempt.
const SPAWN_RETRY_DELAY: Nanos = 1_000_000_000;
/// The minimum of [`Workers::short_score`] at which work without samples of its own is expected to be
/// short.
const MIN_SHORT_SCORE: u32 = 4;
/// The maximum of [`Workers::short_score`], so that a few long runs in a row bring it down.
const MAX_SHORT_SCORE: u32 = 16;

/// The worker threads of a pool.
#[derive(Debug, Default)]
pub(super) struct Workers {
    /// The number of threads that exist or are being spawned.
    pub(super) live: usize,
    /// How many of the `live` threads have been popped from `idle` or spawned and do not hold the lock
    /// yet.
    pub(super) arriving: usize,
    /// A stack: the worker that became idle last is woken first.
    pub(super) idle: Vec<IdleWorker>,
    /// The worker that waits for the next due time.
    pub(super) leader: Option<Leader>,
    /// The idle worker that is the first to check for due work without being notified, if any.
    pub(super) stand_by: Option<StandBy>,
    /// How long before its due time the leader asks to be woken: the measured latency of a timed wait.
    pub(super) wake_latency: Nanos,
    /// Whether the next arriving worker should stand by instead of taking work, because the worker that
    /// woke it continues. [`Workers::wake_for`] overwrites it unless there is a leader.
    pub(super) stand_by_wanted: bool,
    /// A stand-by had to step in, so all work is expected to be long until a short run has been
    /// observed.
    predictions_suspended: bool,
    /// Saturating score of recent short runs, used as the prior for unmeasured work: +1 for each
    /// short run, halved by each long one. A single long run proves nothing, because a new or
    /// preempted thread is slow with short work too.
    pub(super) short_score: u32,
    /// The number of attempts to spawn a thread so far; the source of the workers' ids.
    pub(super) spawned: u64,
    /// What each worker is executing; may contain entries of threads that have exited.
    #[cfg(feature = "exit-hook")]
    pub(super) records: Vec<Weak<WorkerRecord>>,
    /// No thread is spawned before this instant, because spawning one failed.
    pub(super) no_spawn_before: Nanos,
}

/// A worker without work.
#[derive(Debug)]
pub(super) struct IdleWorker {
    pub(super) id: u64,
    pub(super) condvar: Arc<Condvar>,
}

/// The worker that waits for the next due time.
#[derive(Debug)]
pub(super) struct Leader {
    pub(super) id: u64,
    pub(super) condvar: Arc<Condvar>,
    /// When it wakes up and checks for due work.
    pub(super) until: Nanos,
}

/// An idle worker that wakes up and checks for due work at the instant `until`, even if it is not
/// notified.
#[derive(Debug)]
pub(super) struct StandBy {
    pub(super) id: u64,
    pub(super) until: Nanos,
}

/// The workers to wake once the lock has been released.
#[derive(Debug)]
pub(super) struct Wakeups {
    pub(super) notify: [Option<Arc<Condvar>>; 2],
    /// How many threads to spawn.
    pub(super) spawn: usize,
}

impl Workers {
    /// Adds the record of a new worker.
    #[cfg(feature = "exit-hook")]
    pub(super) fn add_record(&mut self, new: &Arc<WorkerRecord>) {
        if self.records.len() > 2 * self.live {
            self.records.retain(|record| record.strong_count() > 0);
        }
        self.records.push(Arc::downgrade(new));
    }

    /// Pops the worker that became idle last, and counts it as arriving.
    pub(super) fn pop_idle(&mut self) -> Option<Arc<Condvar>> {
        let idle = self.idle.pop()?;
        self.arriving += 1;
        if self.stand_by.as_ref().is_some_and(|stand_by| stand_by.id == idle.id) {
            self.stand_by = None;
        }
        Some(idle.condvar)
    }

    /// Wakes every waiting worker so that it exits, because there will be no more due times.
    pub(super) fn wake_all(&mut self) {
        while let Some(condvar) = self.pop_idle() {
            condvar.notify_one();
        }
        if let Some(leader) = &self.leader {
            leader.condvar.notify_one();
        }
    }

    /// Whether a stand-by will wake up soon enough after `due`.
    pub(super) fn has_stand_by(&self, now: Nanos, due: Nanos) -> bool {
        let limit = due.max(now).saturating_add(STAND_BY_SLACK);
        self.stand_by.as_ref().is_some_and(|stand_by| stand_by.until <= limit)
    }

    /// Whether a worker that was woken should take work; resets the flag. It should not while another
    /// worker executes a burst of short runs: the two would only compete for the lock.
    pub(super) fn may_take_work(&mut self) -> bool {
        !std::mem::take(&mut self.stand_by_wanted)
    }

    /// Makes an idle worker the stand-by, unless the current one wakes up no later. Returns whether it
    /// did.
    pub(super) fn set_stand_by(&mut self, new: StandBy) -> bool {
        if self.stand_by.as_ref().is_some_and(|old| old.until <= new.until) {
            return false;
        }
        if let Some(old) = self.stand_by.replace(new)
            && let Some(old) = self.idle.iter().find(|idle| idle.id == old.id)
        {
            self.notify_surplus(&old.condvar);
        }
        true
    }

    /// Wakes an idle worker that may be waiting for a distant instant, if there are enough others,
    /// so that it waits with the idle timeout instead.
    pub(super) fn notify_surplus(&self, condvar: &Condvar) {
        if self.idle.len() >= MIN_IDLE {
            condvar.notify_one();
        }
    }

    /// Decides whether a stand-by that has woken up must take work: no leader waits, and the due time
    /// passed a while ago. Either work that was expected to be short is not, or there is too much work
    /// for one worker. From then on, other workers are woken for the next due times.
    pub(super) fn step_in_if_late(&mut self, now: Nanos, due: Option<Nanos>) -> bool {
        let is_late = due.is_some_and(|due| due.saturating_add(STAND_BY_SLACK) <= now);
        let must = is_late && self.leader.is_none();
        if must {
            self.predictions_suspended = true;
            self.short_score = 0;
        }
        must
    }

    /// Whether work of this expected duration is likely to be over before another worker is needed.
    #[inline]
    pub(super) fn predict_short(&self, expected: Option<Nanos>) -> bool {
        !self.predictions_suspended
            && expected
                .map_or(self.short_score >= MIN_SHORT_SCORE, |expected| self.is_short(expected))
    }

    #[inline]
    fn is_short(&self, duration: Nanos) -> bool {
        duration < SHORT_RUN_LIMIT.max(self.wake_latency)
    }

    /// Learns from the duration of finished work.
    #[inline]
    pub(super) fn learn_duration(&mut self, duration: Nanos) {
        let short = self.is_short(duration);
        self.short_score =
            if short { (self.short_score + 1).min(MAX_SHORT_SCORE) } else { self.short_score / 2 };
        self.predictions_suspended &= !short;
    }

    /// Learns from how late a timed wait ended. The estimate rises slowly and falls fast, so that it
    /// follows the best case.
    pub(super) fn learn_wake_latency(&mut self, late: Nanos) {
        // One very late wake-up says nothing about the next.
        let late = late.min(MAX_WAKE_LATENCY);
        self.wake_latency = if late > self.wake_latency {
            self.wake_latency + (late - self.wake_latency) / 16
        } else {
            self.wake_latency - (self.wake_latency - late) / 4
        }
        .min(MAX_WAKE_LATENCY);
    }

    /// Records that a worker has woken up and holds the lock: it is no longer the leader, the
    /// stand-by or idle. Returns whether it had been popped and notified.
    pub(super) fn woke_up(&mut self, worker_id: u64) -> bool {
        self.stand_by.take_if(|stand_by| stand_by.id == worker_id);
        if self.leader.take_if(|leader| leader.id == worker_id).is_some() {
            return false;
        }
        if let Some(position) = self.idle.iter().position(|idle| idle.id == worker_id) {
            self.idle.remove(position);
            return false;
        }
        // Neither the leader nor idle: another thread popped and notified it.
        self.arriving -= 1;
        true
    }

    /// Wakes or spawns workers to handle `due`, unless enough are arriving. If there is a leader, it is
    /// woken instead.
    ///
    /// `returns_soon`: the caller continues to work, so that only a stand-by is needed.
    pub(super) fn wake_for(
        &mut self,
        now: Nanos,
        due: Nanos,
        returns_soon: bool,
        max_threads: usize,
    ) -> Option<Wakeups> {
        if let Some(leader) = &mut self.leader {
            leader.until = due;
            return Some(Wakeups { notify: [Some(Arc::clone(&leader.condvar)), None], spawn: 0 });
        }
        // If more work is due already and the caller may block, two workers are woken, each of which
        // wakes up to two more. That is faster than waking them one after another. As a stand-by,
        // one worker is enough.
        let needed = if due <= now && !returns_soon { 2 } else { 1 };
        self.stand_by_wanted = returns_soon;
        let (mut notify, mut spawn) = ([None, None], 0);
        for condvar in &mut notify {
            if self.arriving >= needed {
                break;
            }
            *condvar = self.pop_idle();
            if condvar.is_none() && self.reserve_spawn(now, max_threads) {
                spawn += 1;
            }
        }
        (notify[0].is_some() || spawn > 0).then_some(Wakeups { notify, spawn })
    }

    /// Wakes one worker so that it checks for work, or spawns one if there are others; does nothing if
    /// one is arriving. `None`: no worker was woken or spawned, and none is arriving.
    pub(super) fn wake_any(&mut self, now: Nanos, max_threads: usize) -> Option<Wakeups> {
        if self.live == 0 {
            return None;
        }
        if self.arriving > 0 {
            return Some(Wakeups { notify: [None, None], spawn: 0 });
        }
        let leader = self.leader.as_ref().map(|leader| Arc::clone(&leader.condvar));
        let condvar = leader.or_else(|| self.pop_idle());
        let spawn = usize::from(condvar.is_none() && self.reserve_spawn(now, max_threads));
        (condvar.is_some() || spawn > 0).then_some(Wakeups { notify: [condvar, None], spawn })
    }

    /// Counts a thread that is about to be spawned, if the limits allow it. Returns whether they do.
    fn reserve_spawn(&mut self, now: Nanos, max_threads: usize) -> bool {
        let allowed = self.live < max_threads && (self.live == 0 || now >= self.no_spawn_before);
        self.live += usize::from(allowed);
        self.arriving += usize::from(allowed);
        allowed
    }

    /// Records that a thread that was already counted could not be spawned.
    pub(super) fn spawn_failed(&mut self, now: Nanos) {
        self.live -= 1;
        self.arriving -= 1;
        self.no_spawn_before = now.saturating_add(SPAWN_RETRY_DELAY);
    }

    /// Whether there are as many threads as there may be, and none of them waits for work or is about to take
    /// some: each executes a run, a clean-up, a destructor or a log subscriber.
    pub(super) fn are_all_busy(&self, max_threads: usize) -> bool {
        self.live >= max_threads
            && self.arriving == 0
            && self.leader.is_none()
            && self.idle.is_empty()
    }

    /// Whether spawning a thread has ever failed.
    #[cfg(any(feature = "queue", feature = "signals", feature = "tokio"))]
    pub(super) fn has_spawn_failed(&self) -> bool {
        self.no_spawn_before > 0
    }

    /// When the next attempt to spawn a thread may be made; `None`: immediately.
    pub(super) fn spawn_retry_at(&self, now: Nanos) -> Option<Nanos> {
        Some(self.no_spawn_before).filter(|retry| *retry > now)
    }
}
