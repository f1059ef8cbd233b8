//! [`Liveness`]: which owners are still there.
//!
//! Each owner locks a file of its own for as long as it exists. The system releases the lock when a
//! process ends, however it ends, so that its claims need not wait for the end of their leases.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tina4_service_queue::{EngineError, Timestamp};

use crate::error::unusable;

/// How often owners are checked at most.
const PERIOD: Duration = Duration::from_millis(100);

/// The locked file of one owner, and the directory with those of all.
#[derive(Debug)]
pub(crate) struct Liveness {
    directory: PathBuf,
    path: PathBuf,
    /// Locked as long as it is open.
    _file: File,
    last_check: Mutex<Option<Timestamp>>,
    /// The owners that the last check has found gone.
    gone: Mutex<Vec<String>>,
}

impl Liveness {
    /// Creates and locks the file of this owner, and removes those of owners that are gone.
    ///
    /// The caller holds the write lock of the database, so that nobody removes the new file before it is
    /// locked.
    pub(crate) fn register(database: &Path, owner: &str) -> Result<Self, EngineError> {
        Self::try_register(database, owner).map_err(|error| {
            unusable(format!(
                "the files beside `{}` cannot be locked: {error}; use a directory on a local disk that can be written",
                database.display()
            ))
        })
    }

    fn try_register(database: &Path, owner: &str) -> io::Result<Self> {
        // Another path to the same file must lead to the same directory.
        let mut directory = fs::canonicalize(database)?.into_os_string();
        directory.push("-owners");
        let directory = PathBuf::from(directory);
        fs::create_dir_all(&directory)?;
        for entry in fs::read_dir(&directory)? {
            if let Some(name) = entry?.file_name().to_str() {
                is_gone(&directory, name);
            }
        }
        let path = directory.join(owner);
        let file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.try_lock().map_err(io::Error::from)?;
        Ok(Self {
            directory,
            path,
            _file: file,
            last_check: Mutex::default(),
            gone: Mutex::default(),
        })
    }

    /// Whether owners should be checked again; the next time is a tenth of a second later.
    pub(crate) fn is_check_due(&self, now: Timestamp) -> bool {
        let mut last = self.last_check.lock().unwrap_or_else(PoisonError::into_inner);
        // The clock may have been set back.
        let is_due = last.is_none_or(|last| now < last || now >= last.plus(PERIOD));
        if is_due {
            *last = Some(now);
        }
        is_due
    }

    /// Those of some owners that are gone.
    pub(crate) fn gone(&self, owners: Vec<String>) -> Vec<String> {
        let gone: Vec<_> =
            owners.into_iter().filter(|owner| is_gone(&self.directory, owner)).collect();
        self.known_gone().clone_from(&gone);
        gone
    }

    /// The owners that the last check has found gone. They do not come back.
    pub(crate) fn known_gone(&self) -> MutexGuard<'_, Vec<String>> {
        self.gone.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Liveness {
    fn drop(&mut self) {
        // If it stays, the next owner removes it.
        let _ = fs::remove_file(&self.path);
    }
}

/// Whether an owner is gone. If so, its file is removed. In doubt it is not: its leases end anyway.
fn is_gone(directory: &Path, owner: &str) -> bool {
    // The name comes from a table that others can write; it must not lead out of the directory.
    if owner.is_empty() || !owner.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
        return false;
    }
    let path = directory.join(owner);
    let file = match OpenOptions::new().write(true).open(&path) {
        Ok(file) => file,
        Err(error) => return error.kind() == ErrorKind::NotFound,
    };
    match file.try_lock() {
        Ok(()) => {
            let _ = fs::remove_file(&path);
            true
        }
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jobs.db");
        fs::write(&path, "").unwrap();
        (directory, path)
    }

    fn files(database: &Path) -> usize {
        fs::read_dir(database.with_extension("db-owners")).unwrap().count()
    }

    #[test]
    fn rule_132_an_owner_is_there_until_it_ends() {
        let (_directory, database) = database();
        let first = Liveness::register(&database, "1-a").unwrap();
        let second = Liveness::register(&database, "2-b").unwrap();
        let owners = || vec!["1-a".to_owned(), "2-b".to_owned(), "3-c".to_owned()];
        assert_eq!(first.gone(owners()), ["3-c"]);
        drop(second);
        assert_eq!(first.gone(owners()), ["2-b", "3-c"]);
        assert_eq!(files(&database), 1);
    }

    #[test]
    fn a_file_that_was_left_behind_is_removed() {
        let (_directory, database) = database();
        drop(Liveness::register(&database, "1-a").unwrap());
        fs::write(database.with_extension("db-owners").join("2-b"), "").unwrap();
        let third = Liveness::register(&database, "3-c").unwrap();
        assert_eq!(files(&database), 1);
        assert_eq!(third.gone(vec!["2-b".to_owned()]), ["2-b"]);
    }

    #[test]
    fn the_name_of_an_owner_does_not_lead_out_of_the_directory() {
        let (_directory, database) = database();
        let owner = Liveness::register(&database, "1-a").unwrap();
        let names = ["../jobs.db", "", ".", "/", "jobs.db", "größe"].map(str::to_owned);
        assert_eq!(owner.gone(names.to_vec()), [] as [String; 0]);
        assert!(database.exists());
    }

    #[test]
    fn owners_are_checked_ten_times_a_second() {
        let (_directory, database) = database();
        let owner = Liveness::register(&database, "1-a").unwrap();
        let due: Vec<_> = [1000, 1000, 1099, 1100, 1101, 500, 599, 600]
            .into_iter()
            .filter(|now| owner.is_check_due(Timestamp::from_millis(*now)))
            .collect();
        assert_eq!(due, [1000, 1100, 500, 600]);
    }
}
