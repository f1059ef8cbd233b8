//! What the stream of a client shares with the task that fills it. The task never waits for a client.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// After how much silence a comment is sent, so that proxies keep the connection, and a dead client is noticed.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

/// How long a client may be behind before its stream ends.
pub(super) const MAX_LAG: Duration = Duration::from_secs(10);

/// How many bytes wait for a client, beyond those of its first list, before its stream ends.
pub(super) const MAX_WAITING: usize = 16 * 1024 * 1024;

pub(super) struct Client {
    /// The only services that it wants to hear of; empty: all of them.
    pub(super) names: Vec<String>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    blocks: VecDeque<Arc<[u8]>>,
    /// How many bytes of updates are in `blocks`.
    waiting: usize,
    /// Since when there has always been something in `blocks`.
    behind_since: Option<Instant>,
    /// Whether it has got the list of all services.
    has_list: bool,
    /// When the last block was added.
    last: Instant,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Client {
    pub(super) fn new(names: Vec<String>, now: Instant) -> Self {
        let state = State {
            blocks: VecDeque::new(),
            waiting: 0,
            behind_since: None,
            has_list: false,
            last: now,
            has_ended: false,
            waker: None,
        };
        Self { names, state: Mutex::new(state), changed: Condvar::new() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it waits for the list of all services.
    pub(super) fn is_new(&self) -> bool {
        !self.lock().has_list
    }

    pub(super) fn has_ended(&self) -> bool {
        self.lock().has_ended
    }

    /// Adds the blocks of its first list, which it gets whole.
    pub(super) fn begin(&self, blocks: impl IntoIterator<Item = Arc<[u8]>>, now: Instant) {
        self.change(|state| {
            state.blocks.extend(blocks);
            state.behind_since.get_or_insert(now);
            state.has_list = true;
            state.last = now;
        });
    }

    /// Adds the blocks of an update, or a comment if there has been nothing for long; ends the stream if the client does not
    /// keep up.
    pub(super) fn update(&self, blocks: &[Arc<[u8]>], now: Instant) {
        self.change(|state| {
            let lag = state.behind_since.map_or(Duration::ZERO, |since| now - since);
            let size: usize = blocks.iter().map(|block| block.len()).sum();
            let is_slow = !state.blocks.is_empty() && lag > MAX_LAG;
            if is_slow || state.waiting + size > MAX_WAITING {
                // What it has not read is of no use to it: it connects again, and gets the list.
                state.blocks.clear();
                state.has_ended = true;
                return;
            }
            let is_silent = now - state.last >= SILENCE;
            if blocks.is_empty() && !is_silent {
                return;
            }
            if state.blocks.is_empty() {
                state.behind_since = Some(now);
            }
            if blocks.is_empty() {
                state.blocks.push_back(Arc::from(&b":\n\n"[..]));
            }
            state.blocks.extend(blocks.iter().cloned());
            state.waiting += size;
            state.last = now;
        });
    }

    /// Ends the stream after what waits already.
    pub(super) fn end(&self) {
        self.change(|state| state.has_ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.lock();
        change(&mut state);
        let waker = state.waker.take();
        drop(state);
        self.changed.notify_all();
        // A waker may be the code of others, so it is called without the lock.
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    pub(super) fn next(&self) -> Option<Arc<[u8]>> {
        let mut state = self.lock();
        loop {
            if let Some(block) = state.take() {
                return Some(block);
            }
            if state.has_ended {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    pub(super) fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Arc<[u8]>>> {
        let mut state = self.lock();
        if let Some(block) = state.take() {
            return Poll::Ready(Some(block));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl State {
    fn take(&mut self) -> Option<Arc<[u8]>> {
        let block = self.blocks.pop_front()?;
        // The first list is not counted, so the difference may be below zero.
        self.waiting = self.waiting.saturating_sub(block.len());
        if self.blocks.is_empty() {
            (self.waiting, self.behind_since) = (0, None);
        }
        Some(block)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    fn block(text: &str) -> Arc<[u8]> {
        Arc::from(text.as_bytes())
    }

    #[test]
    fn rule_118_a_client_that_reads_nothing_is_dropped_after_ten_seconds() {
        let start = clock::now();
        let client = Client::new(Vec::new(), start);
        client.begin([block("list")], start);
        client.update(&[block("1")], start + Duration::from_secs(9));
        assert!(!client.has_ended());
        client.update(&[], start + Duration::from_secs(11));
        assert!(client.has_ended());
        assert_eq!(client.next(), None);
    }

    #[test]
    fn rule_118_a_client_that_reads_everything_is_kept_for_hours() {
        let start = clock::now();
        let client = Client::new(Vec::new(), start);
        client.begin([block("list")], start);
        for second in 0..10_000 {
            while client.lock().blocks.front().is_some() {
                client.next();
            }
            client.update(&[block("1")], start + Duration::from_secs(second));
        }
        assert!(!client.has_ended());
    }

    #[test]
    fn rule_118_what_waits_for_a_client_has_a_bound() {
        let now = clock::now();
        let client = Client::new(Vec::new(), now);
        let mebibyte = block(&"x".repeat(1024 * 1024));
        client.begin(std::iter::repeat_n(mebibyte.clone(), 40), now);
        for _ in 0..16 {
            client.update(std::slice::from_ref(&mebibyte), now);
        }
        assert!(!client.has_ended(), "its list is not counted");
        client.update(&[mebibyte], now);
        assert!(client.has_ended());
        assert!(client.lock().blocks.is_empty(), "and nothing is kept");
    }

    #[test]
    fn rule_118_a_client_that_has_to_wait_for_its_list_gets_comments() {
        let start = clock::now();
        let client = Client::new(Vec::new(), start);
        client.update(&[], start + SILENCE);
        assert_eq!(client.next().as_deref(), Some(&b":\n\n"[..]));
        assert!(client.is_new());
        client.begin([block("list")], start + SILENCE);
        assert!(!client.is_new());
        assert_eq!(client.next().as_deref(), Some(&b"list"[..]));
    }

    #[test]
    fn a_comment_breaks_a_long_silence() {
        let start = clock::now();
        let client = Client::new(Vec::new(), start);
        client.begin([block("list")], start);
        assert_eq!(client.next().as_deref(), Some(&b"list"[..]));
        client.update(&[], start + SILENCE - Duration::from_millis(1));
        assert!(client.lock().blocks.is_empty());
        client.update(&[], start + SILENCE);
        assert_eq!(client.next().as_deref(), Some(&b":\n\n"[..]));
        client.end();
        assert_eq!(client.next(), None);
    }
}
