//! Opening the database, and the reasons why that can fail.

use std::error::Error;
use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use rusqlite::Connection;

use super::Store;

/// How long a write waits for a lock of another program, such as the `sqlite3` tool.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The version of the tables, which SQLite keeps in the file. Raise it when `schema.sql` changes.
const VERSION: i64 = 1;

/// Why the database cannot be opened.
#[derive(Debug)]
pub(crate) enum OpenError {
    /// Another shop uses the directory.
    InUse(PathBuf),
    /// The directory or the lock file cannot be used.
    Directory(PathBuf, io::Error),
    /// The tables in the file are those of another version of the shop.
    OtherVersion(PathBuf),
    /// SQLite cannot use the file.
    Database(PathBuf, rusqlite::Error),
}

impl Store {
    /// Opens the database in `dir`; creates it if necessary.
    pub(crate) fn open(dir: &Path) -> Result<Self, OpenError> {
        let lock = lock(dir)?;
        let file = database(dir);
        match connect(&file) {
            Ok(Some(connection)) => Ok(Self { connection: Mutex::new(connection), _lock: lock }),
            Ok(None) => Err(OpenError::OtherVersion(file)),
            Err(error) => Err(OpenError::Database(file, error)),
        }
    }
}

/// The file of the database.
pub(crate) fn database(dir: &Path) -> PathBuf {
    dir.join("shop.db")
}

/// Locks the directory for this process. The operating system releases the lock when the process
/// ends, even if it is killed.
fn lock(dir: &Path) -> Result<File, OpenError> {
    let failed = |error| OpenError::Directory(dir.to_owned(), error);
    fs::create_dir_all(dir).map_err(failed)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join("shop.lock"))
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(dir.to_owned())),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// `None`: the tables are those of another version.
fn connect(file: &Path) -> rusqlite::Result<Option<Connection>> {
    let connection = Connection::open(file)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // An order that was answered with 201 survives a power failure, not only a kill.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    let exists = "SELECT EXISTS (SELECT 1 FROM sqlite_master WHERE name = 'orders')";
    let has_tables: bool = connection.query_row(exists, [], |row| row.get(0))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if has_tables {
        return Ok((version == VERSION).then_some(connection));
    }
    // In one transaction, so that there are no tables without their version.
    let schema = include_str!("schema.sql");
    connection
        .execute_batch(&format!("BEGIN; {schema} PRAGMA user_version = {VERSION}; COMMIT"))?;
    Ok(Some(connection))
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InUse(dir) => write!(
                f,
                "another shop uses {}; close it, or choose another directory with `--data`",
                dir.display()
            ),
            Self::Directory(dir, error) => write!(
                f,
                "cannot use the directory {}: {error}; check its permissions, or choose another one with `--data`",
                dir.display()
            ),
            Self::OtherVersion(file) => write!(
                f,
                "the database {} was made by another version of the shop; choose another directory with `--data`, or remove this one if its orders are not needed",
                file.display()
            ),
            Self::Database(file, error) => write!(
                f,
                "cannot use the database {}: {error}; restore it from a backup, or choose another directory with `--data`",
                file.display()
            ),
        }
    }
}

impl Error for OpenError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::InUse(_) | Self::OtherVersion(_) => None,
            Self::Directory(_, error) => Some(error),
            Self::Database(_, error) => Some(error),
        }
    }
}
