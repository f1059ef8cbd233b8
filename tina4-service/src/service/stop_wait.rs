//! Waiting for a stop request in an async function.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};

use crate::service::host::Host;

/// Completes once the running code is asked to return. It may outlive the run, for a task that the run
/// leaves behind.
pub(crate) struct StopWait {
    host: Arc<dyn Host>,
    /// Identifies the waker that was registered last.
    key: Option<u64>,
}

impl StopWait {
    pub(crate) fn new(host: Arc<dyn Host>) -> Self {
        Self { host, key: None }
    }
}

impl Future for StopWait {
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

impl Drop for StopWait {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            drop(self.host.remove_stop_waker(key));
        }
    }
}
