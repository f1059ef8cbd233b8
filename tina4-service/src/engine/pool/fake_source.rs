//! A work source for tests: due times with closures, and a count of what was executed.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::deferred::DeferredQueue;
use super::work_source::Timing;
use super::*;
use crate::service::environment::Environment;
use crate::sys::threads::start_worker;

pub(super) type Work = Arc<dyn Fn() + Send + Sync>;

/// A source of work, ordered by due time. It is finished once it has been closed and no work is left.
pub(super) struct FakeSource {
    /// Each with the instant from which it may be taken, which may be earlier than its due time.
    due: BTreeMap<(Nanos, u32), (Nanos, Work)>,
    next_id: u32,
    executing: usize,
    pub(super) done: usize,
    pub(super) closed: bool,
    changed: bool,
    deferred: DeferredQueue,
    /// Due times that need no worker, each with an effect that it defers.
    deferring: BTreeMap<Nanos, Work>,
    /// Whether new work is predicted to be short; `None`: there is no prediction.
    pub(super) short: Option<bool>,
    pub(super) max_executing: usize,
    pub(super) failed_spawns: usize,
    /// How often `is_finished` was called: at least once each time a worker becomes idle.
    pub(super) finish_checks: usize,
    /// Completed work is due again after this period.
    pub(super) period: Option<Nanos>,
    /// How long each call of `complete` spins under the lock, in nanoseconds of real time.
    pub(super) busy: Nanos,
}

/// Runs the closure when it is dropped, as a user's destructor does.
struct OnDrop(Work);

impl Drop for OnDrop {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Default for FakeSource {
    fn default() -> Self {
        Self {
            due: BTreeMap::new(),
            next_id: 0,
            executing: 0,
            done: 0,
            closed: false,
            changed: false,
            deferred: DeferredQueue::new(Arc::new(Environment::default())),
            deferring: BTreeMap::new(),
            short: None,
            max_executing: 0,
            failed_spawns: 0,
            finish_checks: 0,
            period: None,
            busy: 0,
        }
    }
}

impl FakeSource {
    /// Adds a due time that needs no worker, but defers `effect` until the lock is released.
    pub(super) fn add_deferring(&mut self, at: Nanos, effect: Work) {
        self.deferring.insert(at, effect);
    }

    /// Defers `effect` until the lock is released.
    pub(super) fn defer(&mut self, effect: Work) {
        self.deferred.discard(Some(OnDrop(effect)));
    }

    pub(super) fn add(&mut self, at: Nanos, work: Work) {
        self.add_tolerant(at, at, work);
    }

    /// Adds work that must begin by `due`, and may begin from `earliest` on.
    pub(super) fn add_tolerant(&mut self, earliest: Nanos, due: Nanos, work: Work) {
        self.due.insert((due, self.next_id), (earliest, work));
        self.next_id += 1;
    }
}

pub(super) struct FakeWork {
    work: Work,
    short: Option<bool>,
}

impl WorkSource for FakeSource {
    type WorkId = FakeWork;
    type WorkItem = FakeWork;
    type Completion = ();

    fn next_due(&mut self) -> Option<Nanos> {
        let work = self.due.first_key_value().map(|((at, _), _)| *at);
        let deferring = self.deferring.first_key_value().map(|(at, _)| *at);
        work.into_iter().chain(deferring).min()
    }

    fn first_due(&mut self) -> Option<(Nanos, u32)> {
        let work = self.due.first_key_value().map(|(key, _)| *key);
        let deferring = self.deferring.first_key_value().map(|(at, _)| (*at, u32::MAX));
        work.into_iter().chain(deferring).min()
    }

    fn is_due(&mut self, now: Nanos) -> bool {
        let work = self.due.first_key_value().is_some_and(|(_, (earliest, _))| *earliest <= now);
        work || self.deferring.first_key_value().is_some_and(|(at, _)| *at <= now)
    }

    fn due_after_next(&self) -> Option<Nanos> {
        let work = self.due.keys().take(2).map(|(at, _)| *at);
        let mut first: Vec<_> = work.chain(self.deferring.keys().take(2).copied()).collect();
        first.sort_unstable();
        first.get(1).copied()
    }

    fn take_due(&mut self, now: Nanos) -> Option<FakeWork> {
        if let Some(entry) = self.deferring.first_entry()
            && *entry.key() <= now
        {
            let effect = entry.remove();
            self.defer(effect);
            return None;
        }
        let entry = self.due.first_entry()?;
        if entry.get().0 > now {
            return None;
        }
        let (_, work) = entry.remove();
        self.executing += 1;
        self.max_executing = self.max_executing.max(self.executing);
        Some(FakeWork { work, short: self.short })
    }

    fn complete(&mut self, item: FakeWork, _: (), timing: Timing) -> Option<FakeWork> {
        if let Some(period) = self.period {
            self.add(timing.now + period, item.work);
        }
        let clock = Clock::system();
        let end = clock.now() + self.busy;
        while clock.now() < end {}
        self.executing -= 1;
        self.done += 1;
        self.changed = true;
        None
    }

    fn begin(&mut self, id: FakeWork) -> FakeWork {
        id
    }

    fn execute(item: &FakeWork) {
        (item.work)();
    }

    fn expected_duration(&self, id: &FakeWork) -> Option<Nanos> {
        id.short.map(|short| if short { 0 } else { Nanos::MAX })
    }

    fn max_concurrency(&self) -> usize {
        self.executing + self.due.len() + self.deferring.len()
    }

    fn is_finished(&mut self) -> bool {
        self.finish_checks += 1;
        self.closed && self.due.is_empty() && self.deferring.is_empty()
    }

    fn deferred(&self) -> &DeferredQueue {
        &self.deferred
    }

    fn deferred_mut(&mut self) -> &mut DeferredQueue {
        &mut self.deferred
    }

    #[cfg(feature = "exit-hook")]
    fn service_index(_: &Self::WorkItem) -> u32 {
        0
    }

    fn ignores_thread_limit(&self) -> bool {
        false
    }

    fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    fn spawn_failed(&mut self, _: &io::Error) {
        self.failed_spawns += 1;
    }
}

pub(super) fn pool(clock: Clock, max_count: Option<usize>) -> Arc<Pool<FakeSource>> {
    let config = ThreadConfig {
        name_prefix: "fake".to_owned(),
        max_count,
        stack_size: None,
        start: start_worker,
    };
    Pool::new(FakeSource::default(), clock, config)
}

/// Waits until this many pieces of work are done.
pub(super) fn wait_for_done(pool: &Arc<Pool<FakeSource>>, count: usize) {
    pool.wait_for(
        |source, _| {
            if source.done >= count { Poll::Ready(()) } else { Poll::Pending(None) }
        },
    );
}
