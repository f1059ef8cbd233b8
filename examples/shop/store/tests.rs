//! The books: what is written together, and who may write.

use super::open::OpenError;
use super::*;

/// A store in a folder of its own, which goes when the test ends.
pub(crate) fn store() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let store = Store::open(folder.path()).expect("an empty folder is fine");
    (folder, store)
}

pub(crate) fn tea() -> NewOrder {
    NewOrder { customer: "Ada".into(), item: "tea".into(), quantity: 2 }
}

#[test]
fn an_order_comes_with_its_mail_job() {
    let (_folder, store) = store();
    let order = store.place(&tea()).expect("the books are open");
    assert_eq!((order.mail.as_str(), order.mail_attempts, order.paid), ("waiting", 0, false));
    assert_eq!(store.order(order.id), Ok(Some(order)));
    assert_eq!(store.order(99), Ok(None));
}

#[test]
fn an_order_without_a_mail_job_is_not_kept() {
    let (_folder, store) = store();
    store
        .alone(|connection| connection.execute_batch("DROP TABLE mail_jobs"))
        .expect("it is there");
    store.place(&tea()).expect_err("there is no table for the mail job");
    let count = |books: &Transaction<'_>| {
        books.query_row("SELECT count(*) FROM orders", [], |row| row.get::<_, u32>(0))
    };
    assert_eq!(store.transact(count), Ok(0));
}

#[test]
fn a_folder_has_one_shop_at_a_time() {
    let (folder, store) = store();
    let second = Store::open(folder.path());
    assert!(matches!(second, Err(OpenError::InUse(_))), "{second:?}");
    drop(store);
    Store::open(folder.path()).expect("the first is gone");
}

#[test]
fn folding_leaves_no_log() {
    let (folder, store) = store();
    store.place(&tea()).expect("the books are open");
    store.fold().expect("nobody else is there");
    let log = folder.path().join("shop.db-wal").metadata().expect("the log is there");
    assert_eq!(log.len(), 0);
}
