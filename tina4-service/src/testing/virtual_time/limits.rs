//! The limits of virtual time: how long it waits for bodies, and how many steps it allows.

use std::time::Duration;

/// How long, in real time, a test waits for a service that neither returns nor sleeps.
pub(super) const STALL_TIMEOUT: Duration = Duration::from_secs(10);

/// The maximum number of runner steps at one instant, and of wake-ups during one `run_next`.
pub(super) const MAX_STEPS: u64 = 1_000_000;

/// After this many wake-ups without a scheduled run, `run_next` returns.
pub(super) const MAX_IDLE_WAKEUPS: u64 = 10_000;

/// Detached bodies are polled at this interval of real time. Most only check whether they are asked
/// to stop, and end within the first one.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// For how many polls the clock waits for a body whose thread is running: the machine may be slow.
pub(super) const MAX_POLLS_RUNNING: u32 = 20;

/// For how many polls the clock waits for a body that is asked to stop.
pub(super) const MAX_POLLS_STOPPING: u32 =
    (STALL_TIMEOUT.as_millis() / POLL_INTERVAL.as_millis()) as u32;
