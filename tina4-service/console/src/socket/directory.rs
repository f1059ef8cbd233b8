//! The directory of a socket, which only its owner can change.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use super::error::SocketError;

/// The mode of a directory that is created: only its owner can enter it.
const MODE: u32 = 0o700;

/// The mode of a directory that lets a group in.
const GROUP_MODE: u32 = 0o710;

/// Creates the directory, or checks the one that exists. Returns whether it was created.
pub(super) fn prepare(path: &Path) -> Result<bool, SocketError> {
    match DirBuilder::new().mode(MODE).create(path) {
        // The umask may have taken permissions away.
        Ok(()) => set_mode(path, MODE).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => check(path).map(|()| false),
        Err(error) => Err(SocketError::io("create the directory", path)(error)),
    }
}

/// Lets the members of a group reach the files of a directory by name.
pub(super) fn admit(path: &Path, gid: u32) -> Result<(), SocketError> {
    chown(path, None, Some(gid)).map_err(SocketError::io("set the group of", path))?;
    set_mode(path, GROUP_MODE)
}

fn set_mode(path: &Path, mode: u32) -> Result<(), SocketError> {
    fs::set_permissions(path, Permissions::from_mode(mode))
        .map_err(SocketError::io("set the mode of", path))
}

/// Checks that nobody else can replace files in a directory.
fn check(path: &Path) -> Result<(), SocketError> {
    let metadata = fs::metadata(path).map_err(SocketError::io("look at", path))?;
    let problem = if !metadata.is_dir() {
        "is no directory"
    } else if metadata.uid() != rustix::process::geteuid().as_raw() {
        "belongs to another user"
    } else if metadata.mode() & 0o022 != 0 {
        "can be written to by others"
    } else {
        return Ok(());
    };
    Err(SocketError::UnsafeDirectory { path: path.to_owned(), problem })
}
