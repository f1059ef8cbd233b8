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
    stat: Option<Arc<Path>>,
    /// How many polls the clock has waited for it.
    polls: u32,
    /// Whether its thread was running at the last of them.
    running: bool,
}

impl Detached {
    /// The body on this thread.
    pub(super) fn new(is_stopping: IsStopping) -> Self {
        let thread = std::thread::current().id();
        Self { thread, is_stopping, stat: own_stat(), polls: 0, running: false }
    }

    /// Whether the clock still waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        let most = if (self.is_stopping)() {
            MAX_POLLS_STOPPING
        } else if self.running {
            MAX_POLLS_RUNNING
        } else {
            1
        };
        self.polls < most
    }
}

/// Counts a poll for the bodies that the clock waits for; `running` are the threads that run. A body
/// that the clock no longer waits for may be asked to stop later, and then still has polls left.
pub(super) fn count_poll(all: &mut [Detached], running: &[ThreadId]) {
    for detached in all.iter_mut().filter(|detached| detached.is_awaited()) {
        detached.polls += 1;
        detached.running = running.contains(&detached.thread);
    }
}

/// The files with the states of the threads. They are read without the lock of the virtual time: a
/// thread may be about to take it, to reattach.
pub(super) fn stats(all: &[Detached]) -> Vec<(ThreadId, Arc<Path>)> {
    all.iter().filter_map(|detached| Some((detached.thread, detached.stat.clone()?))).collect()
}

/// Which of these threads run, or are ready to run, or wait for a disk.
pub(super) fn running(stats: Vec<(ThreadId, Arc<Path>)>) -> Vec<ThreadId> {
    let running = |(thread, stat): (ThreadId, Arc<Path>)| {
        let line = std::fs::read_to_string(stat).ok()?;
        // The state follows the name, which is in parentheses and may itself contain some.
        line.rsplit_once(") ")?.1.starts_with(['R', 'D']).then_some(thread)
    };
    stats.into_iter().filter_map(running).collect()
}

fn own_stat() -> Option<Arc<Path>> {
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

    fn polls(all: &mut [Detached], running: &[ThreadId]) -> u32 {
        let mut count = 0;
        while all[0].is_awaited() {
            count_poll(all, running);
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
