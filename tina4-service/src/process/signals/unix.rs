//! How handlers wake the signal thread on Unix: through a socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Wakes the signal thread from inside a handler.
#[derive(Debug)]
pub(super) struct WakeSender(UnixStream);

/// Lets the signal thread wait for a wake-up.
#[derive(Debug)]
pub(super) struct WakeReceiver(UnixStream);

/// Creates the channel from the handlers to the signal thread.
pub(super) fn channel() -> io::Result<(WakeSender, WakeReceiver)> {
    let (handlers, thread) = UnixStream::pair()?;
    // If the socket is full, the thread already has a wake-up to read.
    handlers.set_nonblocking(true)?;
    Ok((WakeSender(handlers), WakeReceiver(thread)))
}

impl WakeSender {
    /// Wakes the signal thread. Async-signal-safe.
    pub(super) fn wake(&self) {
        let _ = (&self.0).write(&[0]);
    }
}

impl WakeReceiver {
    /// Waits for a wake-up, for at most `timeout`; `false` if no more can come.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> bool {
        let mut thread = &self.0;
        if thread.set_read_timeout(timeout).is_err() {
            return false;
        }
        match thread.read(&mut [0; 64]) {
            Ok(read) => read > 0,
            Err(error) => matches!(
                error.kind(),
                ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted
            ),
        }
    }
}
