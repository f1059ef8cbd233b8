//! Opening the database, and why that may fail.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::Connection;

use super::Store;

/// How long a write waits for another program, such as the `sqlite3` tool, to let go.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Why the database cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Another shop uses the folder.
    InUse(PathBuf),
    /// The folder or the lock file cannot be used.
    Folder(PathBuf, io::Error),
    /// SQLite cannot use the file.
    Database(PathBuf, rusqlite::Error),
}

impl Store {
    /// Opens the database in `folder`; makes what is not there.
    pub(crate) fn open(folder: &Path) -> Result<Self, OpenError> {
        let lock = lock(folder)?;
        let file = folder.join("shop.db");
        match connect(&file) {
            Ok(connection) => Ok(Self { connection: Mutex::new(connection), _lock: lock }),
            Err(error) => Err(OpenError::Database(file, error)),
        }
    }
}

/// The system releases the lock when the process ends, even when it is killed.
fn lock(folder: &Path) -> Result<File, OpenError> {
    let failed = |error| OpenError::Folder(folder.to_owned(), error);
    fs::create_dir_all(folder).map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join("shop.lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

fn connect(file: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An order that was answered with 201 survives a power cut, not only a kill.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch(include_str!("schema.sql"))?;
    Ok(connection)
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(folder) => write!(
                f,
                "another shop uses {}; close it, or choose another folder with `--data`",
                folder.display()
            ),
            Self::Folder(folder, error) => {
                write!(f, "cannot use the folder {}: {error}", folder.display())
            }
            Self::Database(file, error) => {
                write!(f, "cannot use the database {}: {error}", file.display())
            }
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InUse(_) => None,
            Self::Folder(_, error) => Some(error),
            Self::Database(_, error) => Some(error),
        }
    }
}
