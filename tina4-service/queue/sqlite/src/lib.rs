//! SQLite as the engine of [`tina4_service_queue`]: durable jobs in one file, shared by any number of
//! processes of one machine.
//!
//! ```
//! use tina4_service_queue::{Queue, Queues};
//! use tina4_service_sqlite::SqliteEngine;
//!
//! const EMAILS: Queue<String> = Queue::new("emails");
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("jobs.db");
//! let emails = EMAILS.on(&Queues::new(SqliteEngine::open(&path)?));
//! emails.push(&"hello".to_owned())?;
//! let job = emails.pop()?.expect("it was pushed");
//! job.complete()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In a transaction of the program
//!
//! [`BoundQueue::push_in`](tina4_service_queue::BoundQueue::push_in) and
//! [`Job::complete_in`](tina4_service_queue::Job::complete_in) take a `rusqlite` transaction or savepoint in
//! the same file. Begin it as `Immediate`: SQLite refuses a transaction that reads first and writes later if
//! somebody else has written in between.
//!
//! ```
//! use rusqlite::{Connection, TransactionBehavior};
//! use tina4_service_queue::{Push, Queue, Queues};
//! use tina4_service_sqlite::SqliteEngine;
//!
//! const EMAILS: Queue<String> = Queue::new("emails");
//!
//! # let directory = tempfile::tempdir()?;
//! # let path = directory.path().join("shop.db");
//! let emails = EMAILS.on(&Queues::new(SqliteEngine::open(&path)?));
//! let mut shop = Connection::open(&path)?;
//! shop.execute_batch("create table orders(id integer primary key)")?;
//!
//! let mut order = shop.transaction_with_behavior(TransactionBehavior::Immediate)?;
//! order.execute("insert into orders default values", [])?;
//! emails.push_in(&mut order, &"thank you".to_owned(), &Push::new())?;
//! order.commit()?; // the order and its mail, or neither
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is stored
//!
//! The tables `tina4_job`, `tina4_key`, `tina4_dead`, `tina4_done` and `tina4_meta`. A row with a queue and a payload is
//! a job, so that other programs can push: `insert into tina4_job(queue, payload) values ('emails', '"hello"')`. So can transactions of other
//! drivers, such as `sqlx`: the statement does what `push_in` does without options. There is no feature for them, because a program links only
//! one SQLite: with `sqlx` 0.9 that would have to be the oldest one that this package accepts, for everybody.
//!
//! Each process has a locked file in the directory `<file>-owners`. When the process ends, however it ends, the
//! system releases the lock, and the others take its jobs back without waiting for the end of their leases.
//!
//! # Durability
//!
//! The file is in WAL mode. A push is synced to the disk before it returns; pushes that wait at the same
//! time share one sync. Claims and finishes are not synced: after a power cut the job runs again. A push
//! in a transaction is as durable as its connection makes it (`pragma synchronous`, which is `full` unless
//! it was changed). SQLite versions before 3.51.3 are refused, because they can corrupt a file in WAL mode.
//! The file must not be on a network file system.
#![forbid(unsafe_code)]

mod admin;
mod connections;
mod done;
mod engine;
mod error;
mod group_commit;
mod liveness;
mod news;
mod numbers;
mod push;
mod schema;
mod transaction;
mod turn;
mod version;
mod write_transaction;

pub use engine::SqliteEngine;
pub use transaction::Sqlite;
