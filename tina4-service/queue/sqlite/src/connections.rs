//! [`Connections`]: the connections of an engine to its file.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use tina4_service_queue::EngineError;

use crate::error::{failed, unusable};
use crate::schema;

/// How long to wait for another process that is writing.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How often to try to switch to WAL mode while other processes open the same new file.
const WAL_TRIES: u32 = 100;

/// The two connections that write.
///
/// One lock is for both: SQLite has one writer at a time, and waits for another connection by sleeping.
#[derive(Debug)]
pub(crate) struct Connections {
    /// For pushes: each commit is synced to the disk.
    pub(crate) durable: Connection,
    /// For claims and finishes: their commits are not synced. One that is lost in a power cut is
    /// repeated, because the job then runs again.
    pub(crate) fast: Connection,
}

impl Connections {
    /// Opens a file, and creates it and its tables if they do not exist.
    pub(crate) fn open(path: &Path) -> Result<Self, EngineError> {
        let mut durable = open(path, "full")?;
        schema::create(&mut durable)?;
        sync_directory(path)?;
        let fast = open(path, "normal")?;
        Ok(Self { durable, fast })
    }
}

/// Opens a connection that only reads.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, EngineError> {
    let reader = open(path, "normal")?;
    reader.pragma_update(None, "query_only", true).map_err(failed)?;
    Ok(reader)
}

fn open(path: &Path, synchronous: &str) -> Result<Connection, EngineError> {
    let mut connection = Connection::open(path).map_err(failed)?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    // Otherwise a statement is compiled anew whenever a time that it compares with has changed.
    let stable_plans = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
    connection.set_db_config(stable_plans, true).map_err(failed)?;
    enable_wal(&mut connection, path)?;
    let settings =
        [("synchronous", synchronous), ("fullfsync", "on"), ("checkpoint_fullfsync", "on")];
    for (name, value) in settings {
        connection.pragma_update(None, name, value).map_err(failed)?;
    }
    Ok(connection)
}

/// Switches the file to WAL mode.
fn enable_wal(connection: &mut Connection, path: &Path) -> Result<(), EngineError> {
    for _ in 0..WAL_TRIES {
        let mode = connection
            .pragma_update_and_check(None, "journal_mode", "wal", |row| row.get::<_, String>(0));
        match mode {
            Ok(mode) if mode == "wal" => return Ok(()),
            Ok(mode) => {
                return Err(unusable(format!(
                    "`{}` stays in the journal mode `{mode}` instead of `wal`; use a file on a local disk",
                    path.display()
                )));
            }
            // SQLite does not wait for this lock, but it does for that of a transaction.
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                let wait = connection.transaction_with_behavior(TransactionBehavior::Immediate);
                wait.and_then(rusqlite::Transaction::rollback).map_err(failed)?;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(unusable(format!(
        "`{}` is used by a program that does not release it for the switch to WAL mode; stop that program",
        path.display()
    )))
}

/// Makes the entry of a new file in its directory durable.
fn sync_directory(path: &Path) -> Result<(), EngineError> {
    // Only Unix can open a directory, and only there it is needed.
    if cfg!(unix) {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let synced = File::open(parent.unwrap_or(Path::new("."))).and_then(|dir| dir.sync_all());
        synced.map_err(|error| {
            unusable(format!(
                "the directory of `{}` cannot be synced: {error}; use a directory on a local disk",
                path.display()
            ))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(connection: &Connection, name: &str) -> i64 {
        connection.pragma_query_value(None, name, |row| row.get(0)).unwrap()
    }

    #[test]
    fn rule_130_commits_of_pushes_are_synced_and_others_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jobs.db");
        let Connections { durable, fast } = Connections::open(&path).unwrap();
        // 2 is `full`: sync at each commit; 1 is `normal`: sync at checkpoints. It is never 0, `off`.
        assert_eq!(setting(&durable, "synchronous"), 2);
        assert_eq!(setting(&fast, "synchronous"), 1);
        for connection in [&durable, &fast, &open_reader(&path).unwrap()] {
            let mode: String =
                connection.pragma_query_value(None, "journal_mode", |row| row.get(0)).unwrap();
            assert_eq!(mode, "wal");
            assert_eq!(setting(connection, "fullfsync"), 1);
            assert_eq!(setting(connection, "checkpoint_fullfsync"), 1);
        }
    }

    #[test]
    fn rule_138_a_database_without_wal_is_refused() {
        let error = Connections::open(Path::new(":memory:")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the store of the engine `sqlite` cannot be used: `:memory:` stays in the journal mode `memory` \
             instead of `wal`; use a file on a local disk"
        );
    }

    #[test]
    fn a_reader_does_not_write() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("jobs.db");
        Connections::open(&path).unwrap();
        let reader = open_reader(&path).unwrap();
        reader.execute("delete from tina4_job", []).unwrap_err();
    }
}
