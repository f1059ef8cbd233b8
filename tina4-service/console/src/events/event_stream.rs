//! A stream of server-sent events, for one client.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::events::client::Client;

/// The blocks of a stream of server-sent events, ready to be written.
///
/// A block comes at least every 15 seconds; it is a comment if nothing has changed. The stream ends after ten minutes, when the runner
/// begins to stop, or if the client reads too slowly. Dropping it ends it, too.
pub struct EventStream(pub(super) Arc<Client>);

impl EventStream {
    /// Waits for the next block; `None`: the stream has ended.
    #[expect(
        clippy::should_implement_trait,
        reason = "a blocking iterator would invite adapters that wait for several blocks"
    )]
    pub fn next(&mut self) -> Option<Arc<[u8]>> {
        self.0.next()
    }

    /// [`EventStream::next`] for an async front end.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Arc<[u8]>>> {
        self.0.poll_next(cx)
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.0.end();
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}
