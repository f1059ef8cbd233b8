//! The log lines of the services of one runner.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::service::run_log::lines::{Limits, Lines};
use crate::sys::sync::std_lock;

/// The lines of the last runs of each service, and of those in progress.
///
/// Its lock is held for a few steps that depend neither on the number of services nor on that of lines, and never
/// while a line is written. That of a run may be held when it is taken, and not the other way round.
#[derive(Debug, Default)]
pub(crate) struct RunLogStore {
    /// The bytes of all lines.
    pub(crate) total: Arc<AtomicUsize>,
    /// How many services have lines.
    services: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    services: BTreeMap<u32, Logs>,
    /// The services with a last run, and with a last failing run, in the order in which these ended.
    last: BTreeMap<u64, u32>,
    last_failing: BTreeMap<u64, u32>,
    /// The number of runs that have ended.
    ended: u64,
}

/// The lines of one service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs {
    /// The runs in progress that have written anything.
    pub(crate) running: Vec<Arc<Lines>>,
    /// The last run that has ended, with its place in the order of ends; `None`: it has written nothing.
    pub(crate) last: Option<(u64, Arc<Lines>)>,
    /// The last run that has failed and has written anything.
    pub(crate) last_failing: Option<(u64, Arc<Lines>)>,
}

impl Logs {
    fn is_empty(&self) -> bool {
        self.running.is_empty() && self.last.is_none() && self.last_failing.is_none()
    }
}

impl RunLogStore {
    /// A run has written its first line.
    pub(crate) fn begun(&self, index: u32, lines: Arc<Lines>) {
        let mut state = std_lock(&self.state);
        state.services.entry(index).or_default().running.push(lines);
        self.services.store(state.services.len(), Ordering::Relaxed);
    }

    /// A run has ended. `wrote`: whether it has written anything.
    pub(crate) fn ended(&self, index: u32, lines: &Arc<Lines>, wrote: bool, has_failed: bool) {
        if !wrote && self.services.load(Ordering::Relaxed) == 0 {
            return;
        }
        let mut state = std_lock(&self.state);
        let State { services, last, last_failing, ended } = &mut *state;
        let Some(logs) = services.get_mut(&index) else { return };
        *ended += 1;
        logs.running.retain(|running| !Arc::ptr_eq(running, lines));
        let replace = |kept: &mut Option<_>, order: &mut BTreeMap<u64, u32>| {
            let new = wrote.then(|| (*ended, Arc::clone(lines)));
            if new.is_some() {
                order.insert(*ended, index);
            }
            let old = std::mem::replace(kept, new)?;
            order.remove(&old.0);
            Some(old)
        };
        let replaced = replace(&mut logs.last, last);
        let replaced_failing =
            if has_failed && wrote { replace(&mut logs.last_failing, last_failing) } else { None };
        if logs.is_empty() {
            services.remove(&index);
        }
        self.services.store(services.len(), Ordering::Relaxed);
        drop(state);
        drop((replaced, replaced_failing));
    }

    /// Forgets the oldest lines of runs that have ended, those of failing runs last, until there are few enough.
    pub(crate) fn shrink(&self, limits: Limits) {
        while self.total.load(Ordering::Relaxed) > limits.total {
            let Some(forgotten) = self.forget_oldest() else { return };
            drop(forgotten);
        }
    }

    fn forget_oldest(&self) -> Option<Arc<Lines>> {
        let mut state = std_lock(&self.state);
        let State { services, last, last_failing, .. } = &mut *state;
        let (index, forgotten) = match last.pop_first() {
            Some((_, index)) => (index, services.get_mut(&index)?.last.take()),
            None => {
                let (_, index) = last_failing.pop_first()?;
                (index, services.get_mut(&index)?.last_failing.take())
            }
        };
        if services.get(&index).is_some_and(Logs::is_empty) {
            services.remove(&index);
        }
        self.services.store(services.len(), Ordering::Relaxed);
        forgotten.map(|(_, lines)| lines)
    }

    /// Forgets the lines of a service that was removed.
    pub(crate) fn forget(&self, index: u32) {
        let mut state = std_lock(&self.state);
        let State { services, last, last_failing, .. } = &mut *state;
        let removed = services.remove(&index);
        if let Some(Logs { last: old, last_failing: old_failing, .. }) = &removed {
            let _ = old.as_ref().map(|(end, _)| last.remove(end));
            let _ = old_failing.as_ref().map(|(end, _)| last_failing.remove(end));
        }
        self.services.store(services.len(), Ordering::Relaxed);
        drop(state);
        drop(removed);
    }

    /// The lines of one service.
    pub(crate) fn read(&self, index: u32) -> Logs {
        std_lock(&self.state).services.get(&index).cloned().unwrap_or_default()
    }
}
