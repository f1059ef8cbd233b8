//! Bodies that go on without the baton, and how long, in real time, test time waits for them.

use std::path::Path;
use std::sync::Arc;
use std::thread::ThreadId;
use std::time::Duration;

use super::STALL_TIMEOUT;

/// Who is outside is waited for in glances of this length: most only look whether they are asked to
/// stop, and need a part of one.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(100);
/// So many of them for a body that is seen to compute still, for the machine may be slow.
const COMPUTING: u32 = 20;
/// So many for one that is asked to stop.
const STOPPING: u32 = (STALL_TIMEOUT.as_millis() / POLL_INTERVAL.as_millis()) as u32;

/// A body that goes on without the baton.
pub(super) struct Detached {
    pub(super) thread: ThreadId,
    is_stopping: Arc<dyn Fn() -> bool + Send + Sync>,
    /// Where the operating system says what it is doing, if it does.
    stat: Option<Arc<Path>>,
    /// How many glances it was waited for, and whether it computed at the end of the last.
    glances: u32,
    computes: bool,
}

impl Detached {
    /// The thread that asks.
    pub(super) fn new(is_stopping: Arc<dyn Fn() -> bool + Send + Sync>) -> Self {
        let thread = std::thread::current().id();
        Self { thread, is_stopping, stat: own_stat(), glances: 0, computes: false }
    }

    /// Whether time still waits for it.
    pub(super) fn is_awaited(&self) -> bool {
        let most = if (self.is_stopping)() {
            STOPPING
        } else if self.computes {
            COMPUTING
        } else {
            1
        };
        self.glances < most
    }
}

/// Counts a glance for those who were waited for; `computing` are threads that compute. Who was
/// given up on may be asked to stop later, and then still has its time.
pub(super) fn count_glance(all: &mut [Detached], computing: &[ThreadId]) {
    for outside in all.iter_mut().filter(|outside| outside.is_awaited()) {
        outside.glances += 1;
        outside.computes = computing.contains(&outside.thread);
    }
}

/// Where to look what each of them is doing, which is not done under the stage's lock: one of them
/// may be about to take it, to come back.
pub(super) fn stats(all: &[Detached]) -> Vec<(ThreadId, Arc<Path>)> {
    all.iter().filter_map(|outside| Some((outside.thread, outside.stat.clone()?))).collect()
}

/// Which of these threads compute, or would if they had a processor.
pub(super) fn computing(stats: Vec<(ThreadId, Arc<Path>)>) -> Vec<ThreadId> {
    let computes = |(thread, stat): (ThreadId, Arc<Path>)| {
        let line = std::fs::read_to_string(stat).ok()?;
        // The state follows the name, which is in parentheses and may contain some: running, or
        // waiting for a disk.
        line.rsplit_once(") ")?.1.starts_with(['R', 'D']).then_some(thread)
    };
    stats.into_iter().filter_map(computes).collect()
}

fn own_stat() -> Option<Arc<Path>> {
    // Miri ends a program that reads a link.
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

    fn glances(all: &mut [Detached], computing: &[ThreadId]) -> u32 {
        let mut count = 0;
        while all[0].is_awaited() {
            count_glance(all, computing);
            count += 1;
        }
        count
    }

    #[test]
    fn a_body_is_waited_for_as_long_as_it_computes_and_again_when_it_is_asked_to_stop() {
        let stopping = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stopping);
        let mut all = [Detached::new(Arc::new(move || asked.load(Ordering::Relaxed)))];
        let here = std::thread::current().id();
        assert_eq!(glances(&mut all, &[here]), COMPUTING);
        // Others are waited for meanwhile.
        (0..2 * STOPPING).for_each(|_| count_glance(&mut all, &[]));
        stopping.store(true, Ordering::Relaxed);
        assert_eq!(glances(&mut all, &[]), STOPPING - COMPUTING);

        let mut all = [Detached::new(Arc::new(|| false))];
        assert_eq!(glances(&mut all, &[]), 1);
    }
}
