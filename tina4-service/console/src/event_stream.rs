//! A stream of server-sent events, for one client.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The blocks of a stream of server-sent events, ready to be written.
///
/// A block comes at least every 15 seconds; it is a comment if nothing has changed. The stream ends when the runner
/// begins to stop, or if the client reads too slowly. Dropping it ends it, too.
pub struct EventStream(Arc<Client>);

impl EventStream {
    /// Waits for the next block; `None`: the stream has ended.
    #[expect(
        clippy::should_implement_trait,
        reason = "a blocking iterator would invite adapters that wait for several blocks"
    )]
    pub fn next(&mut self) -> Option<Arc<[u8]>> {
        let mut state = self.0.lock();
        loop {
            if let Some(block) = state.blocks.pop_front() {
                return Some(block);
            }
            if state.has_ended {
                return None;
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// [`EventStream::next`] for an async front end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<[u8]>>> {
        let mut state = self.0.lock();
        if let Some(block) = state.blocks.pop_front() {
            return Poll::Ready(Some(block));
        }
        if state.has_ended {
            return Poll::Ready(None);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

/// What the stream shares with the task that fills it.
#[derive(Default)]
struct Client {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    blocks: VecDeque<Arc<[u8]>>,
    has_ended: bool,
    waker: Option<Waker>,
}

impl Client {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
