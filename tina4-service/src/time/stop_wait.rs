//! The waits of a sleeping body; they end early if its service is asked to stop.

#[cfg(not(shuttle))]
use std::time::Duration;

use crossbeam_channel::{Receiver, TryRecvError};

use crate::sys::stop_flag::{Never, StopReceiver};

/// Whether stop was requested.
pub(super) fn is_disconnected(stop: &StopReceiver) -> bool {
    stop.try_recv() == Err(TryRecvError::Disconnected)
}

/// Waits on `stop` for at most `timeout`; `false`: stop was requested.
#[cfg(not(shuttle))]
pub(super) fn wait(stop: &StopReceiver, timeout: Duration) -> bool {
    stop.recv_timeout(timeout) != Err(crossbeam_channel::RecvTimeoutError::Disconnected)
}

/// Waits until one of the two is disconnected; `false`: it was `stop`.
#[cfg(not(shuttle))]
pub(super) fn wait_for_either(stop: &StopReceiver, other: &Receiver<Never>) -> bool {
    crossbeam_channel::select! {
        recv(stop) -> _ => false,
        recv(other) -> _ => true,
    }
}

/// The model checker cannot block on these channels, so this lets other threads run and then checks
/// again. If the stop never comes, the execution never ends, which the checker reports.
#[cfg(shuttle)]
pub(super) fn wait(stop: &StopReceiver, _: std::time::Duration) -> bool {
    crate::sys::sync::yield_now();
    !is_disconnected(stop)
}

/// [`wait_for_either`] for the model checker, which polls as in [`wait`].
#[cfg(shuttle)]
pub(super) fn wait_for_either(stop: &StopReceiver, _: &Receiver<Never>) -> bool {
    crate::sys::sync::yield_now();
    !is_disconnected(stop)
}
