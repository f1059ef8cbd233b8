//! The console on a unix socket.

mod bound;
mod directory;
mod error;
mod lock;
mod path;
pub(crate) mod peer;

use std::path::PathBuf;

use tina4_service::{Permanent, Service};

use crate::console::Console;
use crate::front_end::{self, BoxError};
use crate::http::listener::Listener;
use crate::request::Request;
use bound::Bound;
pub use error::SocketError;

/// The name of the service that [`socket`] returns.
const NAME: &str = "tina4.socket";

/// Where the unix socket of a console is, and who may use it.
///
/// The socket has mode 0600, in a directory with mode 0700 that is created if it does not exist. A directory that exists has
/// to belong to the user of this process, and nobody else may write to it. On Linux, the system tells who opens the
/// socket: the same user and root may take every action. Elsewhere, the permissions of the directory decide alone.
///
/// ```
/// use tina4_service_console::Socket;
///
/// let socket = Socket::at("/run/shop/services.sock").readable_by_group(50);
/// # drop(socket);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Socket {
    path: Option<PathBuf>,
    readers: Vec<u32>,
}

impl Socket {
    /// A socket at this path, which has at most 103 bytes.
    ///
    /// [`Socket::default`] is one at the default path: the variable `TINA4_SERVICES_SOCKET`, or
    /// `$RUNTIME_DIRECTORY/services.sock` (systemd sets it for a unit with `RuntimeDirectory=`), or
    /// `$XDG_RUNTIME_DIR/<program>/services.sock`.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: Some(path.into()), readers: Vec::new() }
    }

    /// Lets the processes of this group see everything, and change nothing.
    ///
    /// The socket then belongs to that group, with mode 0660. A directory that is created does, too, with mode 0710; one
    /// that exists has to let the group in. This process has to be a member of the group, or root. On Linux, several groups
    /// can be given: the files belong to the first one, and the others are let in by a directory that exists.
    #[must_use]
    pub fn readable_by_group(mut self, gid: u32) -> Self {
        self.readers.push(gid);
        self
    }
}

impl From<&str> for Socket {
    fn from(path: &str) -> Self {
        Self::at(path)
    }
}

impl From<PathBuf> for Socket {
    fn from(path: PathBuf) -> Self {
        Self::at(path)
    }
}

/// A service that answers on a unix socket, for `tina4ctl` and for `curl --unix-socket`.
///
/// It shows and steers the runner that it is registered with. Its name is `tina4.socket`.
///
/// ```no_run
/// use tina4_service_console::{Socket, socket};
///
/// tina4_service::register(socket(Socket::default()))?;
/// # Ok::<(), tina4_service::RegisterError>(())
/// ```
///
/// If the socket cannot be opened, this service crashes and is restarted with backoff, and the others go on. A socket that a
/// process has left behind is taken over; one that a process serves is not: a second process gets it once
/// the first one has ended.
#[track_caller]
pub fn socket(socket: impl Into<Socket>) -> Service {
    service(None, socket.into())
}

impl Console {
    /// [`socket`] with the settings of this console.
    #[track_caller]
    pub fn socket(&self, socket: impl Into<Socket>) -> Service {
        service(Some(self.clone()), socket.into())
    }
}

#[track_caller]
fn service(console: Option<Console>, socket: Socket) -> Service {
    Service::new(NAME, move |context| -> Result<(), BoxError> {
        let console = front_end::console(console.as_ref(), context)?;
        // It is removed, and its lock is released, when the run ends.
        let bound = Bound::open(socket.path.as_deref(), socket.readers.first().copied()).map_err(
            |error| -> BoxError {
                if error.is_permanent() { Permanent::new(error).into() } else { error.into() }
            },
        )?;
        tracing::info!(path = %bound.path().display(), "the console answers on a unix socket");
        let listener =
            Listener::Unix { listener: bound.listener()?, readers: socket.readers.clone() };
        front_end::serve(listener, context, move |request: &Request| console.answer(request))
    })
}
