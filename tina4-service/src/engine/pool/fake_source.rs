//! A desk for tests: due times that are closures, and a count of what was done.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::*;
use crate::sys::threads::start_worker;

pub(super) type Work = Arc<dyn Fn() + Send + Sync>;

/// Jobs by due time. It is over when it is closed and nothing is left.
#[derive(Default)]
pub(super) struct FakeSource {
    due: BTreeMap<(Nanos, u32), Work>,
    next_id: u32,
    executing: usize,
    pub(super) done: usize,
    pub(super) closed: bool,
    news: bool,
    /// Done by whoever releases the lock next.
    pub(super) deferred: Option<Work>,
    /// Due times without a job: they leave this behind as aftermath.
    silent: BTreeMap<Nanos, Work>,
    pub(super) short: Option<bool>,
    pub(super) most_executing: usize,
    pub(super) failed_threads: usize,
    /// How often a worker lay down to rest, which it does after each time it woke.
    pub(super) rests: usize,
    /// A job that is done is due again so long after.
    pub(super) period: Option<Nanos>,
    /// How long the desk is busy with each report.
    pub(super) busy: Nanos,
}

impl FakeSource {
    /// Something due that is no job, but leaves `work` to be done outside of the lock.
    pub(super) fn add_silent(&mut self, at: Nanos, work: Work) {
        self.silent.insert(at, work);
    }

    pub(super) fn add(&mut self, at: Nanos, work: Work) {
        self.due.insert((at, self.next_id), work);
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
    type Deferred = Work;

    fn next_due(&mut self) -> Option<Nanos> {
        let item = self.due.first_key_value().map(|((at, _), _)| *at);
        let silent = self.silent.first_key_value().map(|(at, _)| *at);
        item.into_iter().chain(silent).min()
    }

    fn due_after_next(&self) -> Option<Nanos> {
        let jobs = self.due.keys().take(2).map(|(at, _)| *at);
        let mut first: Vec<_> = jobs.chain(self.silent.keys().take(2).copied()).collect();
        first.sort_unstable();
        first.get(1).copied()
    }

    fn take(&mut self, now: Nanos) -> Option<FakeWork> {
        if let Some(entry) = self.silent.first_entry()
            && *entry.key() <= now
        {
            self.deferred = Some(entry.remove());
            return None;
        }
        let entry = self.due.first_entry()?;
        if entry.key().0 > now {
            return None;
        }
        let work = entry.remove();
        self.executing += 1;
        self.most_executing = self.most_executing.max(self.executing);
        Some(FakeWork { work, short: self.short })
    }

    fn finish(&mut self, item: FakeWork, _: (), back: Timing) -> Option<FakeWork> {
        if let Some(period) = self.period {
            self.add(back.now + period, item.work);
        }
        let clock = Clock::system();
        let over = clock.now() + self.busy;
        while clock.now() < over {}
        self.executing -= 1;
        self.done += 1;
        self.news = true;
        None
    }

    fn item(&mut self, id: FakeWork) -> FakeWork {
        id
    }

    fn work(item: &FakeWork) {
        (item.work)();
    }

    fn usual(&self, id: &FakeWork) -> Option<Nanos> {
        id.short.map(|short| if short { 0 } else { Nanos::MAX })
    }

    fn max_work(&self) -> usize {
        self.executing + self.due.len() + self.silent.len()
    }

    fn is_over(&mut self) -> bool {
        self.rests += 1;
        self.closed && self.due.is_empty() && self.silent.is_empty()
    }

    fn has_deferred(&self) -> bool {
        self.deferred.is_some()
    }

    #[cfg(feature = "signals")]
    fn take_wakes(&mut self) -> impl Sized + use<> {}

    fn deferred(&mut self) -> Option<Work> {
        self.deferred.take()
    }

    fn flush(work: Work) {
        work();
    }

    fn flushed(&mut self, _in_order: bool) {}

    fn is_ordered(_: &Work) -> bool {
        false
    }

    fn is_flushed(&self) -> bool {
        true
    }

    #[cfg(feature = "exit-hook")]
    fn subject(_: &Self::WorkItem) -> u32 {
        0
    }

    fn is_unlimited(&self) -> bool {
        false
    }

    fn take_news(&mut self) -> bool {
        std::mem::take(&mut self.news)
    }

    fn thread_failed(&mut self, _: &io::Error) {
        self.failed_threads += 1;
    }
}

pub(super) fn pool(clock: Clock, most: Option<usize>) -> Arc<Pool<FakeSource>> {
    let threads =
        ThreadConfig { name: "fake".to_owned(), most, stack_size: None, start: start_worker };
    Pool::new(FakeSource::default(), clock, threads)
}

/// Waits until so many jobs are done.
pub(super) fn wait_for_done(pool: &Arc<Pool<FakeSource>>, count: usize) {
    pool.wait_for(|toy, _| if toy.done >= count { Ok(()) } else { Err(None) });
}
