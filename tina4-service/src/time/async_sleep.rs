//! The sleep of an async function under a virtual clock.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use crate::time::async_sleeper::AsyncSleeper;
use crate::time::virtual_clock::VirtualClock;
use tina4_service_core::Nanos;

/// Completes once a virtual clock shows an instant.
pub(super) struct AsyncSleep {
    clock: Arc<dyn VirtualClock>,
    sleeper: Arc<AsyncSleeper>,
    is_added: bool,
}

impl AsyncSleep {
    pub(super) fn new(clock: Arc<dyn VirtualClock>, until: Nanos) -> Self {
        let sleeper = Arc::new(AsyncSleeper::new(until));
        Self { clock, sleeper, is_added: false }
    }
}

impl Future for AsyncSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let Self { clock, sleeper, is_added } = &mut *self;
        let is_over = || clock.now() >= sleeper.until;
        if is_over() {
            return Poll::Ready(());
        }
        sleeper.set_waker(cx.waker());
        if !std::mem::replace(is_added, true) {
            clock.add_sleeper(Arc::downgrade(sleeper));
        }
        // The clock may have advanced before the waker was in place.
        if is_over() { Poll::Ready(()) } else { Poll::Pending }
    }
}
