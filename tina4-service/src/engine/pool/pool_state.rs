//! The state that the pool's lock guards, and the check that the next due time is covered.

use super::deferred::Deferred;
use super::stall::Stall;
use super::work_source::WorkSource;
use super::workers::{Wakeups, Workers};
use tina4_service_core::Nanos;

/// The state that the pool's lock guards.
#[derive(Debug)]
pub(super) struct PoolState<S> {
    pub(super) source: S,
    pub(super) workers: Workers,
    /// The number of threads that wait for a change, in `Pool::wait_for` or `Pool::wait_for_log`.
    pub(super) listeners: usize,
    /// What was due at the last check of whether the engine makes progress.
    pub(super) stall: Option<Stall>,
}

/// The actions to take after the lock has been released.
#[derive(Debug)]
pub(super) struct AfterUnlock {
    pub(super) wakeups: Option<Wakeups>,
    /// Whether to notify the threads that wait for a change.
    pub(super) notify_listeners: bool,
    pub(super) deferred: Option<Box<Deferred>>,
}

impl<S: WorkSource> PoolState<S> {
    /// Makes sure that the next due time is covered, as the pool's documentation defines it.
    ///
    /// `returns_soon`: the caller is a worker that is expected to check for due work again shortly.
    /// `max_threads` is called only if a worker may be needed, because this is part of every run.
    // Inlining is forced: this is part of every run, and there are too many callers for the compiler to
    // inline it on its own.
    #[inline(always)]
    pub(super) fn cover(
        &mut self,
        now: Nanos,
        returns_soon: bool,
        max_threads: impl FnOnce(&S) -> usize,
    ) -> Option<Box<AfterUnlock>> {
        let (notify_listeners, deferred) = self.take_after_unlock();
        // A log or a destructor may block, so a thread that executes one might not return soon.
        let returns_soon = returns_soon && deferred.is_none();
        let uncovered = self.uncovered(now, returns_soon);
        if uncovered.is_none() && !notify_listeners && deferred.is_none() {
            return None;
        }
        let wakeups = uncovered.and_then(|due| {
            let max_threads = max_threads(&self.source);
            self.workers.wake_for(now, due, returns_soon, max_threads)
        });
        AfterUnlock::new(wakeups, notify_listeners, deferred)
    }

    /// The next due time, unless the leader wakes up in time for it or, if there is no leader and the
    /// caller returns soon, a stand-by does. Arriving workers are not considered here, but by
    /// `Workers::wake_for`. If the source is finished, wakes all workers, so that they exit.
    // Inlining is forced, as for `cover`.
    #[inline(always)]
    pub(super) fn uncovered(&mut self, now: Nanos, returns_soon: bool) -> Option<Nanos> {
        let due = self.source.next_due();
        if due.is_none() && self.source.is_finished() {
            self.workers.wake_all();
        }
        due.filter(|due| !self.is_covered(now, *due, returns_soon))
    }

    /// Takes what must be done without the lock: whether to notify listeners, and the deferred effects.
    #[inline]
    pub(super) fn take_after_unlock(&mut self) -> (bool, Option<Box<Deferred>>) {
        let notify_listeners = self.source.take_changed() && self.listeners > 0;
        (notify_listeners, self.source.deferred_mut().take())
    }

    /// Whether the leader wakes up in time for this due time or, if there is no leader and the caller
    /// returns soon, a stand-by does. Arriving workers are not considered.
    #[inline]
    fn is_covered(&self, now: Nanos, due: Nanos, returns_soon: bool) -> bool {
        match &self.workers.leader {
            Some(leader) => leader.until <= due,
            None => returns_soon && self.workers.has_stand_by(now, due),
        }
    }
}

impl AfterUnlock {
    /// `None` if there is nothing to do. Boxed, because that is the usual case.
    #[inline]
    pub(super) fn new(
        wakeups: Option<Wakeups>,
        notify_listeners: bool,
        deferred: Option<Box<Deferred>>,
    ) -> Option<Box<Self>> {
        let any = wakeups.is_some() || notify_listeners || deferred.is_some();
        any.then(|| Box::new(Self { wakeups, notify_listeners, deferred }))
    }
}
