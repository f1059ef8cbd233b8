//! Atomic writes, the lock on the directory, and the checkpoint.

use super::open::OpenError;
use super::*;

/// A store in a temporary directory, which is removed when the test ends.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let store = Store::open(dir.path()).expect("the directory is empty");
    (dir, store)
}

pub(crate) fn tea() -> NewOrder {
    NewOrder { customer: "Ada".into(), item: "tea".into(), quantity: 2 }
}

#[test]
fn an_order_is_stored_with_its_mail_job() {
    let (_dir, store) = store();
    let order = store.place(&tea()).expect("the database is open");
    assert_eq!((order.mail.as_str(), order.mail_attempts, order.paid), ("waiting", 0, false));
    assert_eq!(store.order(order.id), Ok(Some(order)));
    assert_eq!(store.order(99), Ok(None));
}

#[test]
fn an_order_without_a_mail_job_is_not_stored() {
    let (_dir, store) = store();
    store
        .with_connection(|connection| connection.execute_batch("DROP TABLE mail_jobs"))
        .expect("the table exists");
    store.place(&tea()).expect_err("there is no table for the mail job");
    let count = |tx: &Transaction<'_>| {
        tx.query_row("SELECT count(*) FROM orders", [], |row| row.get::<_, u32>(0))
    };
    assert_eq!(store.transact(count), Ok(0));
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
fn a_checkpoint_truncates_the_log() {
    let (dir, store) = store();
    store.place(&tea()).expect("the database is open");
    store.checkpoint().expect("there is no other connection");
    let log = dir.path().join("shop.db-wal").metadata().expect("the log exists");
    assert_eq!(log.len(), 0);
}
