//! How the handler wakes the signal thread on Windows: through a channel. The handler runs on an
//! ordinary thread, so it need not be async-signal-safe.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

/// Wakes the signal thread.
#[derive(Debug)]
pub(super) struct WakeSender(Sender<()>);

/// Lets the signal thread wait for a wake-up.
#[derive(Debug)]
pub(super) struct WakeReceiver(Receiver<()>);

/// Creates the channel from the handlers to the signal thread.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(super) fn channel() -> io::Result<(WakeSender, WakeReceiver)> {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    Ok((WakeSender(sender), WakeReceiver(receiver)))
}

impl WakeSender {
    pub(super) fn wake(&self) {
        // If the channel is full, the thread already has a wake-up to read.
        let _ = self.0.try_send(());
    }
}

impl WakeReceiver {
    /// Waits for a wake-up, for at most `timeout`; `false` if no more can come.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        match timeout {
            None => self.0.recv().is_ok(),
            Some(timeout) => {
                !matches!(self.0.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected))
            }
        }
    }
}
