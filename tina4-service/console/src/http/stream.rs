//! A connection of either kind, with a deadline for each operation.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
#[cfg(all(unix, feature = "socket"))]
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::deadline::Deadline;

/// A connection to a client.
#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    #[cfg(all(unix, feature = "socket"))]
    Unix(UnixStream),
}

impl Stream {
    /// The same connection again.
    pub(super) fn try_clone(&self) -> io::Result<Self> {
        match self {
            Self::Tcp(stream) => stream.try_clone().map(Self::Tcp),
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix(stream) => stream.try_clone().map(Self::Unix),
        }
    }

    /// Prepares a new connection. On some systems it has the mode of the listener.
    pub(super) fn prepare(&self) -> io::Result<()> {
        self.set_nonblocking(false)?;
        match self {
            Self::Tcp(stream) => stream.set_nodelay(true),
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix(_) => Ok(()),
        }
    }

    /// Reads some bytes; 0: the client sends no more.
    pub(super) fn read(&self, buffer: &mut [u8], deadline: Deadline) -> io::Result<usize> {
        loop {
            let timeout = Some(deadline.remaining().ok_or(io::ErrorKind::TimedOut)?);
            let read = match self {
                Self::Tcp(stream) => {
                    stream.set_read_timeout(timeout)?;
                    (&*stream).read(buffer)
                }
                #[cfg(all(unix, feature = "socket"))]
                Self::Unix(stream) => {
                    stream.set_read_timeout(timeout)?;
                    (&*stream).read(buffer)
                }
            };
            match read {
                // Linux ends a call at its timeout so; the deadline decides.
                Err(error) if is_retry(&error) => {}
                read => return read,
            }
        }
    }

    /// Writes all of the bytes.
    pub(super) fn write_all(&self, mut bytes: &[u8], deadline: Deadline) -> io::Result<()> {
        while !bytes.is_empty() {
            let timeout = Some(deadline.remaining().ok_or(io::ErrorKind::TimedOut)?);
            let written = match self {
                Self::Tcp(stream) => {
                    stream.set_write_timeout(timeout)?;
                    (&*stream).write(bytes)
                }
                #[cfg(all(unix, feature = "socket"))]
                Self::Unix(stream) => {
                    stream.set_write_timeout(timeout)?;
                    (&*stream).write(bytes)
                }
            };
            match written {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => bytes = &bytes[count..],
                Err(error) if is_retry(&error) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether the client has gone. Bytes that it has sent are discarded.
    pub(super) fn is_closed(&self) -> bool {
        if self.set_nonblocking(true).is_err() {
            return true;
        }
        let mut buffer = [0; 512];
        let read = match self {
            Self::Tcp(stream) => (&*stream).read(&mut buffer),
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix(stream) => (&*stream).read(&mut buffer),
        };
        let is_blocking = self.set_nonblocking(false).is_ok();
        match read {
            Ok(count) => count == 0 || !is_blocking,
            Err(error) => !is_retry(&error) || !is_blocking,
        }
    }

    /// Ends the connection, and with it each call that waits for it.
    pub(super) fn close(&self) {
        // An error means that it has ended already.
        let _ = self.shutdown(Shutdown::Both);
    }

    /// Ends the connection so that the client receives what was written: a connection that is closed while bytes of the
    /// client are unread is reset, and what the client has not read by then is lost.
    pub(super) fn close_gently(&self, limit: Duration) {
        if self.shutdown(Shutdown::Write).is_err() {
            return;
        }
        let deadline = Deadline::after(limit);
        let mut buffer = [0; 4 * 1024];
        while self.read(&mut buffer, deadline).is_ok_and(|count| count > 0) {}
        self.close();
    }

    fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.shutdown(how),
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix(stream) => stream.shutdown(how),
        }
    }

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        match self {
            Self::Tcp(stream) => stream.set_nonblocking(nonblocking),
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix(stream) => stream.set_nonblocking(nonblocking),
        }
    }
}

/// Whether a call that ended so may be repeated until its deadline.
fn is_retry(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::Interrupted | io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}
