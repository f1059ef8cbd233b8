//! [`Pool::wait_for`] and [`Pool::wait_for_log`] for async functions: they block no thread.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll as TaskPoll;
use std::time::Duration;

use super::Pool;
use super::poll::Poll;
use super::work_source::WorkSource;
use crate::sys::sync::lock;
use tina4_service_core::{Nanos, nanos};

/// A wait for an instant.
type Timer<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A task that waits for a change. It is counted as a listener until it is dropped.
struct AsyncListener<'a, S: WorkSource> {
    pool: &'a Arc<Pool<S>>,
    key: u64,
}

impl<'a, S: WorkSource> AsyncListener<'a, S> {
    fn new(pool: &'a Arc<Pool<S>>) -> Self {
        lock(&pool.state).listeners += 1;
        Self { pool, key: pool.async_listeners.new_key() }
    }
}

impl<S: WorkSource> Drop for AsyncListener<'_, S> {
    fn drop(&mut self) {
        lock(&self.pool.state).listeners -= 1;
        self.pool.async_listeners.remove(self.key);
    }
}

impl<S: WorkSource> Pool<S> {
    /// Waits like [`Pool::wait_for`].
    pub(crate) async fn wait_for_async<T>(
        self: &Arc<Self>,
        mut condition: impl FnMut(&mut S, Nanos) -> Poll<T>,
    ) -> T {
        // In virtual time a wait takes no real time, and time passes only while the test waits. Only the
        // thread that lets time pass must not wait.
        if let Some(clock) = self.clock.as_virtual()
            && clock.drives_runner()
            && !clock.is_polling_tasks()
        {
            return self.wait_for(condition);
        }
        let listener = AsyncListener::new(self);
        // The instant at which the condition is evaluated again, and the wait for it.
        let mut timer: Option<(Nanos, Timer<'_>)> = None;
        poll_fn(|cx| {
            loop {
                // A waker may be user code: it is cloned and dropped without the lock.
                let (waker, mut old) = (cx.waker().clone(), None);
                let answer = self.with_nonblocking_state(|state, now| {
                    let answer = condition(&mut state.source, now);
                    if let Poll::Pending(_) = answer {
                        // Under the lock, so that no change is missed.
                        old = self.async_listeners.register(listener.key, waker);
                    }
                    answer
                });
                drop(old);
                let until = match answer {
                    Poll::Ready(value) => return TaskPoll::Ready(value),
                    Poll::Pending(until) => until,
                };
                // Afterwards, because the attempt to spawn a thread may just have failed.
                let retry = lock(&self.state).workers.spawn_retry_at(self.clock.now());
                let Some(until) = until.into_iter().chain(retry).min() else {
                    return TaskPoll::Pending;
                };
                if timer.as_ref().is_none_or(|(at, _)| *at != until) {
                    timer = Some((until, Box::pin(self.clock.sleep_async(until))));
                }
                let Some((_, sleep)) = &mut timer else { return TaskPoll::Pending };
                if sleep.as_mut().poll(cx).is_pending() {
                    return TaskPoll::Pending;
                }
                timer = None;
            }
        })
        .await
    }

    /// Waits like [`Pool::wait_for_log`]. Under a virtual clock it does not wait, because `timeout` is real
    /// time.
    pub(crate) async fn wait_for_log_async(self: &Arc<Self>, timeout: Duration) {
        if self.clock.is_virtual() {
            return;
        }
        let until = self.clock.now().saturating_add(nanos(timeout));
        self.wait_for_async(|source, now| {
            if source.deferred().is_log_written() || now >= until {
                Poll::Ready(())
            } else {
                Poll::Pending(Some(until))
            }
        })
        .await;
    }
}
