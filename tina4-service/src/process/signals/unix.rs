//! How handlers wake the signal thread on Unix: through a socket.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

/// Wakes the signal thread from inside a handler.
#[derive(Debug)]
pub(super) struct Wake(UnixStream);

/// What the signal thread waits on.
#[derive(Debug)]
pub(super) struct Incoming(UnixStream);

/// The two ends of the way from the handlers to the signal thread.
pub(super) fn channel() -> io::Result<(Wake, Incoming)> {
    let (handlers, thread) = UnixStream::pair()?;
    // If the socket is full, the thread has a wake-up to read already.
    handlers.set_nonblocking(true)?;
    Ok((Wake(handlers), Incoming(thread)))
}

impl Wake {
    /// Async-signal-safe.
    pub(super) fn wake(&self) {
        let _ = (&self.0).write(&[0]);
    }
}

impl Incoming {
    /// Waits for a wake-up, at most `timeout`; `false`: no more can come.
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
