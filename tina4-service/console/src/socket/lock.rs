//! The lock of a socket: the process that has it serves the socket.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::error::SocketError;

/// The lock of a socket. The kernel releases it when the process ends, however it ends, so a socket without a lock is stale.
/// The file stays: if it were removed, two processes could each lock a file of that name.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// The file that is locked: `services.lock` for `services.sock`.
pub(super) fn path(socket: &Path) -> PathBuf {
    let path = socket.with_extension("lock");
    if path == socket { socket.with_extension("lock.lock") } else { path }
}

impl Lock {
    /// Takes the lock of a socket, and writes our number into its file.
    pub(super) fn take(socket: &Path) -> Result<Self, SocketError> {
        let path = path(socket);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(SocketError::io("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut text = String::new();
                // Without its number, the message is still true.
                let _ = file.read_to_string(&mut text);
                let pid = text.trim().parse().ok();
                return Err(SocketError::InUse { path: socket.to_owned(), pid });
            }
            Err(TryLockError::Error(error)) => return Err(SocketError::io("lock", &path)(error)),
        }
        let written = file
            // The umask may have taken permissions away, and then a second process could not read our number.
            .set_permissions(Permissions::from_mode(0o600))
            .and_then(|()| file.set_len(0))
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "{}", std::process::id()));
        written.map_err(SocketError::io("write", &path))?;
        Ok(Self { _file: file })
    }
}
