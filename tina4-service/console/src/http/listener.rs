//! What accepts connections.

use std::io;
#[cfg(unix)]
use std::net::Shutdown;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, TcpListener, TcpStream};
#[cfg(unix)]
use std::os::fd::OwnedFd;
#[cfg(all(unix, feature = "socket"))]
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::Duration;

use super::stream::Stream;
use crate::peer::Peer;
#[cfg(all(unix, feature = "socket"))]
use crate::socket::peer::identify;

/// How long a connection to ourselves may take.
const WAKE: Duration = Duration::from_millis(100);

/// Accepts connections.
#[derive(Debug)]
pub(crate) enum Listener {
    /// On a port.
    #[cfg_attr(
        not(any(feature = "probes", feature = "serve")),
        expect(dead_code, reason = "a unix socket alone has no port")
    )]
    Tcp(TcpListener),
    /// On a unix socket, which the members of these groups may read.
    #[cfg(all(unix, feature = "socket"))]
    Unix { listener: UnixListener, readers: Vec<u32> },
}

impl Listener {
    /// Waits for a client.
    pub(super) fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                Ok((Stream::Tcp(stream), Peer::Tcp(address)))
            }
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix { listener, readers } => {
                let (stream, _) = listener.accept()?;
                let peer = Peer::Unix(identify(&stream, readers));
                Ok((Stream::Unix(stream), peer))
            }
        }
    }

    /// Ends a call of [`Listener::accept`] on another thread.
    ///
    /// On Linux, shutting down a listener does. Elsewhere that is an error, and a connection to ourselves does.
    pub(super) fn wake(&self) {
        // Errors mean that this way is not the way of this system, or that it was woken already.
        match self {
            Self::Tcp(listener) => {
                #[cfg(unix)]
                if let Ok(listener) = listener.try_clone() {
                    let _ = TcpStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both);
                }
                if let Ok(mut address) = listener.local_addr() {
                    if address.ip().is_unspecified() {
                        address.set_ip(match address.ip() {
                            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
                        });
                    }
                    let _ = TcpStream::connect_timeout(&address, WAKE);
                }
            }
            #[cfg(all(unix, feature = "socket"))]
            Self::Unix { listener, readers: _ } => {
                if let Ok(listener) = listener.try_clone() {
                    let _ = UnixStream::from(OwnedFd::from(listener)).shutdown(Shutdown::Both);
                }
                let address = listener.local_addr();
                if let Some(path) = address.ok().as_ref().and_then(|address| address.as_pathname())
                {
                    let _ = UnixStream::connect(path);
                }
            }
        }
    }
}
