//! [`Waits`]: how a thread of the engine waits for the server, and [`Closing`], which ends its waits.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::time::Instant;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::Notify;
use tokio::time::timeout_at;

/// Whether the owner of a thread does not need it any more. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_closed: AtomicBool,
    changed: Notify,
}

impl Closing {
    /// Ends the wait of the thread, and all that it begins afterwards.
    pub(crate) fn close(&self) {
        self.0.is_closed.store(true, Ordering::SeqCst);
        self.0.changed.notify_one();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.0.is_closed.load(Ordering::SeqCst)
    }

    /// There is one thread, and so one that waits: a notification that comes before is kept.
    async fn closed(&self) {
        while !self.is_closed() {
            self.0.changed.notified().await;
        }
    }
}

/// Why a wait ended without a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Its time was over.
    TimedOut,
    /// The thread is not needed any more.
    Closed,
}

/// The runtime of one thread of the engine, in which it waits for one thing at a time.
#[derive(Debug)]
pub(crate) struct Waits {
    /// `Some` until it is dropped.
    runtime: Option<Runtime>,
    closing: Closing,
}

impl Waits {
    pub(crate) fn new(closing: Closing) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime: Some(runtime), closing })
    }

    /// Waits until a future is ready, its time is over, or the thread is not needed any more.
    pub(crate) fn wait<T>(
        &self,
        deadline: Instant,
        future: impl Future<Output = T>,
    ) -> Result<T, Ended> {
        self.block_on(async {
            let mut result = pin!(timeout_at(deadline.into(), future));
            let mut closed = pin!(self.closing.closed());
            poll_fn(|cx| match result.as_mut().poll(cx) {
                Poll::Ready(result) => Poll::Ready(result.map_err(|_| Ended::TimedOut)),
                Poll::Pending => closed.as_mut().poll(cx).map(|()| Err(Ended::Closed)),
            })
            .await
        })
    }

    /// Waits for something that must be done even if the thread is not needed any more.
    pub(crate) fn finish(&self, deadline: Instant, future: impl Future<Output = ()>) {
        // What takes longer is given up.
        let _ = self.block_on(async {
            timeout_at(deadline.into(), future).await.map_err(|_| Ended::TimedOut)
        });
    }

    fn block_on<T>(&self, future: impl Future<Output = Result<T, Ended>>) -> Result<T, Ended> {
        self.runtime.as_ref().map_or(Err(Ended::Closed), |runtime| runtime.block_on(future))
    }
}

/// Does not wait for a search of an address, which cannot be interrupted.
impl Drop for Waits {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};
    use std::thread;
    use std::time::Duration;

    use super::*;
    use crate::clock;

    fn later(time: Duration) -> Instant {
        clock::now() + time
    }

    #[test]
    fn a_wait_ends_with_its_result_or_its_time() {
        let waits = Waits::new(Closing::default()).unwrap();
        assert_eq!(waits.wait(later(Duration::from_secs(60)), ready(7)), Ok(7));
        let ended = waits.wait(later(Duration::from_millis(1)), pending::<()>());
        assert_eq!(ended, Err(Ended::TimedOut));
        waits.finish(later(Duration::from_millis(1)), pending());
    }

    #[test]
    fn a_thread_that_is_not_needed_does_not_wait() {
        let closing = Closing::default();
        let waits = Waits::new(closing.clone()).unwrap();
        thread::scope(|scope| {
            let waiting =
                scope.spawn(|| waits.wait(later(Duration::from_secs(600)), pending::<()>()));
            closing.close();
            assert_eq!(waiting.join().unwrap(), Err(Ended::Closed));
        });
        let after = waits.wait(later(Duration::from_secs(600)), pending::<()>());
        assert_eq!(after, Err(Ended::Closed));
    }
}
