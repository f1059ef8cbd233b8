//! The async runs that have ended, on their way to the runner.

use std::fmt;

use crate::service::outcome::Exit;
use crate::sys::sync::{Mutex, lock};
use tina4_service_core::lifecycle::Crash;

/// An async run that has ended.
pub(crate) struct EndedRun {
    /// The index of its service.
    pub(crate) index: u32,
    pub(crate) exit: Exit<Box<Crash>>,
}

/// The runs that have ended and that the runner does not know of yet.
///
/// Many short runs may end at the same time, on all threads of a runtime. These threads would wait for each
/// other if each of them took the pool's lock. So one thread at a time reports the runs of all of
/// them: the one whose run was added while no other was reporting.
#[derive(Default)]
pub(crate) struct EndedRuns(Mutex<State>);

#[derive(Default)]
struct State {
    ended: Vec<EndedRun>,
    /// A thread is going to take what is there, until nothing is left.
    is_reporting: bool,
}

impl fmt::Debug for EndedRuns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EndedRuns").finish_non_exhaustive()
    }
}

impl EndedRuns {
    /// Returns whether the caller has to report the runs, with [`EndedRuns::take`].
    #[must_use]
    pub(crate) fn add(&self, run: EndedRun) -> bool {
        let mut state = lock(&self.0);
        state.ended.push(run);
        !std::mem::replace(&mut state.is_reporting, true)
    }

    /// Moves the runs into `batch`, which must be empty. `false`: there were none.
    ///
    /// The caller must call it until there are none, or until `is_last`. Then whoever adds the next run has to
    /// report it.
    pub(crate) fn take(&self, batch: &mut Vec<EndedRun>, is_last: bool) -> bool {
        let mut state = lock(&self.0);
        std::mem::swap(&mut state.ended, batch);
        let has_some = !batch.is_empty();
        state.is_reporting = has_some && !is_last;
        has_some
    }
}

#[cfg(all(test, shuttle))]
mod model {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    const THREADS: u32 = 3;
    const RUNS: u32 = 2;

    /// Every run is reported by exactly one thread, whatever the others do, and none is left behind.
    #[test]
    fn rule_92_every_run_that_ends_is_reported_once() {
        let test = || {
            let ended = Arc::<EndedRuns>::default();
            let reported = Arc::<[AtomicUsize; (THREADS * RUNS) as usize]>::default();
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (ended, reported) = (Arc::clone(&ended), Arc::clone(&reported));
                    shuttle::thread::spawn(move || {
                        for run in 0..RUNS {
                            let index = thread * RUNS + run;
                            if ended.add(EndedRun { index, exit: Exit::Wait }) {
                                let mut batch = Vec::new();
                                for is_last in [false, true] {
                                    if !ended.take(&mut batch, is_last) {
                                        break;
                                    }
                                    for run in batch.drain(..) {
                                        reported[run.index as usize].fetch_add(1, Ordering::SeqCst);
                                    }
                                }
                            }
                        }
                    })
                })
                .collect();
            for thread in threads {
                thread.join().expect("it returns");
            }
            assert!(reported.iter().all(|count| count.load(Ordering::SeqCst) == 1));
            assert!(!lock(&ended.0).is_reporting);
        };
        shuttle::check_random(test, 5_000);
        shuttle::check_pct(test, 5_000, 3);
    }
}

#[cfg(all(test, not(shuttle)))]
mod tests {
    use super::*;

    fn run(index: u32) -> EndedRun {
        EndedRun { index, exit: Exit::Wait }
    }

    /// Afterwards a thread may call user code, which may block.
    #[test]
    fn rule_92_after_its_last_batch_a_thread_leaves_the_next_run_to_another() {
        let (ended, mut batch) = (EndedRuns::default(), Vec::new());
        assert!(ended.add(run(0)));
        assert!(!ended.add(run(1)), "it is reported together with the first one");
        assert!(ended.take(&mut batch, false));
        assert_eq!(batch.drain(..).count(), 2);
        assert!(!ended.add(run(2)));
        assert!(ended.take(&mut batch, true));
        assert_eq!(batch.drain(..).count(), 1);
        assert!(ended.add(run(3)));
        assert!(ended.take(&mut batch, false) && batch.drain(..).count() == 1);
        assert!(!ended.take(&mut batch, false));
        assert!(ended.add(run(4)));
    }
}
