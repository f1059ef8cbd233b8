//! The postman by hand: a service's function is an ordinary function.

use std::fs;
use std::time::Duration;

use super::*;
use crate::store::tests::{store, tea};

/// State of an order's mail.
fn mail(store: &Store, order: i64) -> String {
    store.order(order).expect("the books are open").expect("it was placed").mail
}

#[test]
fn one_mail_a_run_until_there_are_none() {
    let (folder, store) = store();
    let outbox = Res::new(Outbox::open(folder.path(), Duration::ZERO).expect("it is there"));
    let store = Res::new(store);
    let ctx = Context::standalone("email_consumer");
    let consume = || email_consumer(&ctx, store.clone(), outbox.clone());
    for _ in 0..2 {
        store.place(&tea()).expect("the books are open");
    }
    assert_eq!(consume(), Ok(Flow::Again));
    assert_eq!((mail(&store, 1), mail(&store, 2)), ("sent".into(), "waiting".into()));
    assert_eq!(consume(), Ok(Flow::Again));
    assert_eq!(consume(), Ok(Flow::Wait));
    assert_eq!(mail(&store, 2), "sent");
}

#[test]
fn a_mail_that_was_out_when_the_process_died_is_not_sent_again() {
    let (folder, store) = store();
    let outbox = Res::new(Outbox::open(folder.path(), Duration::ZERO).expect("it is there"));
    store.place(&tea()).expect("the books are open");
    let job = store.take_mail().expect("the books are open").expect("it was placed");
    outbox.send(&job).expect("it can be written");
    let file = folder.path().join("order-000001.eml");
    fs::write(&file, "read and answered").expect("it is there");

    let (store, ctx) = (Res::new(store), Context::standalone("email_consumer"));
    assert_eq!(email_consumer(&ctx, store.clone(), outbox), Ok(Flow::Again));
    assert_eq!(mail(&store, 1), "sent");
    assert_eq!(fs::read_to_string(&file).expect("it is there"), "read and answered");
}

#[test]
fn a_mail_that_cannot_be_sent_waits_for_another_attempt() {
    let (folder, store) = store();
    let outbox = Outbox::open(&folder.path().join("outbox"), Duration::ZERO).expect("it is made");
    fs::remove_dir(folder.path().join("outbox")).expect("it is empty");
    store.place(&tea()).expect("the books are open");

    let (store, ctx) = (Res::new(store), Context::standalone("email_consumer"));
    assert_eq!(email_consumer(&ctx, store.clone(), Res::new(outbox)), Ok(Flow::Again));
    let order = store.order(1).expect("the books are open").expect("it was placed");
    assert_eq!((order.mail.as_str(), order.mail_attempts), ("waiting", 1));
}
