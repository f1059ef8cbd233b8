//! A socket that is open, with its lock.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileTypeExt as _, MetadataExt as _, PermissionsExt as _, chown,
};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::error::SocketError;
use super::lock::Lock;
use super::{directory, path};

/// How many sockets this process has opened: two of them may be in one directory.
static OPENED: AtomicU32 = AtomicU32::new(0);

/// A socket that is open. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Bound {
    path: PathBuf,
    /// Its device and its number there: a file that has replaced it is not ours to remove.
    file: Option<(u64, u64)>,
    listener: UnixListener,
    /// Released last.
    _lock: Lock,
}

impl Bound {
    /// Opens the socket at this path, or at the default one, for this user and perhaps a group.
    pub(super) fn open(path: Option<&Path>, group: Option<u32>) -> Result<Self, SocketError> {
        let path = match path {
            Some(path) => path.to_owned(),
            None => {
                path::default_path(|name| std::env::var_os(name), std::env::current_exe().ok())?
            }
        };
        let not_a_file = || SocketError::NotAFile { path: path.clone() };
        path.file_name().ok_or_else(not_a_file)?;
        let directory = match path.parent().ok_or_else(not_a_file)? {
            parent if parent.as_os_str().is_empty() => Path::new("."),
            parent => parent,
        };
        // The socket is bound in a directory that nobody else can enter, and moved to its place once it has its mode: a
        // directory that exists may let others in, and `bind` gives them what the umask leaves.
        let number = OPENED.fetch_add(1, Ordering::Relaxed);
        let private = directory.join(format!(".{}-{number}", std::process::id()));
        let hidden = private.join("s");
        path::check_length(&path, longer(&path, &hidden))?;
        let is_new = directory::prepare(directory)?;
        let lock = Lock::take(&path)?;
        match fs::symlink_metadata(&path) {
            Ok(metadata) if !metadata.file_type().is_socket() => {
                return Err(SocketError::NotASocket { path });
            }
            Ok(_) | Err(_) => {}
        }
        // Before the socket has its name, so that whoever finds it may use it.
        if let (true, Some(gid)) = (is_new, group) {
            directory::admit(directory, gid)?;
        }
        let listener = bind(&private, &hidden, &path, group)?;
        let metadata = fs::symlink_metadata(&path).ok();
        let file = metadata.map(|metadata| (metadata.dev(), metadata.ino()));
        Ok(Self { path, file, listener, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn listener(&self) -> io::Result<UnixListener> {
        self.listener.try_clone()
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        let metadata = fs::symlink_metadata(&self.path).ok();
        if metadata.map(|metadata| (metadata.dev(), metadata.ino())) == self.file {
            // An error means that it is gone already, or that the next one has to take it over.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Binds `hidden` in the new directory `private`, gives it its mode and group, and moves it to `path`, over what is there.
fn bind(
    private: &Path,
    hidden: &Path,
    path: &Path,
    group: Option<u32>,
) -> Result<UnixListener, SocketError> {
    // What a killed process with the same number has left.
    let _ = fs::remove_file(hidden);
    let _ = fs::remove_dir(private);
    let created = fs::DirBuilder::new()
        .mode(0o700)
        .create(private)
        .and_then(|()| fs::set_permissions(private, Permissions::from_mode(0o700)));
    created.map_err(SocketError::io("create the directory", private))?;
    let bound = UnixListener::bind(hidden).map_err(SocketError::io("open the socket", path));
    let placed = bound.and_then(|listener| {
        let mode = if group.is_some() { 0o660 } else { 0o600 };
        fs::set_permissions(hidden, Permissions::from_mode(mode))
            .map_err(SocketError::io("set the mode of", path))?;
        if let Some(gid) = group {
            chown(hidden, None, Some(gid)).map_err(SocketError::io("set the group of", path))?;
        }
        fs::rename(hidden, path).map_err(SocketError::io("create", path))?;
        Ok(listener)
    });
    // After an error, the socket is still there.
    let _ = fs::remove_file(hidden);
    let _ = fs::remove_dir(private);
    placed
}

fn longer<'a>(a: &'a Path, b: &'a Path) -> &'a Path {
    if a.as_os_str().len() < b.as_os_str().len() { b } else { a }
}
