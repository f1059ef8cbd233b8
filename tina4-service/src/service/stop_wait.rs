//! Waiting for a stop request in an async function.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::service::host::Host;
use crate::sys::stop_flag::StopTicket;

/// Completes once the running code is asked to return. It may outlive the run, for a task that the run
/// leaves behind.
pub(crate) struct StopWait {
    host: Arc<dyn Host>,
    /// Remembers the request, which may be withdrawn before the next poll.
    ticket: StopTicket,
    /// Identifies the waker that was registered last.
    key: Option<u64>,
}

impl StopWait {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        let ticket = host.stop_ticket();
        Self { host, ticket, key: None }
    }
}

impl Future for StopWait {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Self { host, ticket, key } = &mut *self;
        if ticket.is_requested() {
            return Poll::Ready(());
        }
        // A waker may be user code: it is cloned and dropped without a lock.
        let mut waker = Some(cx.waker().clone());
        if host.register_stop_waker(ticket, key, &mut waker) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for StopWait {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.host.remove_stop_waker(key));
        }
    }
}
