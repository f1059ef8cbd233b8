//! Waiting for a stop request in an async function.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll};

use crate::service::host::Host;

/// Completes once the running code is asked to return.
pub(crate) struct StopWait<'r> {
    host: &'r dyn Host,
    /// Identifies the waker that was registered last.
    key: Option<u64>,
}

impl<'r> StopWait<'r> {
    pub(crate) fn new(host: &'r dyn Host) -> Self {
        Self { host, key: None }
    }
}

impl Future for StopWait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<()> {
        let Self { host, key } = &mut *self;
        if host.is_stopping() || host.register_stop_waker(key, cx.waker()) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for StopWait<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.host.remove_stop_waker(key));
        }
    }
}
