//! Why a socket cannot be opened.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why a unix socket cannot be opened.
#[derive(Debug)]
#[non_exhaustive]
pub enum SocketError {
    /// No path was given, and the environment names none.
    NoPath,
    /// The system does not accept a path of this length.
    PathTooLong {
        /// The path.
        path: PathBuf,
        /// How many bytes it is too long.
        over: usize,
    },
    /// The path names no file in a directory.
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Other users could replace the socket.
    UnsafeDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// Something else than a socket has that name.
    NotASocket {
        /// The path.
        path: PathBuf,
    },
    /// Another process serves this socket.
    InUse {
        /// The path.
        path: PathBuf,
        /// That process.
        pid: Option<u32>,
    },
    /// A call of the system has failed.
    Io {
        /// What could not be done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

impl SocketError {
    /// Whether the same would happen again until somebody corrects the path.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::NoPath | Self::PathTooLong { .. } | Self::NotAFile { .. } => true,
            Self::UnsafeDirectory { .. }
            | Self::NotASocket { .. }
            | Self::InUse { .. }
            | Self::Io { .. } => false,
        }
    }

    /// For `map_err`.
    pub(super) fn io(what: &'static str, path: &std::path::Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { what, path, error }
    }
}

impl fmt::Display for SocketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPath => f.write_str(
                "the socket has no path; set `TINA4_SERVICES_SOCKET`, or `RuntimeDirectory=` in the unit of systemd",
            ),
            Self::PathTooLong { path, over } => write!(
                f,
                "the path of the socket is {over} byte{} too long: {}; a unix socket's has at most 103 bytes",
                if *over == 1 { "" } else { "s" },
                path.display()
            ),
            Self::NotAFile { path } => write!(
                f,
                "the path of the socket names no file: {}; write one such as `/run/shop/services.sock`",
                path.display()
            ),
            Self::UnsafeDirectory { path, problem } => write!(
                f,
                "the directory of the socket {problem}: {}; choose a directory of the socket's own, which is created with mode 0700",
                path.display()
            ),
            Self::NotASocket { path } => write!(
                f,
                "something else than a socket is at {}; remove it, or choose another path",
                path.display()
            ),
            Self::InUse { path, pid } => {
                write!(f, "another process")?;
                if let Some(pid) = pid {
                    write!(f, " (pid {pid})")?;
                }
                write!(f, " serves the socket {}; stop it, or choose another path", path.display())
            }
            Self::Io { what, path, error } => {
                write!(f, "cannot {what} {}: {error}; check its permissions", path.display())
            }
        }
    }
}

impl std::error::Error for SocketError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { error, .. } => Some(error),
            Self::NoPath
            | Self::PathTooLong { .. }
            | Self::NotAFile { .. }
            | Self::UnsafeDirectory { .. }
            | Self::NotASocket { .. }
            | Self::InUse { .. } => None,
        }
    }
}
