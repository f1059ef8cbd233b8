//! Helpers of the tests. Atomic writes, the lock on the directory, and the checkpoint.

use super::open::OpenError;
use super::*;
use crate::mails::MAILS;
use tina4_service::{MemoryEngine, SqliteEngine};

/// A store in a temporary directory, which is removed when the test ends.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(dir.path()).expect("the directory is empty");
    (dir, store)
}

pub(crate) fn tea() -> NewOrder {
    NewOrder { customer: "Ada".into(), item: "tea".into(), quantity: 2 }
}

/// The queue in the database of a store.
pub(crate) fn queue_in_database(dir: &tempfile::TempDir) -> Queues {
    Queues::new(SqliteEngine::open(database(dir.path())).expect("the database is open"))
}

/// Places an order whose email does not matter.
pub(crate) fn place_tea(store: &Store) -> Order {
    store.place(tea(), &Queues::new(MemoryEngine::new())).expect("the database is open")
}

fn orders(store: &Store) -> rusqlite::Result<u32> {
    store.transact(|tx| tx.query_row("SELECT count(*) FROM orders", [], |row| row.get(0)))
}

#[test]
fn an_order_is_stored_with_its_job() {
    let (dir, store) = store();
    let queues = queue_in_database(&dir);
    let order = store.place(tea(), &queues).expect("the database is open");
    assert_eq!((order.mail.as_str(), order.paid), ("waiting", false));
    assert_eq!(store.order(order.id), Ok(Some(order)));
    assert_eq!(store.order(99), Ok(None));
    let job = MAILS.on(&queues).pop().expect("the database is open").expect("it was pushed");
    assert_eq!((job.order, job.customer.as_str(), job.quantity), (1, "Ada", 2));
}

#[test]
fn an_order_without_a_job_is_not_stored() {
    let (dir, store) = store();
    let queues = queue_in_database(&dir);
    store
        .with_connection(|connection| connection.execute_batch("DROP TABLE tina4_job"))
        .expect("the table exists");
    store.place(tea(), &queues).expect_err("there is no table for the job");
    assert_eq!(orders(&store), Ok(0));
}

#[test]
fn a_job_without_an_order_is_not_stored() {
    let (dir, store) = store();
    let queues = queue_in_database(&dir);
    store
        .with_connection(|connection| connection.execute_batch("DROP TABLE mails"))
        .expect("the table exists");
    // The push comes before the statement that fails.
    store.place(tea(), &queues).expect_err("there is no table for the state of the email");
    let stats = MAILS.on(&queues).stats().expect("the database is open");
    assert_eq!((orders(&store), stats.backlog.ready), (Ok(0), 0));
}

#[test]
fn a_directory_is_used_by_one_shop_at_a_time() {
    let (dir, store) = store();
    let second = Store::open(dir.path());
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    drop(store);
    Store::open(dir.path()).expect("the first is gone");
}

#[test]
fn a_database_of_another_version_is_refused() {
    let (dir, store) = store();
    store
        .with_connection(|connection| connection.execute_batch("PRAGMA user_version = 0"))
        .expect("the database is open");
    drop(store);
    let error = Store::open(dir.path()).expect_err("it is older").to_string();
    assert!(error.contains("shop.db was made by another version of the shop; choose"), "{error}");
    std::fs::remove_file(database(dir.path())).expect("it exists");
    Store::open(dir.path()).expect("the directory is empty");
    Store::open(dir.path()).expect("the tables are of this version");
}

#[test]
fn a_checkpoint_truncates_the_log() {
    let (dir, store) = store();
    place_tea(&store);
    store.checkpoint().expect("there is no other connection");
    let log = dir.path().join("shop.db-wal").metadata().expect("the log exists");
    assert_eq!(log.len(), 0);
}
