//! Opens the store of a queue by its address, and writes ledgers that survive the process: for child
//! processes that are killed, and for the tests that start them.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use tina4_service_postgres::PostgresEngine;
use tina4_service_queue::Queues;
use tina4_service_redis::RedisBuilder;
use tina4_service_sqlite::SqliteEngine;

/// Opens a store: `postgres://..`, `redis://..#prefix`, or the path of a SQLite file.
///
/// # Panics
///
/// If it cannot be opened.
#[must_use]
pub fn open(address: &str) -> Queues {
    if address.starts_with("postgres://") {
        Queues::new(PostgresEngine::open(address).expect("the server can be reached"))
    } else if address.starts_with("redis://") {
        let (server, prefix) = address.split_once('#').expect("an address and a prefix");
        let builder = RedisBuilder::new(server).expect("the address is valid");
        Queues::new(builder.prefix(prefix).open().expect("the server can be reached"))
    } else {
        Queues::new(SqliteEngine::open(address).expect("the file opens"))
    }
}

/// A file of lines, each of which is on the disk before the program goes on.
#[derive(Debug)]
pub struct Ledger(File);

impl Ledger {
    /// Opens a file, which several processes may append to.
    ///
    /// # Panics
    ///
    /// If that fails.
    #[must_use]
    pub fn open(path: &Path) -> Self {
        let file = OpenOptions::new().append(true).create(true).open(path);
        Self(file.expect("the ledger can be opened"))
    }

    /// Appends a line.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub fn write(&mut self, line: &str) {
        // One call, so that lines of several processes do not mix, and none is written in part.
        self.0.write_all(format!("{line}\n").as_bytes()).expect("the ledger can be written");
        self.0.sync_data().expect("the ledger can be synced");
    }
}
