//! At the end of a runner: waiting until hooks have been told everything.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::Engine;
#[cfg(feature = "tokio")]
use crate::engine::pool::poll::Poll;
#[cfg(feature = "tokio")]
use crate::sys::runtime;
use crate::time::clock::Clock;
#[cfg(feature = "tokio")]
use tina4_service_core::Nanos;
use tina4_service_core::nanos;

/// How long `stop_all` waits for hooks.
pub(super) const NOTICE_TIMEOUT: Duration = Duration::from_secs(2);

/// How often an async function that waits for hooks checks them.
#[cfg(feature = "tokio")]
const IDLE_CHECK_INTERVAL: Nanos = 10_000_000;

/// Waits until the hooks have been told everything, for at most `timeout`, because a hook may block.
pub(super) fn wait_for_hooks(engine: &Arc<Engine>, timeout: Duration) {
    let hooks = engine.with(|supervisor, _| supervisor.hooks());
    // In real time even under a virtual clock, because hooks are called by real threads.
    let clock = Clock::system();
    let until = clock.now().saturating_add(nanos(timeout));
    let left = || Duration::from_nanos(until.saturating_sub(clock.now()));
    let wait = || hooks.iter().for_each(|hook| hook.wait_until_idle(left));
    if hooks.iter().all(|hook| hook.is_idle()) {
        return;
    }
    #[cfg(feature = "tokio")]
    if !runtime::is_only_thread() {
        runtime::block(wait);
    }
    #[cfg(not(feature = "tokio"))]
    wait();
}

/// [`wait_for_hooks`] for an async function. Under a virtual clock it does not wait, because `timeout` is real time.
#[cfg(feature = "tokio")]
pub(super) async fn wait_for_hooks_async(engine: &Arc<Engine>, timeout: Duration, clock: &Clock) {
    if clock.is_virtual() {
        return;
    }
    let until = clock.now().saturating_add(nanos(timeout));
    engine
        .wait_for_async(|supervisor, now| {
            if now >= until || supervisor.hooks().iter().all(|hook| hook.is_idle()) {
                Poll::Ready(())
            } else {
                Poll::Pending(Some(now.saturating_add(IDLE_CHECK_INTERVAL).min(until)))
            }
        })
        .await;
}
