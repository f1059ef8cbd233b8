//! How a sleeping body learns that its service was asked to stop: the sender of a channel is dropped.

#[cfg(not(shuttle))]
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, TryRecvError};

use crate::sys::stop_flag::Never;

/// Nothing is sent. It is dropped when stop is requested.
pub(crate) type StopSender = Sender<Never>;
/// Disconnected when stop is requested.
pub(crate) type StopReceiver = Receiver<Never>;

pub(super) fn is_disconnected(stop: &StopReceiver) -> bool {
    stop.try_recv() == Err(TryRecvError::Disconnected)
}

/// Waits for `stop`, at most `timeout`; `false`: stop was requested.
#[cfg(not(shuttle))]
pub(super) fn wait(stop: &StopReceiver, timeout: Duration) -> bool {
    stop.recv_timeout(timeout) != Err(crossbeam_channel::RecvTimeoutError::Disconnected)
}

/// Waits until one of the two is disconnected; `false`: it was `stop`.
#[cfg(not(shuttle))]
pub(super) fn wait_for_either(stop: &StopReceiver, other: &StopReceiver) -> bool {
    crossbeam_channel::select! {
        recv(stop) -> _ => false,
        recv(other) -> _ => true,
    }
}

/// The model checker cannot block on these channels: this lets other threads run, and looks again. A
/// stop that never comes is then a schedule without an end, which the checker reports.
#[cfg(shuttle)]
pub(super) fn wait(stop: &StopReceiver, _: std::time::Duration) -> bool {
    crate::sys::sync::yield_now();
    !is_disconnected(stop)
}

/// As for [`wait`].
#[cfg(shuttle)]
pub(super) fn wait_for_either(stop: &StopReceiver, _: &StopReceiver) -> bool {
    crate::sys::sync::yield_now();
    !is_disconnected(stop)
}
