//! Calls `email_consumer` directly: a service's function is an ordinary function.

use std::fs;
use std::time::Duration;

use super::*;
use crate::store::tests::{store, tea};

/// The state of an order's email.
fn mail(store: &Store, order: i64) -> String {
    store.order(order).expect("the database is open").expect("it was placed").mail
}

#[test]
fn each_run_sends_one_email_until_none_are_left() {
    let (dir, store) = store();
    let outbox =
        Res::new(Outbox::open(dir.path(), Duration::ZERO).expect("the directory can be created"));
    let store = Res::new(store);
    let ctx = Context::standalone("email_consumer");
    let consume = || email_consumer(&ctx, store.clone(), outbox.clone());
    for _ in 0..2 {
        store.place(&tea()).expect("the database is open");
    }
    assert_eq!(consume(), Ok(Flow::Again));
    assert_eq!((mail(&store, 1), mail(&store, 2)), ("sent".into(), "waiting".into()));
    assert_eq!(consume(), Ok(Flow::Again));
    assert_eq!(consume(), Ok(Flow::Wait));
    assert_eq!(mail(&store, 2), "sent");
}

#[test]
fn an_email_sent_just_before_the_process_was_killed_is_not_sent_again() {
    let (dir, store) = store();
    let outbox =
        Res::new(Outbox::open(dir.path(), Duration::ZERO).expect("the directory can be created"));
    store.place(&tea()).expect("the database is open");
    let job = store.take_email().expect("the database is open").expect("it was placed");
    outbox.send(&job).expect("the email can be written");
    let file = dir.path().join("order-000001.eml");
    fs::write(&file, "read by the customer").expect("the email can be overwritten");

    let (store, ctx) = (Res::new(store), Context::standalone("email_consumer"));
    assert_eq!(email_consumer(&ctx, store.clone(), outbox), Ok(Flow::Again));
    assert_eq!(mail(&store, 1), "sent");
    assert_eq!(fs::read_to_string(&file).expect("the email exists"), "read by the customer");
}

#[test]
fn an_email_that_cannot_be_sent_is_retried_later() {
    let (dir, store) = store();
    let outbox = Outbox::open(&dir.path().join("outbox"), Duration::ZERO)
        .expect("the directory can be created");
    fs::remove_dir(dir.path().join("outbox")).expect("it is empty");
    store.place(&tea()).expect("the database is open");

    let (store, ctx) = (Res::new(store), Context::standalone("email_consumer"));
    assert_eq!(email_consumer(&ctx, store.clone(), Res::new(outbox)), Ok(Flow::Again));
    let order = store.order(1).expect("the database is open").expect("it was placed");
    assert_eq!((order.mail.as_str(), order.mail_attempts), ("waiting", 1));
}
