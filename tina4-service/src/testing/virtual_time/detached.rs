//! Bodies that continue without the token, and how long the clock is held back for them.

use std::path::Path;
use std::sync::Arc;
use std::thread::ThreadId;

use super::limits::{MAX_POLLS_RUNNING, MAX_POLLS_STOPPING};
use crate::time::virtual_clock::IsStopping;

/// A body that continues without the token.
pub(super) struct Detached {
    pub(super) thread: ThreadId,
    is_stopping: IsStopping,
    /// The file in which Linux reports the state of the thread.
    stat_file: Option<Arc<Path>>,
    /// For how many polls the clock has waited for it.
    polls: u32,
    /// Whether its thread was busy at the last poll.
    busy: bool,
}

impl Detached {
    /// The body on this thread.
    pub(super) fn new(is_stopping: IsStopping) -> Self {
        let thread = std::thread::current().id();
        Self { thread, is_stopping, stat_file: own_stat_file(), polls: 0, busy: false }
    }

    /// Whether the clock still waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        let max = if (self.is_stopping)() {
            MAX_POLLS_STOPPING
        } else if self.busy {
            MAX_POLLS_RUNNING
        } else {
            1
        };
        self.polls < max
    }
}

/// Counts a poll for each body that the clock still waits for. Other bodies are not counted, so that
/// they have polls left if they are asked to stop later. `busy` lists the threads that are busy.
pub(super) fn count_poll(all: &mut [Detached], busy: &[ThreadId]) {
    for detached in all.iter_mut().filter(|detached| detached.is_awaited()) {
        detached.polls += 1;
        detached.busy = busy.contains(&detached.thread);
    }
}

/// The files in which Linux reports the states of the threads. They are read without the lock of the
/// virtual time: a thread may be about to take it, to reattach.
pub(super) fn stat_files(all: &[Detached]) -> Vec<(ThreadId, Arc<Path>)> {
    all.iter().filter_map(|detached| Some((detached.thread, detached.stat_file.clone()?))).collect()
}

/// Returns the threads that are running, ready to run, or waiting for a disk.
pub(super) fn busy_threads(stat_files: Vec<(ThreadId, Arc<Path>)>) -> Vec<ThreadId> {
    let busy = |(thread, file): (ThreadId, Arc<Path>)| {
        let line = std::fs::read_to_string(file).ok()?;
        // The state follows the name, which is in parentheses and may itself contain some.
        line.rsplit_once(") ")?.1.starts_with(['R', 'D']).then_some(thread)
    };
    stat_files.into_iter().filter_map(busy).collect()
}

fn own_stat_file() -> Option<Arc<Path>> {
    // Miri aborts a program that reads a link.
    if !cfg!(all(target_os = "linux", not(miri))) {
        return None;
    }
    // `<process>/task/<thread>`
    let own = std::fs::read_link("/proc/thread-self").ok()?;
    Some(Path::new("/proc").join(own).join("stat").into())
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::*;

    fn polls(all: &mut [Detached], busy: &[ThreadId]) -> u32 {
        let mut count = 0;
        while all[0].is_awaited() {
            count_poll(all, busy);
            count += 1;
        }
        count
    }

    #[test]
    fn a_body_is_waited_for_while_it_runs_and_again_when_it_is_asked_to_stop() {
        let stopping = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stopping);
        let mut all = [Detached::new(Arc::new(move || asked.load(Ordering::Relaxed)))];
        let here = std::thread::current().id();
        assert_eq!(polls(&mut all, &[here]), MAX_POLLS_RUNNING);
        // The clock waits for others in the meantime.
        (0..2 * MAX_POLLS_STOPPING).for_each(|_| count_poll(&mut all, &[]));
        stopping.store(true, Ordering::Relaxed);
        assert_eq!(polls(&mut all, &[]), MAX_POLLS_STOPPING - MAX_POLLS_RUNNING);

        let mut all = [Detached::new(Arc::new(|| false))];
        assert_eq!(polls(&mut all, &[]), 1);
    }
}
