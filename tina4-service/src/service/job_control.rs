//! [`JobControl`]: asks one job to return, while others of its service continue.

use std::sync::atomic::{AtomicU64, Ordering};

use tina4_service_core::Nanos;

#[cfg(feature = "tokio")]
use crate::sys::stop_flag::StopTicket;
use crate::sys::stop_flag::{Sleepers, StopChannel, StopFlag, StopReceiver};
use crate::sys::sync::{AtomicBool, Mutex, lock};
#[cfg(feature = "tokio")]
use std::task::Waker;

/// Asks one job to return: it has exceeded its `timeout`, or its service is to stop.
#[derive(Debug)]
pub(crate) struct JobControl {
    is_cancelled: AtomicBool,
    stop: StopFlag,
    channel: Mutex<StopChannel>,
    last_heartbeat: AtomicU64,
}

impl JobControl {
    pub(crate) fn new() -> Self {
        Self {
            is_cancelled: AtomicBool::new(false),
            stop: StopFlag::new(),
            channel: Mutex::default(),
            last_heartbeat: AtomicU64::new(0),
        }
    }

    /// Whether the job has exceeded its `timeout`.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::SeqCst)
    }

    /// Records that the job has exceeded its `timeout`.
    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::SeqCst);
    }

    /// Asks the code to return. The caller must wake the result, without holding a lock.
    pub(crate) fn request_stop(&self) -> Option<Sleepers> {
        self.stop.request();
        lock(&self.channel).take_sleepers()
    }

    pub(crate) fn is_stop_requested(&self) -> bool {
        self.stop.is_requested()
    }

    pub(crate) fn receiver(&self) -> StopReceiver {
        self.stop.receiver(&mut lock(&self.channel))
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn ticket(&self) -> StopTicket {
        self.stop.ticket(&mut lock(&self.channel))
    }

    /// See [`StopFlag::register_waker`].
    #[cfg(feature = "tokio")]
    pub(crate) fn register_waker(
        &self,
        ticket: &StopTicket,
        key: &mut Option<u64>,
        waker: &mut Option<Waker>,
    ) -> bool {
        self.stop.register_waker(&mut lock(&self.channel), ticket, key, waker)
    }

    #[cfg(feature = "tokio")]
    pub(crate) fn remove_waker(&self, key: u64) -> Option<Waker> {
        lock(&self.channel).remove_waker(key)
    }

    pub(crate) fn heartbeat(&self, now: Nanos) {
        self.last_heartbeat.store(now, Ordering::Release);
    }

    /// When the job last called `heartbeat`; 0: never.
    pub(crate) fn last_heartbeat(&self) -> Nanos {
        self.last_heartbeat.load(Ordering::Acquire)
    }
}
