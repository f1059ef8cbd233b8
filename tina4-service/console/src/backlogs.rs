//! The numbers of jobs in queues, without waiting for a store that does not answer.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tina4_service::{Backlog, ServiceInfo, WeakRunner};

use crate::sys::{clock, threads};

/// How long an answer waits for the store. After that, it has the numbers of the last answer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1);

/// How old the numbers in the stream of events may be.
pub(crate) const MAX_AGE_IN_STREAM: Duration = Duration::from_secs(5);

/// How old numbers may be that are shown because the store does not answer.
const MAX_AGE: Duration = Duration::from_secs(30);

/// The numbers that the store has told last; clones share them.
#[derive(Clone, Default)]
pub(crate) struct Backlogs(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    /// When each queue was asked for, and the answer; `None`: the store has failed.
    known: HashMap<&'static str, (Instant, Option<Backlog>)>,
    /// Whether a thread is asking. There is only one, because it may wait for ever.
    is_asking: bool,
}

/// Which queues are to be asked for: the name of each, and of a service that works on it.
type Wanted = Vec<(&'static str, String)>;

impl Backlogs {
    /// Sets the numbers of jobs of these services, as they were not longer than `max_age` ago, unless the store needs more than
    /// `patience` to tell.
    pub(crate) fn fill(
        &self,
        runner: &WeakRunner,
        services: &mut [ServiceInfo],
        max_age: Duration,
        patience: Duration,
    ) {
        let mut wanted: Wanted = Vec::new();
        for service in &*services {
            if let Some(queue) = &service.queue {
                wanted.push((queue.name, service.name.clone().into_owned()));
            }
        }
        if wanted.is_empty() {
            return;
        }
        wanted.sort_unstable();
        wanted.dedup_by_key(|(queue, _)| *queue);
        let known = self.ask(runner, wanted, max_age, patience);
        for queue in services.iter_mut().filter_map(|service| service.queue.as_mut()) {
            queue.backlog = known.get(queue.name).copied().flatten();
        }
    }

    fn ask(
        &self,
        runner: &WeakRunner,
        wanted: Wanted,
        max_age: Duration,
        patience: Duration,
    ) -> HashMap<&'static str, Option<Backlog>> {
        let now = clock::now();
        let deadline = now + patience;
        let mut state = self.0.lock();
        loop {
            let is_old = |(queue, _): &&(&'static str, String)| match state.known.get(queue) {
                Some((at, _)) => *at + max_age < now,
                None => true,
            };
            let old: Wanted = wanted.iter().filter(is_old).cloned().collect();
            if old.is_empty() {
                break;
            }
            if !state.is_asking {
                state.is_asking = self.start(runner.clone(), old);
                if !state.is_asking {
                    break;
                }
            }
            let left = deadline.saturating_duration_since(clock::now());
            if left.is_zero() {
                break;
            }
            let waits = |state: &mut State| state.is_asking;
            let waited = self.0.answered.wait_timeout_while(state, left, waits);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let is_recent = |at: Instant| at + MAX_AGE.max(max_age) >= now;
        let known = state.known.iter().filter(|(_, (at, _))| is_recent(*at));
        known.map(|(queue, (_, backlog))| (*queue, *backlog)).collect()
    }

    /// Asks on a thread of its own. Returns whether there is one.
    fn start(&self, runner: WeakRunner, wanted: Wanted) -> bool {
        let shared = Arc::clone(&self.0);
        let ask = move || {
            // Also if the engine panics, which is code of the program.
            let _end = EndAsking(&shared);
            for (queue, service) in wanted {
                let Some(runner) = runner.upgrade() else { return };
                let at = clock::now();
                let info = runner.service_info(&service).ok();
                let backlog = info.and_then(|info| info.queue?.backlog);
                shared.lock().known.insert(queue, (at, backlog));
            }
        };
        threads::start("tina4-console-jobs", ask).is_ok()
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct EndAsking<'a>(&'a Shared);

impl Drop for EndAsking<'_> {
    fn drop(&mut self) {
        self.0.lock().is_asking = false;
        self.0.answered.notify_all();
    }
}
