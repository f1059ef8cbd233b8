//! The notices that wait for one hook, and the thread that calls it.
//!
//! The supervisor adds notices under its own lock, so this one is held only for moments, and never while the
//! hook runs.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::ThreadId;
use std::time::Duration;

use crate::observe::notice::Notice;
use crate::sys::sync::std_lock;
use tina4_service_core::Nanos;

/// How many notices wait for a hook; further ones are lost.
pub(crate) const CAPACITY: usize = 256;

/// A function that is told of notices.
#[derive(Clone)]
pub(crate) struct NoticeFn(Arc<dyn Fn(&Notice) + Send + Sync>);

impl NoticeFn {
    pub(crate) fn new(hook: impl Fn(&Notice) + Send + Sync + 'static) -> Self {
        Self(Arc::new(hook))
    }

    pub(crate) fn call(&self, notice: &Notice) {
        (self.0)(notice);
    }
}

impl fmt::Debug for NoticeFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NoticeFn").finish_non_exhaustive()
    }
}

/// The notices that wait for one hook.
#[derive(Debug, Default)]
pub(crate) struct NoticeQueue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Notice>,
    /// How many were lost, and how many of them no notice has said.
    missed: u64,
    unreported: u64,
    panics: u64,
    /// When the supervisor wants to look whether a service is overdue.
    look_at: Option<Nanos>,
    /// The thread that calls the hook, once it runs.
    thread: Option<ThreadId>,
    is_calling: bool,
    is_closed: bool,
}

/// What the thread of a hook does next.
#[derive(Debug)]
pub(crate) enum Next {
    Call(Notice),
    /// Lets the supervisor look.
    Look,
    /// The runner is gone, or the hook was removed, and everything was delivered.
    End,
}

impl NoticeQueue {
    /// Adds a notice; `false`: it is lost.
    pub(crate) fn push(&self, notice: &Notice) -> bool {
        let mut state = std_lock(&self.state);
        if state.is_closed {
            return true;
        }
        if state.waiting.len() >= CAPACITY {
            state.missed += 1;
            state.unreported += 1;
            return false;
        }
        let missed = std::mem::take(&mut state.unreported);
        state.waiting.push_back(Notice { missed, ..notice.clone() });
        self.changed.notify_all();
        true
    }

    /// Sets when the supervisor wants to look.
    pub(crate) fn set_look_at(&self, look_at: Option<Nanos>) {
        let mut state = std_lock(&self.state);
        if state.look_at != look_at {
            state.look_at = look_at;
            self.changed.notify_all();
        }
    }

    /// Waits for what the thread has to do next. `timeout`: how long it may wait in real time until the supervisor
    /// wants to look; `None`: somebody else lets it look.
    pub(crate) fn next(&self, timeout: impl Fn(Nanos) -> Option<Duration>) -> Next {
        let mut state = std_lock(&self.state);
        state.is_calling = false;
        state.thread.get_or_insert_with(|| std::thread::current().id());
        loop {
            if let Some(notice) = state.waiting.pop_front() {
                state.is_calling = true;
                return Next::Call(notice);
            }
            self.changed.notify_all();
            if state.is_closed {
                return Next::End;
            }
            state = match state.look_at.and_then(&timeout) {
                Some(Duration::ZERO) => {
                    state.look_at = None;
                    return Next::Look;
                }
                Some(timeout) => {
                    let waited = self.changed.wait_timeout(state, timeout);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Counts a panic of the hook.
    pub(crate) fn hook_panicked(&self) {
        std_lock(&self.state).panics += 1;
    }

    /// Lets the thread end, once everything was delivered. `discard`: what has not been delivered is discarded.
    pub(crate) fn close(&self, discard: bool) {
        let mut state = std_lock(&self.state);
        state.is_closed = true;
        if discard {
            state.waiting.clear();
        }
        self.changed.notify_all();
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        std_lock(&self.state).is_closed
    }

    /// Waits until everything was delivered, while `left` returns how long it may still wait. The hook itself does
    /// not wait.
    pub(crate) fn wait_until_idle(&self, left: impl Fn() -> Duration) {
        let mut state = std_lock(&self.state);
        while !state.is_idle() {
            let left = left();
            if left.is_zero() {
                return;
            }
            let waited = self.changed.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether everything was delivered, or nobody needs to wait for that: the hook itself asks.
    pub(crate) fn is_idle(&self) -> bool {
        std_lock(&self.state).is_idle()
    }

    /// How many notices were lost.
    pub(crate) fn missed(&self) -> u64 {
        std_lock(&self.state).missed
    }

    /// How often the hook panicked.
    pub(crate) fn panics(&self) -> u64 {
        std_lock(&self.state).panics
    }
}

impl State {
    fn is_idle(&self) -> bool {
        let is_done = self.waiting.is_empty() && !self.is_calling;
        is_done || self.is_closed || self.thread == Some(std::thread::current().id())
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;
    use crate::observe::notice::NoticeKind;

    fn notice(seconds: u64) -> Notice {
        let overdue = Duration::from_secs(seconds);
        let kind = NoticeKind::Overdue { overdue };
        Notice { service: "s".into(), at: SystemTime::UNIX_EPOCH, kind, left_out: 0, missed: 0 }
    }

    #[test]
    fn rule_118_a_full_queue_loses_notices_and_the_next_one_says_how_many() {
        let queue = NoticeQueue::default();
        let kept = (0..CAPACITY as u64 + 5).filter(|n| queue.push(&notice(*n))).count();
        assert_eq!((kept, queue.missed()), (CAPACITY, 5));
        let take = || match queue.next(|_| None) {
            Next::Call(notice) => notice,
            other @ (Next::Look | Next::End) => panic!("{other:?}"),
        };
        assert_eq!(take(), notice(0));
        assert!(queue.push(&notice(999)));
        let rest: Vec<_> = (0..CAPACITY).map(|_| take()).collect();
        assert_eq!(rest[CAPACITY - 2], notice(CAPACITY as u64 - 1));
        assert_eq!(rest[CAPACITY - 1], Notice { missed: 5, ..notice(999) });
        assert_eq!(queue.missed(), 5, "the total");
    }

    #[test]
    fn rule_118_a_queue_that_ends_delivers_what_it_has() {
        let queue = NoticeQueue::default();
        queue.push(&notice(1));
        queue.close(false);
        assert!(queue.push(&notice(2)), "nobody misses it");
        assert!(matches!(queue.next(|_| None), Next::Call(_)));
        assert!(matches!(queue.next(|_| None), Next::End));
    }
}
