//! How the handler wakes the signal thread on Windows: through a channel, because a thread of the
//! system calls the handler.

use std::io;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender};

/// Wakes the signal thread.
#[derive(Debug)]
pub(super) struct Wake(Sender<()>);

/// What the signal thread waits on.
#[derive(Debug)]
pub(super) struct Incoming(Receiver<()>);

/// The two ends of the way from the handlers to the signal thread.
#[expect(clippy::unnecessary_wraps, reason = "it can fail on Unix")]
pub(super) fn channel() -> io::Result<(Wake, Incoming)> {
    let (sender, receiver) = crossbeam_channel::bounded(1);
    Ok((Wake(sender), Incoming(receiver)))
}

impl Wake {
    pub(super) fn wake(&self) {
        // If the channel is full, the thread has a wake-up to read already.
        let _ = self.0.try_send(());
    }
}

impl Incoming {
    /// Waits for a wake-up, at most `timeout`; `false`: no more can come.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        match timeout {
            None => self.0.recv().is_ok(),
            Some(timeout) => {
                !matches!(self.0.recv_timeout(timeout), Err(RecvTimeoutError::Disconnected))
            }
        }
    }
}
