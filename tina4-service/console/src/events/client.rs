//! What the stream of a client shares with the task that fills it. The task never waits for a client.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

/// After how much silence a comment is sent, so that proxies keep the connection, and a dead client is noticed.
pub(super) const SILENCE: Duration = Duration::from_secs(15);

/// How long a stream may last. What its client may do is decided when it begins, so it has to ask again from time to time;
/// browsers do so by themselves.
pub(super) const MAX_AGE: Duration = Duration::from_secs(600);

/// How long a client that is behind may take no block before its stream ends.
pub(super) const MAX_LAG: Duration = Duration::from_secs(10);

/// How many bytes wait for a client, beyond those of its first list, before its stream ends.
pub(super) const MAX_WAITING: usize = 16 * 1024 * 1024;

pub(super) struct Client {
    /// The only services that it wants to hear of; empty: all of them.
    pub(super) names: HashSet<String>,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    blocks: VecDeque<Arc<[u8]>>,
    /// How many of `blocks`, at the front, are of its first list.
    of_list: usize,
    /// How many bytes of updates are in `blocks`.
    waiting: usize,
    /// How many blocks the client has taken.
    taken: u64,
    /// While it is behind: how many blocks it had taken when that was last seen to change, and when that was.
    progress: Option<(u64, Instant)>,
    /// When it connected.
    began: Instant,
    /// Whether it has got the list of all services.
    has_list: bool,
    /// When the last block was added.
    last: Instant,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Client {
    pub(super) fn new(names: HashSet<String>, now: Instant) -> Self {
        let state = State {
            blocks: VecDeque::new(),
            of_list: 0,
            waiting: 0,
            taken: 0,
            progress: None,
            began: now,
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
    pub(super) fn begin(&self, blocks: &[Arc<[u8]>], now: Instant) {
        self.change(|state| {
            state.blocks.extend(blocks.iter().cloned());
            // Comments that it has not read yet come before it.
            state.of_list = state.blocks.len();
            state.waiting = 0;
            state.has_list = true;
            state.last = now;
            true
        });
    }

    /// Adds the blocks of an update; ends the stream if too much waits for the client already.
    pub(super) fn update(&self, blocks: &[Arc<[u8]>], now: Instant) {
        if blocks.is_empty() {
            return;
        }
        self.change(|state| {
            let size: usize = blocks.iter().map(|block| block.len()).sum();
            if state.waiting + size > MAX_WAITING {
                state.give_up();
            } else {
                state.blocks.extend(blocks.iter().cloned());
                state.waiting += size;
                state.last = now;
            }
            true
        });
    }

    /// Does what time alone requires: ends the stream if the client takes nothing, or has had it for long, and adds a comment
    /// after a silence.
    pub(super) fn tick(&self, now: Instant) {
        self.change(|state| state.tick(now));
    }

    /// Ends the stream after what waits already.
    pub(super) fn end(&self) {
        self.change(|state| {
            state.has_ended = true;
            true
        });
    }

    /// Changes the state, and wakes the client if there is something new.
    fn change(&self, change: impl FnOnce(&mut State) -> bool) {
        let mut state = self.lock();
        if !change(&mut state) {
            return;
        }
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
        self.taken += 1;
        match self.of_list.checked_sub(1) {
            Some(of_list) => self.of_list = of_list,
            None => self.waiting -= block.len(),
        }
        Some(block)
    }

    /// Whether there is something new for the client.
    fn tick(&mut self, now: Instant) -> bool {
        if self.has_ended {
            return false;
        }
        if self.is_stuck(now) {
            self.give_up();
            return true;
        }
        if now.saturating_duration_since(self.began) >= MAX_AGE {
            self.has_ended = true;
            return true;
        }
        if now.saturating_duration_since(self.last) >= SILENCE {
            let comment: Arc<[u8]> = Arc::from(&b":\n\n"[..]);
            self.waiting += comment.len();
            self.blocks.push_back(comment);
            self.last = now;
            return true;
        }
        false
    }

    /// Whether the client is behind, and has taken nothing for too long. One that is slow, but goes on, is not.
    fn is_stuck(&mut self, now: Instant) -> bool {
        match self.progress {
            _ if self.blocks.is_empty() => self.progress = None,
            Some((taken, since)) if taken == self.taken => {
                return now.saturating_duration_since(since) > MAX_LAG;
            }
            Some(_) | None => self.progress = Some((self.taken, now)),
        }
        false
    }

    /// Ends the stream. What the client has not read is of no use to it: it connects again, and gets the list.
    fn give_up(&mut self) {
        self.blocks = VecDeque::new();
        (self.of_list, self.waiting) = (0, 0);
        self.has_ended = true;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::task::Wake;

    use super::*;
    use crate::sys::clock;

    const SECOND: Duration = Duration::from_secs(1);

    fn block(text: &str) -> Arc<[u8]> {
        Arc::from(text.as_bytes())
    }

    fn client(blocks: &[Arc<[u8]>]) -> (Client, Instant) {
        let start = clock::now();
        let client = Client::new(HashSet::new(), start);
        client.begin(blocks, start);
        client.tick(start);
        (client, start)
    }

    #[test]
    fn rule_118_a_client_that_reads_nothing_is_dropped_after_ten_seconds() {
        let (client, start) = client(&[block("list")]);
        client.update(&[block("1")], start + 9 * SECOND);
        client.tick(start + 10 * SECOND);
        assert!(!client.has_ended());
        client.tick(start + 11 * SECOND);
        assert!(client.has_ended());
        assert_eq!(client.next(), None, "and nothing is kept");
    }

    #[test]
    fn rule_118_a_client_that_is_slow_but_goes_on_is_kept() {
        let (client, start) = client(&vec![block("a part of the list"); 1_000]);
        for second in 0..500 {
            let now = start + second * SECOND;
            assert!(client.next().is_some());
            client.update(&[block("1")], now);
            client.tick(now);
            assert!(!client.has_ended(), "after {second} s");
        }
        // Until it does not.
        client.tick(start + 511 * SECOND);
        assert!(client.has_ended());
    }

    #[test]
    fn rule_118_a_client_that_has_read_everything_is_not_behind() {
        let (client, start) = client(&[block("list")]);
        assert!(client.next().is_some());
        client.tick(start + SECOND);
        client.update(&[block("1")], start + 14 * SECOND);
        client.tick(start + 14 * SECOND);
        assert!(!client.has_ended(), "the block has just come");
    }

    #[test]
    fn rule_113_a_stream_ends_after_ten_minutes_and_what_waits_is_read() {
        let (client, start) = client(&[block("list")]);
        for second in 0..600 {
            client.tick(start + second * SECOND);
            while client.lock().blocks.front().is_some() {
                client.next();
            }
            assert!(!client.has_ended(), "after {second} s");
        }
        client.update(&[block("last")], start + 600 * SECOND);
        client.tick(start + 600 * SECOND);
        assert!(client.has_ended());
        assert_eq!(client.next().as_deref(), Some(&b"last"[..]));
        assert_eq!(client.next(), None);
    }

    #[test]
    fn rule_118_what_waits_for_a_client_has_a_bound() {
        let mebibyte = block(&"x".repeat(1024 * 1024));
        let (client, now) = client(&vec![mebibyte.clone(); 40]);
        for _ in 0..16 {
            // That it reads its list makes no room for updates.
            assert!(client.next().is_some());
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
        let client = Client::new(HashSet::new(), start);
        client.tick(start + SILENCE);
        assert_eq!(client.next().as_deref(), Some(&b":\n\n"[..]));
        assert!(client.is_new());
        client.begin(&[block("list")], start + SILENCE);
        assert!(!client.is_new());
        assert_eq!(client.next().as_deref(), Some(&b"list"[..]));
    }

    #[test]
    fn a_comment_breaks_a_long_silence() {
        let (client, start) = client(&[block("list")]);
        assert_eq!(client.next().as_deref(), Some(&b"list"[..]));
        client.tick(start + SILENCE - Duration::from_millis(1));
        assert!(client.lock().blocks.is_empty());
        client.tick(start + SILENCE);
        assert_eq!(client.next().as_deref(), Some(&b":\n\n"[..]));
        client.end();
        assert_eq!(client.next(), None);
    }

    #[derive(Default)]
    struct Wakes(AtomicUsize);

    impl Wake for Wakes {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    #[test]
    fn rule_118_a_client_sleeps_while_nothing_changes() {
        let wakes = Arc::new(Wakes::default());
        let waker = Arc::clone(&wakes).into();
        let mut cx = Context::from_waker(&waker);
        let (client, start) = client(&[block("list")]);
        assert!(client.poll_next(&mut cx).is_ready() && client.poll_next(&mut cx).is_pending());
        for tick in 0..50 {
            client.update(&[], start);
            client.tick(start + Duration::from_millis(250) * tick);
        }
        assert_eq!(wakes.0.load(Ordering::Relaxed), 0);
        client.update(&[block("1")], start);
        assert_eq!(wakes.0.load(Ordering::Relaxed), 1);
    }
}
