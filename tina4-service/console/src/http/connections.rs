//! The connections of a server, and what each of them is doing.

use std::collections::BTreeMap;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Thread;
use std::time::Duration;

use super::stream::Stream;

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum Activity {
    /// It waits for a request.
    Idle,
    /// A request is being received or answered.
    Busy,
    /// This thread writes an event stream.
    Streaming(Thread),
}

/// The connections of a server.
#[derive(Debug, Default)]
pub(super) struct Connections {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    is_stopping: bool,
    /// Whether no connection is accepted any more.
    has_acceptor_ended: bool,
    /// By number, so the one that was opened first comes first.
    open: BTreeMap<u64, Open>,
    last_number: u64,
}

/// A connection that is open.
#[derive(Debug)]
struct Open {
    stream: Stream,
    activity: Activity,
}

impl Connections {
    /// Adds a connection, and returns its number. If there are too many, one that waits for a request makes room for it;
    /// `None`: none does.
    pub(super) fn add(&self, stream: Stream, limit: usize) -> Option<u64> {
        let mut state = self.lock();
        if state.is_stopping {
            return None;
        }
        if state.open.len() >= limit {
            let is_idle = |open: &Open| matches!(open.activity, Activity::Idle);
            let idle = state.open.iter().find(|(_, open)| is_idle(open)).map(|(number, _)| *number);
            if let Some(idle) = idle.and_then(|idle| state.open.remove(&idle)) {
                idle.stream.close();
            } else {
                return None;
            }
        }
        state.last_number += 1;
        let number = state.last_number;
        state.open.insert(number, Open { stream, activity: Activity::Busy });
        Some(number)
    }

    /// Sets what a connection is doing.
    pub(super) fn set(&self, number: u64, activity: Activity) {
        let mut state = self.lock();
        let is_stopping = state.is_stopping;
        if let Some(open) = state.open.get_mut(&number) {
            if is_stopping && matches!(activity, Activity::Idle) {
                open.stream.close();
            }
            open.activity = activity;
        }
    }

    /// Removes a connection that has ended.
    pub(super) fn remove(&self, number: u64) {
        self.lock().open.remove(&number);
        self.changed.notify_all();
    }

    /// Whether the service was asked to stop.
    pub(super) fn is_stopping(&self) -> bool {
        self.lock().is_stopping
    }

    /// Ends the connections that wait for something else than an answer.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopping = true;
        for open in state.open.values() {
            match &open.activity {
                Activity::Idle => open.stream.close(),
                Activity::Streaming(thread) => thread.unpark(),
                Activity::Busy => {}
            }
        }
    }

    /// Waits until all connections have ended, and ends those that have not after this time.
    pub(super) fn end(&self, limit: Duration) {
        let mut state = self.lock();
        state.is_stopping = true;
        state.has_acceptor_ended = true;
        self.changed.notify_all();
        let has_open = |state: &mut State| !state.open.is_empty();
        let waited = self.changed.wait_timeout_while(state, limit, has_open);
        let (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        for open in state.open.values() {
            open.stream.close();
        }
    }

    /// Waits for this long until no connection is accepted any more, and returns whether that is so.
    pub(super) fn wait_for_acceptor(&self, limit: Duration) -> bool {
        let waits = |state: &mut State| !state.has_acceptor_ended;
        let waited = self.changed.wait_timeout_while(self.lock(), limit, waits);
        waited.unwrap_or_else(PoisonError::into_inner).0.has_acceptor_ended
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
